package lint

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"patchbay/capabilities"
	"patchbay/internal/diag"
	"patchbay/internal/spec"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// check loads and judges a document.
func check(t testing.TB, name string, source []byte) diag.List {
	t.Helper()
	doc, found := spec.Load(name, source)
	if found.HasErrors() {
		t.Fatalf("the case is not about what the loader finds:\n%v", found)
	}
	return Check(doc).Sorted()
}

// Each case leads to the findings in its archive, and to no others: what stands
// in a case without being found is how near a rule may be passed.
func TestGolden(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases in testdata (%v)", err)
	}
	severities := map[diag.Code]diag.Severity{}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			archive := txtar.Parse(data)
			source := archive.Files[0].Data
			list := check(t, archive.Files[0].Name, source)
			for _, d := range list {
				severities[d.Code] = max(severities[d.Code], d.Severity)
				if d.Hint == "" {
					t.Errorf("%v has no hint", d)
				}
			}
			var out bytes.Buffer
			if err := diag.PrintText(&out, list, func(string) []byte { return source }, diag.TextOptions{}); err != nil {
				t.Fatal(err)
			}
			archive.Files = append(archive.Files[:1], txtar.File{Name: "diagnostics", Data: out.Bytes()})
			got := string(txtar.Format(archive))
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := cmp.Diff(strings.Split(string(data), "\n"), strings.Split(got, "\n")); d != "" {
				t.Errorf("%s differs (-want +got), run with -update to accept:\n%s", path, d)
			}
		})
	}
	for _, info := range Codes() {
		if got, occurs := severities[info.Code]; !occurs || got != info.Severity {
			t.Errorf("%s is documented as %s, and the cases lead to %s (%t)", info.Code, info.Severity, got, occurs)
		}
	}
}

// Every code is documented, in the source and in Codes, and only once.
func TestCodesAreDocumented(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "codes.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	declared := map[diag.Code]bool{}
	for n := range ast.Preorder(file) {
		v, ok := n.(*ast.ValueSpec)
		if !ok || len(v.Values) != 1 || !strings.HasPrefix(v.Names[0].Name, "Code") {
			continue
		}
		if text := v.Doc.Text(); !strings.HasPrefix(text, v.Names[0].Name+": ") {
			t.Errorf("%s: comment %q", v.Names[0].Name, text)
		}
		code, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		declared[diag.Code(code)] = true
	}
	infos := Codes()
	if !slices.IsSortedFunc(infos, func(a, b diag.CodeInfo) int { return strings.Compare(string(a.Code), string(b.Code)) }) {
		t.Error("Codes is not sorted")
	}
	for _, info := range infos {
		if !declared[info.Code] || info.Meaning == "" || info.Fix == "" {
			t.Errorf("%s is not declared, documented twice, or lacks words", info.Code)
		}
		delete(declared, info.Code)
	}
	for code := range declared {
		t.Errorf("%s is declared and not documented", code)
	}
}

// A file with a fault at every place is not a thousand findings.
func TestFindingsAreBounded(t *testing.T) {
	var source strings.Builder
	source.WriteString("naftiko: 1.0.0-alpha2\ncapability:\n  exposes:\n  - type: rest\n    namespace: r\n    resources:\n")
	for i := range 3 * maxPlaces {
		fmt.Fprintf(&source, "    - {path: /p%d/}\n", i)
	}
	list := check(t, "f", []byte(source.String()))
	last := list[0] // it names the file only
	if len(list) != maxPlaces+1 || last.Code != spec.CodeTooManyFindings || !strings.HasPrefix(last.Message, strconv.Itoa(2*maxPlaces)+" more places of path-slash") {
		t.Errorf("%d findings, and %v", len(list), last)
	}
}

// The embedded capability and its siblings are of good form.
func TestPublicFiles(t *testing.T) {
	file := capabilities.FlexInteractions()
	if list := check(t, file.Name, file.Data); len(list) > 0 {
		t.Errorf("the embedded capability: %v", list)
	}
	paths, err := filepath.Glob(filepath.Join("..", "..", "..", "shared", "corpus", "twilio", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		t.Skip("the corpus is not here")
	}
	for _, path := range paths {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range check(t, filepath.Base(path), source) {
			t.Errorf("%v: %s [%s]", d.Span, d.Message, d.Code)
		}
	}
}

// What the rules cost beside reading the document they judge.
func BenchmarkCheck(b *testing.B) {
	file := capabilities.FlexInteractions()
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			spec.Load(file.Name, file.Data)
		}
	})
	b.Run("check", func(b *testing.B) {
		doc, _ := spec.Load(file.Name, file.Data)
		for b.Loop() {
			Check(doc)
		}
	})
}
