package page

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"patchbay/internal/contract"
	"patchbay/internal/fault"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/openapi"
	"patchbay/internal/plan"
	"patchbay/internal/problem"
	"patchbay/internal/route"
	"patchbay/internal/schema"
)

// TestOpenAPIEmbedded pins the description of the embedded capability. Read the
// difference before -update: it is what generated clients are made of.
func TestOpenAPIEmbedded(t *testing.T) {
	t.Parallel()
	p, _ := embedded(t)
	got, err := OpenAPI([]Described{{Plan: p, Adapter: p.REST[0], Keys: true}}, "http://127.0.0.1:8080/", "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "flex-interactions.openapi.json")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("description changed (-want +got):\n%s", diff)
	}
	again, err := OpenAPI([]Described{{Plan: p, Adapter: p.REST[0], Keys: true}}, "http://127.0.0.1:8080/", "1.2.3")
	if err != nil || !bytes.Equal(got, again) {
		t.Errorf("two descriptions of one adapter differ (%v)", err)
	}
}

// TestOpenAPI describes small capabilities. An archive holds capability.yaml,
// contract.yaml where there is one, and want: lines of a JSON pointer and the
// value there, "-" for none.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	archives, err := filepath.Glob(filepath.Join("testdata", "openapi", "*.txtar"))
	if err != nil || len(archives) == 0 {
		t.Fatal("no archives", err)
	}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var source, want []byte
			var contracts []*openapi.Document
			for _, f := range archive.Files {
				switch f.Name {
				case "capability.yaml":
					source = f.Data
				case "contract.yaml":
					contracts = append(contracts, parseContract(t, f.Name, f.Data))
				case "want":
					want = f.Data
				}
			}
			p := compile(t, "capability.yaml", source, contract.NewSet(contracts...))
			data, err := OpenAPI([]Described{{Plan: p, Adapter: p.REST[0], Keys: true}}, "http://127.0.0.1:8080", "1.2.3")
			if err != nil {
				t.Fatal(err)
			}
			root := judge(t, p.REST[0], data)
			lines := 0
			for line := range strings.Lines(string(want)) {
				pointer, value, ok := strings.Cut(strings.TrimSpace(line), " ")
				if !ok {
					continue
				}
				lines++
				got := "-"
				if v := at(root, pointer); v != nil {
					got = string(v.Append(nil))
				}
				if got != strings.TrimSpace(value) {
					t.Errorf("%s\n got %s\nwant %s", pointer, got, value)
				}
			}
			if lines == 0 {
				t.Error("the archive wants nothing")
			}
		})
	}
}

// TestOpenAPICorpus describes capabilities as they are found in public, alone
// and with the contracts that their generator used.
func TestOpenAPICorpus(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(shared(t, "corpus/twilio"), "*.yaml"))
	if err != nil || len(files) < 100 {
		t.Fatalf("%d files (%v)", len(files), err)
	}
	var contracts []*openapi.Document
	names, _ := filepath.Glob(filepath.Join(shared(t, "contracts/api-evangelist"), "*.yml"))
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		contracts = append(contracts, parseContract(t, filepath.Base(name), data))
	}
	described := contract.NewSet(contracts...)
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, with := range []*contract.Set{nil, described} {
				p := compile(t, filepath.Base(name), source, with)
				data, err := OpenAPI([]Described{{Plan: p, Adapter: p.REST[0], Keys: true}}, "http://127.0.0.1:8080", "1.2.3")
				if err != nil {
					t.Fatal(err)
				}
				judge(t, p.REST[0], data)
				if _, err := Build(Info{Bound: &plan.Bound{Plan: p}, Adapter: p.REST[0], BaseURL: "http://127.0.0.1:8080", File: source}); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// judge checks what holds for every description: it is one JSON value, it has
// each route exactly once, names are unique, what is used is declared and what
// is declared is used.
func judge(t *testing.T, a *plan.RESTAdapter, data []byte) *jsonvalue.Value {
	t.Helper()
	root, err := jsonvalue.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	tags, ids, routes := map[string]bool{}, map[string]bool{}, 0
	var table route.Table[*plan.RESTOperation]
	for _, op := range a.Operations {
		table.Add(op.Path, op.Method, op)
	}
	for _, tag := range root.Get("tags").Elems() {
		tags[tag.Value.Get("name").Text()] = false
	}
	for _, item := range root.Get("paths").Elems() {
		for _, m := range item.Value.Elems() {
			routes++
			where := m.Name + " " + item.Name
			found, _ := table.Match(strings.NewReplacer("{", "", "}", "").Replace(item.Name), nil)
			if found == nil {
				t.Errorf("%s is described and not routed", where)
			} else if _, ok := found.Method(strings.ToUpper(m.Name)); !ok {
				t.Errorf("%s is described and not answered", where)
			}
			id := m.Value.Get("operationId").Text()
			if id == "" || ids[id] {
				t.Errorf("%s: operationId %q is empty or taken", where, id)
			}
			ids[id] = true
			for _, tag := range m.Value.Get("tags").Elems() {
				if _, declared := tags[tag.Value.Text()]; !declared {
					t.Errorf("%s: tag %q is not declared", where, tag.Value.Text())
				}
				tags[tag.Value.Text()] = true
			}
			for _, text := range []string{"summary", "description"} {
				if v := m.Value.Get(text); v == nil || v.Text() == "" {
					t.Errorf("%s has no %s", where, text)
				}
			}
			judgeParameters(t, &root, where, item.Name, &m.Value)
		}
	}
	if routes != len(a.Operations) {
		t.Errorf("%d operations are described, %d are routed", routes, len(a.Operations))
	}
	for name, used := range tags {
		if !used {
			t.Errorf("tag %q is declared and not used", name)
		}
	}
	judgeReferences(t, &root)
	return &root
}

func judgeParameters(t *testing.T, root *jsonvalue.Value, where, path string, op *jsonvalue.Value) {
	t.Helper()
	inPath, seen := map[string]bool{}, map[string]bool{}
	if list := op.Get("parameters"); list != nil {
		for _, e := range list.Elems() {
			parameter := &e.Value
			if ref := parameter.Get("$ref"); ref != nil {
				if parameter = at(root, strings.TrimPrefix(ref.Text(), "#")); parameter == nil {
					continue // what looks at references says so
				}
			}
			in, name := parameter.Get("in").Text(), parameter.Get("name").Text()
			if seen[in+" "+name] {
				t.Errorf("%s: %s parameter %q occurs twice", where, in, name)
			}
			seen[in+" "+name] = true
			inPath[name] = inPath[name] || in == "path"
			if parameter.Get("schema") == nil {
				t.Errorf("%s: parameter %q has no schema", where, name)
			}
		}
	}
	count := 0
	for _, part := range strings.Split(path, "{")[1:] {
		name, _, _ := strings.Cut(part, "}")
		count++
		if !inPath[name] {
			t.Errorf("%s: placeholder %q is not declared", where, name)
		}
	}
	declared := 0
	for key := range seen {
		if strings.HasPrefix(key, "path ") {
			declared++
		}
	}
	if count != declared {
		t.Errorf("%s: %d placeholders, %d path parameters", where, count, declared)
	}
}

// judgeReferences checks that references lead somewhere, and that every shared
// part is referred to.
func judgeReferences(t *testing.T, root *jsonvalue.Value) {
	t.Helper()
	used := map[string]bool{}
	var walk func(v *jsonvalue.Value)
	walk = func(v *jsonvalue.Value) {
		for _, m := range v.Elems() {
			if m.Name == "$ref" && m.Value.Kind() == jsonvalue.String {
				used[m.Value.Text()] = true
				if at(root, strings.TrimPrefix(m.Value.Text(), "#")) == nil {
					t.Errorf("%s leads nowhere", m.Value.Text())
				}
			}
			walk(&m.Value)
		}
	}
	walk(root)
	for _, section := range root.Get("components").Elems() {
		for _, part := range section.Value.Elems() {
			ref := "#/components/" + section.Name + "/" + part.Name
			if section.Name != "securitySchemes" && !used[ref] {
				t.Errorf("%s is not used", ref)
			}
		}
	}
}

// at follows a JSON pointer (RFC 6901), or returns nil.
func at(v *jsonvalue.Value, pointer string) *jsonvalue.Value {
	for _, part := range strings.Split(pointer, "/")[1:] {
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		if v.Kind() == jsonvalue.Array {
			i := 0
			for _, c := range part {
				i = i*10 + int(c-'0')
			}
			v = v.Index(i)
		} else {
			v = v.Get(part)
		}
		if v == nil {
			return nil
		}
	}
	return v
}

// TestProblemSchema holds what is published about problems against what is
// written: every member of a problem is described, and every example is one.
func TestProblemSchema(t *testing.T) {
	t.Parallel()
	published := problemSchema()
	// Closed, so that a member nobody described is found.
	closed := jsonvalue.ObjectOf(append(append([]jsonvalue.Member(nil), published.Elems()...),
		jsonvalue.Member{Name: "additionalProperties", Value: jsonvalue.BoolOf(false)}))
	compiled, problems := schema.Compile(&closed, schema.Options{AssertFormat: true})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, k := range everyKind() {
		f := fault.New(k, "something happened")
		f.Hint, f.Step, f.Outcome = "do something", "second", fault.Unknown
		f.Fields = []fault.Field{{Pointer: "/a", Parameter: "b", Detail: "is wrong", Hint: "make it right"}}
		w := httptest.NewRecorder()
		problem.Write(w, f, "r1")
		if got := w.Header().Get("Content-Type"); got != mediaProblem {
			t.Errorf("problems are %s, described as %s", got, mediaProblem)
		}
		for _, text := range []string{w.Body.String(), exampleText(k)} {
			v, err := jsonvalue.ParseString(text)
			if err != nil {
				t.Fatal(err)
			}
			report := &schema.Report{}
			if !compiled.Check(&v, "", report) {
				t.Errorf("%s: %s\n%v", k, text, report.Violations)
			}
		}
	}
}

func exampleText(k fault.Kind) string {
	v := exampleProblem(k)
	return string(v.Append(nil))
}

// TestEveryKind notices a kind of fault that nobody explains.
func TestEveryKind(t *testing.T) {
	t.Parallel()
	explained := map[fault.Kind]bool{}
	for _, k := range everyKind() {
		explained[k] = true
		if e := explain(k); e.what == "" || e.do == "" || e.example == "" || len(e.outcomes) == 0 {
			t.Errorf("%s is not explained: %+v", k, e)
		}
	}
	for k := fault.Kind(0); k == fault.Internal || k.String() != fault.Internal.String(); k++ {
		if !explained[k] {
			t.Errorf("%s is not on the page", k)
		}
		if http.StatusText(problem.Status(k)) == "" && k != fault.Canceled {
			t.Errorf("%s has status %d", k, problem.Status(k))
		}
	}
}

// FuzzPathItem makes templates out of whatever stands in a route: names are
// unique and plain, braces are those of the names, and nothing needs an escape.
func FuzzPathItem(f *testing.F) {
	for _, seed := range []string{"/a/{b}", "/{{a b}}/{a-b}.json", "/%2F/{", "/}{a}{b}//", "/ü?#", "/{a/b}/{}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		_, item := newPathItem(path)
		rest := item.template
		seen := map[string]bool{}
		for _, name := range item.names {
			if name == "" || name != placeholder(name) || seen[name] {
				t.Errorf("%q: name %q of %q", path, name, item.names)
			}
			seen[name] = true
			rest = strings.Replace(rest, "{"+name+"}", "", 1)
		}
		if strings.ContainsAny(rest, "{}?# \"<>\\^`|") || !strings.HasPrefix(rest, "/") {
			t.Errorf("%q became %q", path, item.template)
		}
	})
}
