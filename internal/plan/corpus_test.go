package plan

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"patchbay/capabilities"
	"patchbay/internal/contract"
	"patchbay/internal/diag"
	"patchbay/internal/openapi"
	"patchbay/internal/spec"
	"patchbay/internal/wire"
)

// shared returns a folder of the material beside the repository, or skips.
func shared(t testing.TB, parts ...string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the package")
		}
		dir = filepath.Dir(dir)
	}
	path := filepath.Join(append([]string{dir, "..", "shared"}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not here", filepath.Join(parts...))
	}
	return path
}

// readAll returns the files of a folder by name.
func readAll(t testing.TB, dir string, endings ...string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, e := range entries {
		if !slices.Contains(endings, filepath.Ext(e.Name())) {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = data
	}
	return files
}

func parseAll(t testing.TB, dir string, endings ...string) []*openapi.Document {
	t.Helper()
	files := readAll(t, dir, endings...)
	var docs []*openapi.Document
	for _, name := range slices.Sorted(maps.Keys(files)) {
		d, err := openapi.Parse(name, files[name])
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, d)
	}
	return docs
}

func embedded(t testing.TB) []*openapi.Document {
	t.Helper()
	var docs []*openapi.Document
	for _, c := range capabilities.Contracts() {
		d, err := openapi.Parse(c.Name, c.Data)
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, d)
	}
	return docs
}

// figures are what the tests count over the corpus.
type figures struct {
	Files, REST, Tools, Disabled int
	// Joined counts tools whose operation a contract describes.
	Joined int
	// Form and JSON count tools by the encoding of the body that the file
	// declares; Contributed those whose body only the contract knows.
	Form, JSON, Contributed int
	// Lost counts inputs that no route carries.
	Lost int
}

// The siblings of the embedded capability compile without errors, whatever is
// known about their provider, and every operation and tool in them runs. How
// many bodies are forms was counted against Twilio's documents; the profile
// gives the same answer without them.
func TestCorpus(t *testing.T) {
	files := readAll(t, shared(t, "corpus", "twilio"), ".yaml")
	want := figures{Files: 117, REST: 921, Tools: 921, Form: 296, JSON: 12, Lost: 20}
	for _, c := range []struct {
		name      string
		contracts func() []*openapi.Document
		joined    int
	}{
		{"profile alone", func() []*openapi.Document { return nil }, 0},
		{"embedded contract", func() []*openapi.Document { return embedded(t) }, 5},
		{"the provider's documents", func() []*openapi.Document {
			return parseAll(t, shared(t, "contracts", "twilio-oai"), ".json")
		}, 733},
		{"the provider's documents, then others", func() []*openapi.Document {
			docs := parseAll(t, shared(t, "contracts", "twilio-oai"), ".json")
			return append(docs, parseAll(t, shared(t, "contracts", "api-evangelist"), ".yml")...)
		}, 921},
	} {
		t.Run(c.name, func(t *testing.T) {
			want.Joined = c.joined
			if d := cmp.Diff(want, compileCorpus(t, files, c.contracts())); d != "" {
				t.Errorf("figures (-want +got):\n%s", d)
			}
		})
	}
}

func compileCorpus(t *testing.T, files map[string][]byte, contracts []*openapi.Document) figures {
	t.Helper()
	start := time.Now()
	opts := Options{Contracts: contract.NewSet(contracts...), Profiles: profiles(t)}
	got := figures{Files: len(files)}
	var all diag.List
	for _, name := range slices.Sorted(maps.Keys(files)) {
		doc, found := spec.Load(name, files[name])
		p, diags := Compile(doc, opts)
		diags = append(found, diags...)
		all = append(all, diags...)
		if diags.HasErrors() {
			t.Errorf("%s:\n%s", name, printed(t, files[name], diags.Sorted()))
		}
		got.Disabled += len(p.Disabled)
		for _, a := range p.REST {
			for _, op := range a.Operations {
				got.REST++
				checkFilled(t, name, op.Operation)
				for i := range op.Inputs {
					if op.Inputs[i].Lost {
						got.Lost++
					}
				}
			}
		}
		for _, a := range p.MCP {
			for _, tool := range a.Tools {
				checkFilled(t, name, tool.Operation)
				got.count(tool.Operation)
			}
		}
	}
	t.Logf("loaded and compiled in %v", time.Since(start).Round(time.Millisecond))
	for _, c := range diag.ByCode(all) {
		t.Logf("%-8s %-24s %d", c.Severity, c.Code, c.Count)
	}
	return got
}

func (f *figures) count(op *Operation) {
	f.Tools++
	to, media := op.calls[0].to, op.calls[0].media()
	if to.contract != nil {
		f.Joined++
	}
	declares := slices.ContainsFunc(to.params, func(p param) bool { return p.in == inBody && p.told != nil })
	switch {
	case media != "" && !declares:
		f.Contributed++
	case media == wire.MediaForm:
		f.Form++
	case media == wire.MediaJSON:
		f.JSON++
	}
}

// checkFilled reports placeholders of the upstream path that no input fills.
func checkFilled(t *testing.T, file string, op *Operation) {
	t.Helper()
	for i := range op.calls {
		c := &op.calls[i]
		for _, at := range c.to.target.Slots() {
			if at < 0 || c.sources[at].kind != fromInput {
				t.Errorf("%s: %s: a placeholder of %s has no input", file, op.Name, c.to.path)
				continue
			}
			if in := &op.Inputs[c.sources[at].input]; !in.Required {
				t.Errorf("%s: %s: the input %s of a path is not required", file, op.Name, in.Name)
			}
		}
	}
}
