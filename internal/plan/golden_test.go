package plan

import (
	"bytes"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"patchbay/capabilities"
	"patchbay/internal/bind"
	"patchbay/internal/contract"
	"patchbay/internal/diag"
	"patchbay/internal/openapi"
	"patchbay/internal/profile"
	"patchbay/internal/spec"
	"patchbay/internal/upstream"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// goldenCase is one archive of testdata. Its comment says what it shows. It
// holds capability.yaml, any number of *.openapi.yaml in order of precedence,
// env when binding is part of the case, and what comes out: plan, diagnostics.
type goldenCase struct {
	path    string
	archive *txtar.Archive
}

func goldenCases(t testing.TB) []goldenCase {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases in testdata (%v)", err)
	}
	var cases []goldenCase
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		cases = append(cases, goldenCase{path, txtar.Parse(data)})
	}
	return cases
}

func (c *goldenCase) file(name string) ([]byte, bool) {
	for _, f := range c.archive.Files {
		if f.Name == name {
			return f.Data, true
		}
	}
	return nil, false
}

// set replaces a file of the archive; an empty one is left out.
func (c *goldenCase) set(name, text string) {
	kept := c.archive.Files[:0:0]
	for _, f := range c.archive.Files {
		if f.Name != name {
			kept = append(kept, f)
		}
	}
	if text != "" {
		kept = append(kept, txtar.File{Name: name, Data: []byte(text)})
	}
	c.archive.Files = kept
}

// compile compiles the case's capability, and binds it where the case has an env.
func (c *goldenCase) compile(t testing.TB) (*Plan, diag.List) {
	t.Helper()
	source, ok := c.file("capability.yaml")
	if !ok {
		t.Fatal("the case has no capability.yaml")
	}
	var contracts []*openapi.Document
	var about diag.List
	for _, f := range c.archive.Files {
		if strings.HasSuffix(f.Name, ".openapi.yaml") {
			d, err := openapi.Parse(f.Name, f.Data)
			if err != nil {
				t.Fatal(err)
			}
			contracts = append(contracts, d)
			about = append(about, ContractFindings(d)...)
		}
	}
	doc, found := spec.Load("capability.yaml", source)
	if found.HasErrors() {
		t.Fatalf("the case is not about what the loader finds:\n%v", found)
	}
	p, diags := Compile(doc, Options{Contracts: contract.NewSet(contracts...), Profiles: profiles(t)})
	diags = append(diags, about...)
	if env, ok := c.file("env"); ok {
		diags = append(diags, bindFindings(t, p, env)...)
	}
	return p, diags.Sorted()
}

func profiles(t testing.TB) *profile.Set {
	t.Helper()
	set, err := profile.Load(capabilities.Profiles().Data)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func bindFindings(t testing.TB, p *Plan, env []byte) diag.List {
	t.Helper()
	values, err := bind.ParseEnvFile(env)
	if err != nil {
		t.Fatal(err)
	}
	environment, err := bind.New(bind.Options{Process: func(name string) (string, bool) {
		v, ok := values[name]
		return v, ok
	}})
	if err != nil {
		t.Fatal(err)
	}
	bound, diags := Bind(p, BindOptions{Environment: environment, Upstream: upstream.Defaults()})
	bound.Close()
	return diags
}

func printed(t testing.TB, source []byte, list diag.List) string {
	t.Helper()
	var out bytes.Buffer
	if err := diag.PrintText(&out, list, func(string) []byte { return source }, diag.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// Each case compiles to the plan and the findings in its archive.
func TestGolden(t *testing.T) {
	for _, c := range goldenCases(t) {
		t.Run(strings.TrimSuffix(filepath.Base(c.path), ".txtar"), func(t *testing.T) {
			p, diags := c.compile(t)
			source, _ := c.file("capability.yaml")
			want := string(txtar.Format(c.archive))
			c.set("plan", render(p))
			c.set("diagnostics", printed(t, source, diags))
			got := string(txtar.Format(c.archive))
			if *update {
				if err := os.WriteFile(c.path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); d != "" {
				t.Errorf("%s differs (-want +got), run with -update to accept:\n%s", c.path, d)
			}
		})
	}
}

// The embedded capability, with its contract, compiles to the plan that is
// reviewed as a file.
func TestEmbeddedCapability(t *testing.T) {
	const path = "testdata/flex-interactions.plan"
	file := capabilities.FlexInteractions()
	doc, found := spec.Load(file.Name, file.Data)
	p, diags := Compile(doc, Options{Contracts: contract.NewSet(embedded(t)...), Profiles: profiles(t)})
	got := render(p) + printed(t, file.Data, append(found, diags...).Sorted())
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run with -update)", err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); d != "" {
		t.Errorf("%s differs (-want +got), run with -update to accept:\n%s", path, d)
	}
}

// Every code of the compiler is found by at least one case.
func TestCodesOccur(t *testing.T) {
	missing := declaredCodes(t)
	for _, c := range goldenCases(t) {
		_, diags := c.compile(t)
		for _, d := range diags {
			delete(missing, d.Code)
		}
	}
	for code, name := range missing {
		t.Errorf("no case in testdata leads to %s (%s)", code, name)
	}
}

// declaredCodes reads the codes, with their Go names, out of codes.go.
func declaredCodes(t testing.TB) map[diag.Code]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "codes.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	codes := map[diag.Code]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || len(v.Values) != 1 || !strings.HasPrefix(v.Names[0].Name, "Code") {
			return true
		}
		if text := v.Doc.Text(); !strings.HasPrefix(text, v.Names[0].Name+": ") {
			t.Errorf("%s: comment %q", v.Names[0].Name, text)
		}
		text, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		codes[diag.Code(text)] = v.Names[0].Name
		return true
	})
	if len(codes) == 0 {
		t.Fatal("no codes found")
	}
	return codes
}
