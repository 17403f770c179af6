package cli

import (
	"fmt"
	"strings"
	"testing"

	"patchbay/internal/engine"
	"patchbay/internal/plan"
)

func TestPrintableKeepsTheTerminal(t *testing.T) {
	var out strings.Builder
	fmt.Fprintf(printable{&out}, "one %s\ntwo é\n", "\x1b[31m\x1b]0;title\a")
	if got := out.String(); strings.ContainsAny(got, "\x1b\a") || !strings.HasPrefix(got, "one ") || !strings.HasSuffix(got, "\ntwo é\n") {
		t.Errorf("got %q", got)
	}
}

// TestTell: a name with a line end stays in its line.
func TestTell(t *testing.T) {
	var out strings.Builder
	tell(&out, "  %s  %d\n", "rest\nPage  http://elsewhere", 1)
	if got, want := out.String(), "  rest\\nPage  http://elsewhere  1\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestExample: the line to paste is one command, whatever a path holds.
func TestExample(t *testing.T) {
	for path, want := range map[string]string{
		"/things":          "curl -s http://127.0.0.1:8080/things",
		"/things/{id}":     "curl -s 'http://127.0.0.1:8080/things/<id>'",
		"/x';rm -rf ~;'$x": `curl -s 'http://127.0.0.1:8080/x'\'';rm -rf ~;'\''$x'`,
	} {
		op := &plan.RESTOperation{Method: "GET", Path: path}
		if path == "/things/{id}" {
			op.PathNames = []string{"id"}
		}
		served := &engine.ServedREST{Adapter: &plan.RESTAdapter{Operations: []*plan.RESTOperation{op}}, URL: "http://127.0.0.1:8080"}
		if got := example(served, false); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}
