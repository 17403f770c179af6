package doctest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"patchbay/internal/deploy"
	"patchbay/internal/diag"
	"patchbay/internal/engine"
)

// A run executes one document.
type run struct {
	t *testing.T
	// dir is where its commands run, program what patchbay is.
	dir, program string
	env          []string
	// shell reports that commands can be run: there are sh and curl; omitted
	// that one was not.
	shell, omitted bool
	server         *server
}

// patience bounds what hangs; nothing that works comes near it.
const patience = 2 * time.Minute

func newRun(t *testing.T) *run {
	r := &run{t: t, dir: t.TempDir(), shell: true}
	for _, tool := range []string{"sh", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			r.shell = false
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	r.program = filepath.Join(bin, "patchbay")
	if err := os.Symlink(self, r.program); err != nil {
		t.Skipf("the program cannot be called by its name: %v", err)
	}
	// Nothing of the caller's environment gets in: it may hold credentials. A
	// program with the race detector sleeps a second at its end unless told not to.
	r.env = []string{
		"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + r.dir, "LC_ALL=C", "NO_PROXY=*",
		"GORACE=atexit_sleep_ms=0",
	}
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// block executes one block; expected is the output block after it, or nil. It
// returns what is wrong, or "".
func (r *run) block(b, expected *block) string {
	switch b.language {
	case "sh":
		return r.command(b, expected)
	case "console":
		if slices.Contains(b.words, "serve") {
			return r.serve(b)
		}
	case "yaml":
		return r.capability(b, expected)
	case "text":
		r.keep(b)
	case "json":
		r.keep(b)
		if !json.Valid([]byte(b.text)) {
			return "the block is not JSON"
		}
	}
	return ""
}

// keep writes a block that has a name to the document's directory.
func (r *run) keep(b *block) string {
	if len(b.words) == 0 {
		return ""
	}
	path := filepath.Join(r.dir, filepath.Base(b.words[0]))
	if err := os.WriteFile(path, []byte(b.text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	return path
}

// command runs a block by the shell.
func (r *run) command(b, expected *block) string {
	if !r.shell {
		r.omitted = true
		return ""
	}
	code := 0
	for _, w := range b.words {
		if _, err := fmt.Sscanf(w, "exit=%d", &code); err != nil {
			return "unknown word " + w
		}
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, "sh", "-e")
	cmd.Stdin = strings.NewReader(r.inward(b.text))
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Dir, cmd.Env = r.dir, r.env
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		return err.Error()
	} else if got := cmd.ProcessState.ExitCode(); got != code {
		return fmt.Sprintf("exit code %d, want %d (%v):\n%s", got, code, exit, r.outward(out.String()))
	}
	if expected == nil {
		return ""
	}
	if got := r.outward(out.String()); !matches(expected.text, got, slices.Contains(expected.words, "json")) {
		return fmt.Sprintf("the output on line %d is not what the command prints:\n%s", expected.line, got)
	}
	return ""
}

// capability loads a block that is a capability file; any YAML is loaded as
// far as its syntax.
func (r *run) capability(b, expected *block) string {
	name := filepath.Join(r.dir, "capability.yaml")
	if path := r.keep(b); path != "" {
		name = path
	} else if err := os.WriteFile(name, []byte(b.text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	loaded, found, err := engine.Load(&deploy.Options{Files: []string{name}})
	if err != nil {
		return err.Error()
	}
	var errs diag.List
	whole := strings.HasPrefix(b.text, "naftiko:") || strings.HasPrefix(b.text, "ikanos:")
	for _, d := range found {
		d.Span.File = filepath.Base(name)
		for i := range d.Related {
			d.Related[i].Span.File = filepath.Base(name)
		}
		// A fragment only has to be YAML.
		if whole && d.Severity == diag.Error || d.Code == "yaml-syntax" || d.Code == "duplicate-key" {
			errs = append(errs, d)
		}
	}
	var text strings.Builder
	if err := diag.PrintText(&text, errs, func(string) []byte { return loaded.Source(name) }, diag.TextOptions{}); err != nil {
		return err.Error()
	}
	switch {
	case expected != nil && !matches(expected.text, text.String(), false):
		return fmt.Sprintf("the output on line %d is not what the file leads to:\n%s", expected.line, text.String())
	case expected == nil && len(errs) > 0:
		return "the file has errors:\n" + text.String()
	}
	return ""
}
