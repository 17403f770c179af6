package archtest

import (
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strings"
)

func sleepRule() rule {
	return rule{
		name: "sleep",
		reason: "a test that waits for a while is slow on a fast machine and wrong on a slow one: wait for the event, inject the clock, " +
			"or run in a testing/synctest bubble, where a sleep moves the clock and takes no time",
		check: func(t *tree) []finding {
			var out []finding
			for _, f := range t.tests() {
				pkg := f.importName("time")
				if pkg == "" {
					continue
				}
				bubbles := f.bubbles()
				for n := range ast.Preorder(f.syntax) {
					selector, ok := n.(*ast.SelectorExpr)
					if ok && isSelector(selector, pkg, "Sleep") && !slices.ContainsFunc(bubbles, func(b ast.Node) bool { return b.Pos() <= n.Pos() && n.End() <= b.End() }) {
						out = append(out, finding{f.path, f.line(n.Pos()), f.path, "time.Sleep in a test"})
					}
				}
			}
			return out
		},
	}
}

// bubbles returns the functions that a file runs by synctest.Test.
func (f *goFile) bubbles() []ast.Node {
	pkg := f.importName("testing/synctest")
	var out []ast.Node
	for call := range calls(f.syntax) {
		if pkg != "" && isSelector(call.Fun, pkg, "Test") {
			out = append(out, call)
		}
	}
	return out
}

func fixedPortRule() rule {
	return rule{
		name:   "fixed-ports",
		reason: "a port that a test picks is in use on somebody's machine, or by the test beside it: listen on port 0 and ask which it was",
		check:  checkFixedPorts,
	}
}

func checkFixedPorts(t *tree) []finding {
	fixed := regexp.MustCompile(`:[1-9][0-9]*["` + "`" + `]$`)
	isFixed := func(x ast.Expr) bool {
		literal, ok := x.(*ast.BasicLit)
		return ok && literal.Kind == token.STRING && fixed.MatchString(literal.Value)
	}
	var out []finding
	for _, f := range t.tests() {
		for n := range ast.Preorder(f.syntax) {
			found := false
			switch n := n.(type) {
			case *ast.CallExpr:
				selector, ok := n.Fun.(*ast.SelectorExpr)
				found = ok && strings.HasPrefix(selector.Sel.Name, "Listen") && slices.ContainsFunc(n.Args, isFixed)
			case *ast.CompositeLit:
				selector, ok := n.Type.(*ast.SelectorExpr)
				found = ok && isSelector(selector, f.importName("net/http"), "Server") && slices.ContainsFunc(n.Elts, func(x ast.Expr) bool {
					field, ok := x.(*ast.KeyValueExpr)
					return ok && isFixed(field.Value)
				})
			}
			if found {
				out = append(out, finding{f.path, f.line(n.Pos()), f.path, "test listens on a fixed port"})
			}
		}
	}
	return out
}
