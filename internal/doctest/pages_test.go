package doctest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"patchbay/internal/cli"
	"patchbay/internal/deployfile"
	"patchbay/internal/telemetry"
)

// marker separates what somebody wrote, above, from what the program says, below.
const marker = "<!-- What follows is generated: go test ./internal/doctest -update -->\n"

// generated compares the lower part of a page with what the program says, or
// replaces it.
func generated(t *testing.T, name, lower string) {
	t.Helper()
	path := filepath.Join(root, "docs", name)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	upper, have, ok := strings.Cut(string(data), marker)
	if !ok {
		t.Fatalf("%s has no line %q", name, marker)
	}
	if *update {
		if err := os.WriteFile(path, []byte(upper+marker+lower), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(have, lower); diff != "" {
		t.Errorf("docs/%s is not what the program says now; -update rewrites it (-page +program):\n%s", name, diff)
	}
}

// TestCommandPage keeps docs/cli.md in step with the commands' own help.
func TestCommandPage(t *testing.T) {
	var page strings.Builder
	var describe func(words []string)
	describe = func(words []string) {
		help := helpOf(t, words)
		fmt.Fprintf(&page, "\n## %s\n\n```text\n%s\n```\n", strings.Join(append([]string{"patchbay"}, words...), " "), strings.TrimSpace(help))
		for _, sub := range subcommands(help) {
			describe(append(words[:len(words):len(words)], sub))
		}
	}
	describe(nil)
	generated(t, "cli.md", page.String())
}

// TestMetricsPage keeps the table of metrics in step with what is counted.
func TestMetricsPage(t *testing.T) {
	var page strings.Builder
	page.WriteString("\n| metric | kind | labels | meaning |\n|---|---|---|---|\n")
	for _, f := range telemetry.NewMetrics("").Families() {
		fmt.Fprintf(&page, "| `%s` | %s | %s | %s |\n", f.Name, f.Kind, strings.Join(f.Labels, ", "), f.Help)
	}
	generated(t, "observability.md", page.String())
}

// TestConfigurationPage keeps docs/configuration.md in step with the keys that a
// deployment file may have, and the flags that it names with the commands'.
func TestConfigurationPage(t *testing.T) {
	page := deployfile.Page()
	generated(t, "configuration.md", page)
	flags := helpOf(t, []string{"serve"})
	for _, m := range regexp.MustCompile("`--([a-z-]+)` \\|\n").FindAllStringSubmatch(page, -1) {
		if !strings.Contains(flags, " --"+m[1]+" ") {
			t.Errorf("the page names the flag --%s, which serve does not have", m[1])
		}
	}
}

func helpOf(t *testing.T, words []string) string {
	t.Helper()
	var out, errs strings.Builder
	none := func(string) (string, bool) { return "", false }
	args := append(words[:len(words):len(words)], "--help")
	if code := cli.Main(context.Background(), args, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}, none); code != 0 {
		t.Fatalf("%v: exit code %d: %s", args, code, errs.String())
	}
	return out.String()
}

// subcommands reads the names from a help text.
func subcommands(help string) []string {
	_, list, ok := strings.Cut(help, "Available Commands:\n")
	if !ok {
		return nil
	}
	list, _, _ = strings.Cut(list, "\n\n")
	var out []string
	for _, m := range regexp.MustCompile(`(?m)^  (\S+)`).FindAllStringSubmatch(list, -1) {
		if m[1] != "help" {
			out = append(out, m[1])
		}
	}
	return out
}

// DESIGN.md names every package, so that its table does not fall behind.
func TestDesignNamesPackages(t *testing.T) {
	design, err := os.ReadFile(filepath.Join(root, "DESIGN.md"))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, pattern := range []string{"cmd/*/*.go", "internal/*/*.go", "internal/expose/*/*.go"} {
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil {
			t.Fatal(err)
		}
		missing := map[string]bool{}
		for _, file := range files {
			name, err := filepath.Rel(root, filepath.Dir(file))
			if err != nil {
				t.Fatal(err)
			}
			name = filepath.ToSlash(name)
			if !strings.HasSuffix(file, "_test.go") && !strings.Contains(string(design), name) {
				missing[name] = true
			}
			seen++
		}
		for name := range missing {
			t.Errorf("DESIGN.md does not name %s", name)
		}
	}
	if seen == 0 {
		t.Error("no packages found")
	}
}
