package archtest

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
)

// A processUse is something that belongs to the whole process.
type processUse struct {
	pkg   string // import path
	names []string
	in    []string
	// instead is the advice.
	instead string
}

func processUses() []processUse {
	edge := []string{"cmd/...", "internal/cli"}
	return []processUse{
		{"fmt", []string{"Print", "Printf", "Println"}, edge, "write to a stream that was passed in, or log"},
		{"os", []string{"Stdin", "Stdout", "Stderr", "Args"}, edge, "take a stream or arguments as a parameter"},
		{"os", []string{"Exit"}, []string{"cmd/..."}, "return an error or an exit code"},
		{"os", []string{"Getenv", "LookupEnv", "Environ", "ExpandEnv", "Setenv", "Unsetenv", "Clearenv"}, []string{"cmd/...", "internal/bind"}, "internal/bind reads the environment"},
		{"log/slog", []string{"SetDefault"}, []string{"cmd/..."}, "log on a logger that was passed in"},
		{"log/slog", []string{"Default", "Debug", "Info", "Warn", "Error", "Log", "LogAttrs"}, nil, "log on a logger that was passed in"},
		{"net/http", []string{"DefaultServeMux", "DefaultClient", "DefaultTransport", "Handle", "HandleFunc", "Get", "Post", "PostForm", "Head"}, nil, "build a client, transport or handler with its limits"},
	}
}

func processRule() rule {
	return rule{
		name: "process",
		reason: "streams, environment, exit and process-wide defaults belong to main and the command line; everything else can be run twice " +
			"in one process and be tested without changing it",
		check: checkProcess,
	}
}

func checkProcess(t *tree) []finding {
	var out []finding
	for _, f := range t.product() {
		for n := range ast.Preorder(f.syntax) {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				for _, use := range processUses() {
					name := f.importName(use.pkg)
					left, ok := n.X.(*ast.Ident)
					if !ok || name == "" || left.Name != name || !slices.Contains(use.names, n.Sel.Name) {
						continue
					}
					if !slices.ContainsFunc(use.in, func(pattern string) bool { return matches(pattern, f.dir) }) {
						used := left.Name + "." + n.Sel.Name
						out = append(out, finding{f.path, f.line(n.Pos()), f.dir + ": " + used, fmt.Sprintf("%s: %s", used, use.instead)})
					}
				}
			case *ast.CallExpr:
				if id, ok := n.Fun.(*ast.Ident); ok && strings.HasPrefix(id.Name, "print") && (id.Name == "print" || id.Name == "println") {
					out = append(out, finding{f.path, f.line(n.Pos()), f.dir + ": " + id.Name, id.Name + ": it writes to the process's standard error"})
				}
			}
		}
	}
	return out
}
