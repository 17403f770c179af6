package spec

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"patchbay/internal/diag"
)

// Every code is documented, in the source and in Codes, and only once.
func TestCodesAreDocumented(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "codes.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	declared := map[diag.Code]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || len(v.Values) != 1 || !strings.HasPrefix(v.Names[0].Name, "Code") {
			return true
		}
		if text := v.Doc.Text(); !strings.HasPrefix(text, v.Names[0].Name+": ") {
			t.Errorf("%s: comment %q", v.Names[0].Name, text)
		}
		code, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		declared[diag.Code(code)] = true
		return true
	})
	infos := Codes()
	if !slices.IsSortedFunc(infos, func(a, b diag.CodeInfo) int { return strings.Compare(string(a.Code), string(b.Code)) }) {
		t.Error("Codes is not sorted")
	}
	for _, info := range infos {
		if !declared[info.Code] {
			t.Errorf("%s is documented and not declared, or twice", info.Code)
		}
		delete(declared, info.Code)
		if info.Meaning == "" || info.Fix == "" {
			t.Errorf("%s lacks words", info.Code)
		}
	}
	for code := range declared {
		t.Errorf("%s is declared and not documented", code)
	}
}

// Every code has a test file that leads to it, always with its severity.
func TestCodesOccur(t *testing.T) {
	severity := map[diag.Code]diag.Severity{}
	seen := map[diag.Code]bool{CodeTooManyFindings: true} // see TestFindingsAreBounded
	for _, info := range Codes() {
		severity[info.Code] = info.Severity
	}
	for _, pattern := range []string{"testdata/ok/*.yaml", "testdata/err/*.yaml"} {
		for _, path := range glob(t, pattern) {
			_, list := Load(filepath.Base(path), read(t, path))
			for _, d := range list {
				seen[d.Code] = true
				if want, known := severity[d.Code]; !known || d.Severity != want {
					t.Errorf("%v: %s %s, documented as %s (%t)", d.Span, d.Severity, d.Code, want, known)
				}
			}
		}
	}
	for code := range severity {
		if !seen[code] {
			t.Errorf("no file in testdata leads to %s", code)
		}
	}
}
