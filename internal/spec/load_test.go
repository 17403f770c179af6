package spec

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"patchbay/internal/diag"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func read(t testing.TB, path string) []byte {
	t.Helper()
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func glob(t testing.TB, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no files match %s (%v)", pattern, err)
	}
	return files
}

// printed returns the findings as people see them.
func printed(t testing.TB, source []byte, list diag.List) string {
	t.Helper()
	var out bytes.Buffer
	if err := diag.PrintText(&out, list, func(string) []byte { return source }, diag.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	if len(list) > 0 {
		out.WriteString(diag.Summary(list) + "\n")
	}
	return out.String()
}

// golden compares got with a file, or rewrites the file.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run with -update)", err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s differs (-want +got), run with -update to accept:\n%s", path, d)
	}
}

// Files in testdata/ok have nothing to repair: at most notes.
func TestLoadOK(t *testing.T) {
	for _, path := range glob(t, "testdata/ok/*.yaml") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			source := read(t, path)
			doc, list := Load(filepath.Base(path), source)
			if list.HasErrors() || list.Count(diag.Warning) > 0 {
				t.Errorf("findings:\n%s", printed(t, source, list))
			}
			golden(t, strings.TrimSuffix(path, ".yaml")+".doc", outline(doc)+printed(t, source, list))
		})
	}
}

// Files in testdata/err give exactly the findings in the .diag file beside them.
func TestLoadFindings(t *testing.T) {
	for _, path := range glob(t, "testdata/err/*.yaml") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			source := read(t, path)
			doc, list := Load(filepath.Base(path), source)
			if doc == nil || doc.File != filepath.Base(path) {
				t.Fatalf("document %v", doc)
			}
			if len(list) == 0 {
				t.Error("no findings")
			}
			golden(t, strings.TrimSuffix(path, ".yaml")+".diag", printed(t, source, list))
		})
	}
}
