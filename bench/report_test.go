//go:build linux

package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// sample is a report of three rounds. The machine was twice as slow in the
// second one, and one row failed in the third.
func sample() *report {
	rounds := func(cpu ...float64) (out []figures) {
		for _, c := range cpu {
			if c == 0 {
				out = append(out, figures{})
				continue
			}
			out = append(out, figures{rate: 1000 / c, cpuPerRequest: c, p99: 10 * c, idleMemory: 12, binarySize: 6.5})
		}
		return out
	}
	direct := []figures{{rate: 50000, p99: 0.2}, {rate: 25000, p99: 0.4}, {rate: 50000, p99: 0.3}}
	r := &report{
		Machine: machine{CPU: "A CPU", Go: "go1.26", Kernel: "6.1", Server: 0, LoadCore: 1, Versions: map[string]string{"nginx": "1.22.1", "mcp-go": "v1"}},
		Plan:    plan{Rounds: 3, Saturate: time.Second, Steady: time.Second, Rate: 1000, Connections: 16, Many: 1000},
		Rounds:  3,
		Groups: []groupReport{{"rest-fetch", "REST GET", []*rowReport{
			{Peer: "direct", Note: "no gateway", Rounds: direct},
			{Peer: product, Rounds: rounds(0.05, 0.1, 0.06)},
			{Peer: "handwritten", Rounds: rounds(0.04, 0.08, 0)},
			{Peer: "caddy", Rounds: rounds(0.1, 0.4, 0.1)},
			{Peer: "nginx", Skipped: "nginx: not on this machine"},
		}}},
		Failures: []string{"round 3, rest-fetch/handwritten: it fell over"},
	}
	r.finish()
	return r
}

func TestText(t *testing.T) {
	golden := filepath.Join("testdata", "report.txt")
	got := sample().text()
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestFinish(t *testing.T) {
	r := sample()
	caddy := r.Groups[0].row("caddy")
	// By medians it would be 0.6.
	if got := caddy.Ratio[cpuPerRequest]; got != 0.5 {
		t.Errorf("ratio to caddy %v, want the median of 0.5, 0.25 and 0.6", got)
	}
	if got := r.Groups[0].row("handwritten").Median[cpuPerRequest]; got != 0.06 {
		t.Errorf("the floor's median %v, want that of the two rounds that it has", got)
	}
	met := map[string]bool{}
	for _, v := range r.Targets {
		met[v.What] = v.Met
	}
	for what, want := range map[string]bool{
		"rest-fetch: CPU ms to handwritten": false, // 1.25
		"rest-fetch: CPU ms to caddy":       true,
		"rest-fetch: idle MB":               true,
	} {
		if got, judged := met[what]; !judged || got != want {
			t.Errorf("target %q: judged %v, met %v, want %v; all: %v", what, judged, got, want, met)
		}
	}
}

// TestTargets wants each target to be about a row that exists.
func TestTargets(t *testing.T) {
	r := &report{}
	for _, g := range groups() {
		out := groupReport{Name: g.name}
		for _, row := range g.rows {
			all := figures{}
			for _, m := range metrics() {
				all[m] = 1
			}
			out.Rows = append(out.Rows, &rowReport{Peer: row.peer, Rounds: []figures{all}})
		}
		r.Groups = append(r.Groups, out)
	}
	r.finish()
	if len(r.Targets) != len(targets()) {
		t.Errorf("%d of %d targets were judged: %v", len(r.Targets), len(targets()), r.Targets)
	}
}

func TestInsert(t *testing.T) {
	document := "before\n" + docsBegin + "old\n" + docsEnd + "after\n"
	once, err := insert(document, "new\n")
	if err != nil {
		t.Fatal(err)
	}
	if want := "before\n" + docsBegin + "\n```text\nnew\n```\n\n" + docsEnd + "after\n"; once != want {
		t.Errorf("got %q, want %q", once, want)
	}
	if twice, err := insert(once, "new\n"); err != nil || twice != once {
		t.Errorf("a second time: %q, %v", twice, err)
	}
	for _, document := range []string{"", docsBegin, docsEnd, docsEnd + docsBegin} {
		if got, err := insert(document, "new\n"); err == nil {
			t.Errorf("%q became %q", document, got)
		}
	}
}

// TestDocument wants the page about performance to have the place for figures.
func TestDocument(t *testing.T) {
	page, err := os.ReadFile("../docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := insert(string(page), ""); err != nil {
		t.Error(err)
	}
}

func TestCommandLine(t *testing.T) {
	for _, tt := range []struct {
		name   string
		args   []string
		code   int
		stdout string
		stderr string
	}{
		{"list", []string{"-list", "-rows", "rest-.*/caddy"}, 0, "rest-fetch/caddy\nrest-create/caddy\n", ""},
		{"an expression", []string{"-rows", "("}, 1, "", "-rows: error parsing regexp"},
		{"no row", []string{"-rows", "traefik"}, 1, "", "no row matches; -list shows them"},
		{"an argument", []string{"quick"}, 1, "", `"quick" is no flag`},
		{"no rounds", []string{"-rounds", "0"}, 1, "", "have to be positive"},
		{"quick does not overrule", []string{"-quick", "-rounds", "0"}, 1, "", "have to be positive"},
		{"few connections", []string{"-many", "3"}, 1, "", "-many at least -connections (16)"},
		{"a flag", []string{"-slow"}, 1, "", "flag provided but not defined"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(context.Background(), tt.args, &stdout, &stderr)
			if code != tt.code || stdout.String() != tt.stdout || !strings.Contains(stderr.String(), tt.stderr) {
				t.Errorf("code %d, stdout %q, stderr %q; want %d, %q, %q", code, &stdout, &stderr, tt.code, tt.stdout, tt.stderr)
			}
		})
	}
}
