package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"patchbay/capabilities"
	"patchbay/internal/deploy"
	"patchbay/internal/diag"
)

// Files are compiled beside one another; what comes out is what compiling them
// alone gives, in the order of their names.
func TestLoadIsDeterministic(t *testing.T) {
	dir := t.TempDir()
	const total = 30
	var alone diag.List
	var names []string
	for i := range total {
		name := filepath.Join(dir, fmt.Sprintf("%02d.yaml", i))
		source := capabilities.FlexInteractions().Data
		switch i % 3 {
		case 1:
			source = []byte("naftiko: 1.0.0-alpha2\ncapability: {exposes: [{type: mcp, namespace: m, tools: [{name: a, description: A, call: x.y}]}]}\n")
		case 2:
			source = []byte("not: a capability\n")
		}
		if err := os.WriteFile(name, source, 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
		opts := deploy.Defaults()
		opts.Files = []string{name}
		_, found, err := Load(&opts)
		if err != nil {
			t.Fatal(err)
		}
		alone = append(alone, found...)
	}
	opts := deploy.Defaults()
	opts.Files = []string{dir}
	var reported []int
	loaded, found, err := LoadReporting(&opts, func(done, of int) {
		if of != total {
			t.Errorf("%d files in all, want %d", of, total)
		}
		reported = append(reported, done)
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(alone, found); d != "" {
		t.Errorf("findings (-alone +together):\n%s", d)
	}
	if d := cmp.Diff(names, loaded.Files); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
	var planned []string
	for _, p := range loaded.Plans {
		planned = append(planned, p.Document.File)
	}
	var want []string
	for i, name := range names {
		if i%3 != 2 {
			want = append(want, name)
		}
	}
	if d := cmp.Diff(want, planned); d != "" {
		t.Errorf("plans (-want +got):\n%s", d)
	}
	for i, done := range reported {
		if done != i+1 {
			t.Fatalf("progress went %v", reported)
		}
	}
	if len(reported) != total {
		t.Errorf("progress was reported %d times", len(reported))
	}
}

// A panic beside others is an error with the place where it happened, and the
// others are done.
func TestSideBySidePanic(t *testing.T) {
	const total = 100
	var done [total]int
	err := sideBySide(total, func(i int) {
		if i == total-1 {
			panic("the last")
		}
		done[i]++
	})
	p, ok := errors.AsType[*panicError](err)
	if !ok || p.value != "the last" || !strings.Contains(string(p.stack), "TestSideBySidePanic") || !strings.Contains(p.Error(), "an internal error: the last") {
		t.Errorf("the error is %v", err)
	}
	for i, times := range done[:total-1] {
		if times != 1 {
			t.Errorf("%d is done %d times", i, times)
		}
	}
	if err := sideBySide(total, func(int) {}); err != nil {
		t.Error(err)
	}
}

// Such an error of a reload is told like a panic.
func TestReloadOfPanicError(t *testing.T) {
	var log bytes.Buffer
	e := New(Config{Log: slog.New(slog.NewJSONHandler(&log, nil)), Source: func(context.Context, BindOptions) (*Deployment, diag.List, error) {
		return nil, nil, fmt.Errorf("loading: %w", sideBySide(1, func(int) { panic("the only one") }))
	}})
	served := &Deployment{Options: &deploy.Options{}}
	served.lease.users.Store(1)
	e.current.Store(served)
	if r := e.Reload(t.Context(), "a test"); r.Applied || !errors.Is(r.Err, errInternal) {
		t.Errorf("%+v", r)
	}
	if err := e.Shutdown(time.Minute); err != nil {
		t.Error(err)
	}
	if text := log.String(); !strings.Contains(text, `"msg":"panic","cause":"the only one","stack":"goroutine`) || !strings.Contains(text, "TestReloadOfPanicError") {
		t.Errorf("the log does not say it: %s", text)
	}
}
