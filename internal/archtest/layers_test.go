package archtest

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// layers is the table of packages, top to bottom. A package may import packages
// of lower layers, never one of its own layer or above.
func layers() [][]string {
	return [][]string{
		{"cmd/patchbay"},
		{"internal/cli"},
		{"internal/engine"},
		{"internal/expose/page"},
		{"internal/control", "internal/expose/rest", "internal/expose/mcp"},
		{"internal/idempotency"},
		{"internal/plan"},
		{"internal/contract", "internal/upstream"},
		{"internal/lint", "internal/profile"},
		{"internal/auth", "internal/deployfile", "internal/wire"},
		{"internal/bind", "internal/deploy", "internal/guard", "internal/openapi", "internal/problem", "internal/ratelimit", "internal/schema", "internal/spec", "internal/telemetry"},
		{"internal/jsonpath", "internal/rawformat", "internal/template", "internal/yamltext"},
		{"internal/diag", "internal/fault", "internal/jsonvalue", "internal/secret"},
		{"capabilities", "internal/archtest", "internal/corpustest", "internal/mcp", "internal/route", "internal/sandbox", "internal/watch"},
	}
}

// An exception narrows what the layers would let a package do.
type exception struct {
	pkg    string
	only   []string
	reason string
}

// imports that are narrower than the layers.
func narrowImports() []exception {
	return []exception{
		{"cmd/patchbay", []string{"internal/cli"}, "main is a doorway: streams, signals, exit code"},
	}
}

// importers of packages that few may know.
func narrowImporters() []exception {
	const assembly = "it is put together with the rest in one place"
	return []exception{
		{"capabilities", []string{"internal/engine", "internal/cli"}, "packages take documents as values; where these come from is decided in one place"},
		{"internal/mcp", []string{"internal/expose/mcp", "internal/engine", "internal/cli"}, "MCP is an encoding: plans and everything below them know nothing of it"},
		{"internal/sandbox", []string{"internal/engine", "internal/cli"}, "the simulator is an HTTP server below us, reached over the wire only"},
		{"internal/expose/page", []string{"internal/engine", "internal/cli"}, assembly},
		{"internal/expose/rest", []string{"internal/expose/page", "internal/engine", "internal/cli"}, assembly},
		{"internal/expose/mcp", []string{"internal/engine", "internal/cli"}, assembly},
		{"internal/archtest", nil, "it holds tests only"},
	}
}

func layerRule() rule {
	return rule{
		name: "layers",
		reason: "a request goes straight down and its answer straight up, so a reader who knows the layer knows what a package can reach. " +
			"The table is in layers_test.go.",
		check: checkLayers,
	}
}

func checkLayers(t *tree) []finding {
	rank := map[string]int{}
	for i, layer := range layers() {
		for _, pkg := range layer {
			rank[pkg] = i
		}
	}
	var out []finding
	unknown := map[string]bool{}
	for _, f := range t.product() {
		from, known := rank[f.dir]
		if !known {
			if !unknown[f.dir] {
				out = append(out, finding{f.path, f.line(f.syntax.Name.Pos()), f.dir, "package " + f.dir + " has no layer: add it to the table"})
			}
			unknown[f.dir] = true
			continue
		}
		for _, imported := range f.imports() {
			target, ours := t.ours(imported.text)
			if !ours {
				continue
			}
			if text := judgeImport(f.dir, target, rank, from); text != "" {
				out = append(out, finding{f.path, imported.line, f.dir + " -> " + target, text})
			}
		}
	}
	return out
}

// judgeImport returns what is wrong with an import, or "".
func judgeImport(pkg, target string, rank map[string]int, from int) string {
	to, known := rank[target]
	switch {
	case !known:
		return fmt.Sprintf("%s imports %s, which has no layer: add it to the table", pkg, target)
	case to == from:
		return fmt.Sprintf("%s imports %s of its own layer: what they share belongs below both", pkg, target)
	case to < from:
		return fmt.Sprintf("%s imports %s, which stands above it", pkg, target)
	}
	for _, e := range narrowImports() {
		if e.pkg == pkg && !slices.Contains(e.only, target) {
			return fmt.Sprintf("%s imports %s: %s", pkg, target, e.reason)
		}
	}
	for _, e := range narrowImporters() {
		if e.pkg == target && !slices.Contains(e.only, pkg) {
			return fmt.Sprintf("%s imports %s: %s", pkg, target, e.reason)
		}
	}
	return ""
}

// A home lists the packages that may import something from outside the product.
// A package ending in "/..." stands for everything below it.
type home struct {
	imported string
	in       []string
	reason   string
}

func importHomes() []home {
	const (
		oracle = "it checks our results in tests; the product must not lean on it"
		never  = "nothing here needs it"
	)
	return []home{
		// internal/expose/mcp serves the files of static resources, through os.Root only, and reads prompts when it starts.
		{"os", []string{"cmd/...", "internal/cli", "internal/engine", "internal/bind", "internal/expose/mcp", "internal/watch"}, "compiling is pure: no files, no environment; what a package needs comes in as a value"},
		{"log", nil, "log/slog, on a logger that was passed in"},
		{"net/http", []string{
			"cmd/...", "internal/cli", "internal/engine", "internal/expose/...", "internal/mcp", "internal/sandbox", "internal/guard", "internal/telemetry", "internal/ratelimit", "internal/control",
			"internal/plan", "internal/upstream", "internal/auth", "internal/problem", "internal/idempotency",
		}, "documents are compiled without a network"},
		{"os/exec", nil, never},
		{"plugin", nil, never},
		{"unsafe", nil, never},
		{"math/rand", nil, "math/rand/v2, or crypto/rand where anybody could gain from guessing"},
		{"github.com/fsnotify/fsnotify", []string{"internal/watch"}, "what files do to a process is told in one place"},
		{"github.com/spf13/pflag", []string{"internal/cli"}, "flags end where the command line does"},
		{"github.com/spf13/cobra", []string{"internal/cli"}, "flags end where the command line does; packages take typed options"},
		{"go.yaml.in/yaml/v4", []string{"internal/yamltext", "internal/openapi", "internal/bind", "internal/profile"}, "YAML is read by the packages that own a file format, which keep places and bounds"},
		{"github.com/golang-jwt/jwt/v5", []string{"internal/auth"}, "tokens are judged in one place"},
		{"github.com/google/go-cmp", nil, oracle},
		{"github.com/rogpeppe/go-internal", nil, oracle},
		{"github.com/santhosh-tekuri/jsonschema/v6", nil, oracle},
		{"go.uber.org/goleak", nil, oracle},
		{"github.com/prometheus/client_golang", []string{"internal/telemetry"}, "one package counts; others tell it what happened"},
		{"testing", nil, "test support belongs into test files"},
	}
}

func importHomeRule() rule {
	return rule{
		name:   "import-homes",
		reason: "what a package can do to the world is what it imports. The table is importHomes in layers_test.go; tests are free.",
		check:  checkImportHomes,
	}
}

func checkImportHomes(t *tree) []finding {
	var out []finding
	for _, f := range t.product() {
		for _, imported := range f.imports() {
			for _, h := range importHomes() {
				if imported.text != h.imported && !(strings.Contains(h.imported, ".") && strings.HasPrefix(imported.text, h.imported+"/")) {
					continue
				}
				if !slices.ContainsFunc(h.in, func(pattern string) bool { return matches(pattern, f.dir) }) {
					out = append(out, finding{f.path, imported.line, f.dir + " -> " + imported.text, fmt.Sprintf("%s imports %s: %s", f.dir, imported.text, h.reason)})
				}
			}
		}
	}
	return out
}

// matches tells whether a directory is the pattern or, where that ends in
// "/...", below it.
func matches(pattern, dir string) bool {
	if parent, ok := strings.CutSuffix(pattern, "/..."); ok {
		return dir == parent || strings.HasPrefix(dir, parent+"/")
	}
	return path.Clean(pattern) == dir
}
