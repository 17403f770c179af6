package archtest

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

func initRule() rule {
	return rule{
		name:   "init",
		reason: "nothing happens because a package is linked in: catalogs are functions that return values",
		check: func(t *tree) []finding {
			var out []finding
			for _, f := range t.product() {
				for _, decl := range f.syntax.Decls {
					if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
						out = append(out, finding{f.path, f.line(fn.Pos()), f.dir, "func init: call a constructor instead"})
					}
				}
			}
			return out
		},
	}
}

func panicRule() rule {
	return rule{
		name:   "panic",
		reason: "a document, a caller or an upstream must not be able to end the process; an error says what went wrong and where",
		allowed: map[string]string{
			"internal/expose/rest": "an answer that has begun is cut off with http.ErrAbortHandler: net/http has no other way to say so to the caller",
		},
		check: func(t *tree) []finding {
			var out []finding
			for _, f := range t.product() {
				for call := range calls(f.syntax) {
					if name, ok := call.Fun.(*ast.Ident); ok && name.Name == "panic" {
						out = append(out, finding{f.path, f.line(call.Pos()), f.dir, "panic: return an error"})
					}
				}
			}
			return out
		},
	}
}

// calls yields all calls below a node.
func calls(node ast.Node) func(yield func(*ast.CallExpr) bool) {
	return func(yield func(*ast.CallExpr) bool) {
		for n := range ast.Preorder(node) {
			if call, ok := n.(*ast.CallExpr); ok && !yield(call) {
				return
			}
		}
	}
}

func packageStateRule() rule {
	return rule{
		name: "package-state",
		reason: "what is shared by everything in the process can be changed by everything in the process. Constants, embedded files, " +
			"error values and unexported tables of literals that no statement writes to are fine; other state belongs into a value that is passed on",
		allowed: map[string]string{},
		check:   checkPackageState,
	}
}

func checkPackageState(t *tree) []finding {
	packages := map[string][]*goFile{}
	for _, f := range t.product() {
		packages[f.dir] = append(packages[f.dir], f)
	}
	var out []finding
	for _, f := range t.product() {
		for _, decl := range f.syntax.Decls {
			group, ok := decl.(*ast.GenDecl)
			if !ok || group.Tok != token.VAR {
				continue
			}
			for _, spec := range group.Specs {
				value := spec.(*ast.ValueSpec)
				if embedded(group.Doc) || embedded(value.Doc) {
					continue
				}
				for i, name := range value.Names {
					if problem := judgeVariable(name.Name, initial(value, i), packages[f.dir]); problem != "" {
						out = append(out, finding{
							f.path, f.line(name.Pos()), f.dir + "." + name.Name,
							fmt.Sprintf("var %s %s", name.Name, problem),
						})
					}
				}
			}
		}
	}
	return out
}

func embedded(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") })
}

// initial returns the expression that the i-th name starts with, or nil.
func initial(value *ast.ValueSpec, i int) ast.Expr {
	if i < len(value.Values) && len(value.Names) == len(value.Values) {
		return value.Values[i]
	}
	return nil
}

// judgeVariable returns why a package-level variable is state, or "".
func judgeVariable(name string, start ast.Expr, pkg []*goFile) string {
	switch {
	case name == "_":
		return ""
	case isErrorValue(start):
		return ""
	case !isTable(start):
		return "is mutable state"
	case ast.IsExported(name):
		return "is a table that other packages can write to: make it a function"
	case slices.ContainsFunc(pkg, func(f *goFile) bool { return writes(f.syntax, name) }):
		return "is a table that the package writes to"
	}
	return ""
}

// isErrorValue recognizes errors.New and fmt.Errorf.
func isErrorValue(x ast.Expr) bool {
	call, ok := x.(*ast.CallExpr)
	return ok && (isSelector(call.Fun, "errors", "New") || isSelector(call.Fun, "fmt", "Errorf"))
}

func isSelector(x ast.Expr, pkg, name string) bool {
	selector, ok := x.(*ast.SelectorExpr)
	if !ok || selector.Sel.Name != name {
		return false
	}
	left, ok := selector.X.(*ast.Ident)
	return ok && left.Name == pkg
}

// isTable recognizes literals of arrays, slices and maps, whose parts are
// values that are known without running anything.
func isTable(x ast.Expr) bool {
	literal, ok := x.(*ast.CompositeLit)
	if !ok {
		return false
	}
	switch literal.Type.(type) {
	case *ast.ArrayType, *ast.MapType:
		return isInert(literal)
	}
	return false
}

func isInert(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.BasicLit, *ast.Ident, *ast.SelectorExpr:
		return true
	case *ast.UnaryExpr:
		return x.Op != token.AND && isInert(x.X)
	case *ast.BinaryExpr:
		return isInert(x.X) && isInert(x.Y)
	case *ast.KeyValueExpr:
		return isInert(x.Key) && isInert(x.Value)
	case *ast.CompositeLit:
		return !slices.ContainsFunc(x.Elts, func(element ast.Expr) bool { return !isInert(element) })
	}
	return false
}

// writes tells whether a statement assigns to a package-level name or to a part
// of it, or takes its address. A function that declares the name itself means
// its own.
func writes(file *ast.File, name string) bool {
	for _, decl := range file.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || declares(fn, name) {
			continue
		}
		for n := range ast.Preorder(fn) {
			switch n := n.(type) {
			case *ast.AssignStmt:
				if slices.ContainsFunc(n.Lhs, func(x ast.Expr) bool { return owner(x) == name }) {
					return true
				}
			case *ast.IncDecStmt:
				if owner(n.X) == name {
					return true
				}
			case *ast.UnaryExpr:
				if n.Op == token.AND && owner(n.X) == name {
					return true
				}
			case *ast.CallExpr:
				if callee, ok := n.Fun.(*ast.Ident); ok && len(n.Args) > 0 && slices.Contains([]string{"clear", "delete", "copy"}, callee.Name) && owner(n.Args[0]) == name {
					return true
				}
			}
		}
	}
	return false
}

// declares tells whether a function has a parameter or variable of a name.
func declares(fn *ast.FuncDecl, name string) bool {
	for n := range ast.Preorder(fn) {
		var names []ast.Expr
		switch n := n.(type) {
		case *ast.Field:
			for _, field := range n.Names {
				names = append(names, field)
			}
		case *ast.ValueSpec:
			for _, variable := range n.Names {
				names = append(names, variable)
			}
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				names = n.Lhs
			}
		case *ast.RangeStmt:
			if n.Tok == token.DEFINE {
				names = []ast.Expr{n.Key, n.Value}
			}
		}
		for _, x := range names {
			if id, ok := x.(*ast.Ident); ok && id.Name == name {
				return true
			}
		}
	}
	return false
}

// owner returns the variable that an expression is a part of.
func owner(x ast.Expr) string {
	for {
		switch part := x.(type) {
		case *ast.Ident:
			return part.Name
		case *ast.IndexExpr:
			x = part.X
		case *ast.SliceExpr:
			x = part.X
		case *ast.SelectorExpr:
			x = part.X
		case *ast.ParenExpr:
			x = part.X
		case *ast.StarExpr:
			x = part.X
		default:
			return ""
		}
	}
}
