package corpustest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// A capability is a file of the catalogue, as far as a caller and the wire see it.
type capability struct {
	file       string
	Capability struct {
		Consumes []api
		Exposes  []adapter
	}
}

type api struct {
	Namespace      string
	BaseURI        string `yaml:"baseUri"`
	Authentication struct{ Type, Username, Password, Token string }
	Resources      []struct {
		Path       string
		Operations []consumed
	}
}

// consumed is an operation that a file consumes.
type consumed struct {
	Name, Method string
	Inputs       []declared `yaml:"inputParameters"`

	// path and contract are filled by this package: the template below the
	// base address, and what the documents say.
	path     string
	contract *contract
}

type declared struct {
	Name, In, Type string
	Required       bool
}

type adapter struct {
	Type, Namespace string
	Resources       []struct {
		Path       string
		Operations []exposed
	}
	Tools []exposed
}

// exposed is an operation of a REST adapter, or a tool.
type exposed struct {
	Name, Method, Call string
	With               map[string]string
}

// A target is an exposed operation with everything that calling it takes.
type target struct {
	file string
	exposed
	// adapter is the namespace that serves it; route is its path, for REST.
	adapter, route string
	api            *api
	op             *consumed
}

// readCatalogue reads all files of a folder and joins their operations.
func readCatalogue(t testing.TB, folder string, contracts index) []*capability {
	t.Helper()
	var all []*capability
	for _, name := range listFiles(t, folder, ".yaml") {
		all = append(all, readCapability(t, filepath.Join(folder, name), contracts))
	}
	return all
}

func readCapability(t testing.TB, path string, contracts index) *capability {
	t.Helper()
	c := &capability{file: filepath.Base(path)}
	if err := yaml.Load(readFile(t, path), c); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	for i := range c.Capability.Consumes {
		a := &c.Capability.Consumes[i]
		for _, r := range a.Resources {
			for j := range r.Operations {
				op := &r.Operations[j]
				op.path = r.Path
				op.contract = contracts[identity{op.Method, strings.TrimRight(a.BaseURI, "/") + erased(r.Path)}]
				switch {
				case op.contract == nil:
					t.Fatalf("%s: no document describes %s %s", c.file, op.Method, r.Path)
				case op.contract.unread != "":
					t.Fatalf("%s: %s: %s", op.contract.doc.name, op.contract.path, op.contract.unread)
				}
			}
		}
	}
	return c
}

// targets lists the operations of REST, or the tools, of a file.
func (c *capability) targets(t testing.TB, kind string) []target {
	t.Helper()
	var out []target
	add := func(a *adapter, route string, e exposed) {
		api, op := c.called(t, e.Call)
		out = append(out, target{file: c.file, exposed: e, adapter: a.Namespace, route: route, api: api, op: op})
	}
	for i := range c.Capability.Exposes {
		a := &c.Capability.Exposes[i]
		if a.Type != kind {
			continue
		}
		for _, r := range a.Resources {
			for _, e := range r.Operations {
				add(a, r.Path, e)
			}
		}
		for _, e := range a.Tools {
			add(a, "", e)
		}
	}
	return out
}

// called finds the operation of NAMESPACE.OPERATION; no file of the catalogue
// has two of one name.
func (c *capability) called(t testing.TB, call string) (*api, *consumed) {
	t.Helper()
	var found []*consumed
	var of *api
	for i := range c.Capability.Consumes {
		a := &c.Capability.Consumes[i]
		for _, r := range a.Resources {
			for j := range r.Operations {
				if a.Namespace+"."+r.Operations[j].Name == call {
					of, found = a, append(found, &r.Operations[j])
				}
			}
		}
	}
	if len(found) != 1 {
		t.Fatalf("%s: %d operations are called %s", c.file, len(found), call)
	}
	return of, found[0]
}

// input is the name under which a caller gives a parameter: what with refers to,
// else the parameter's own name.
func (x *target) input(param string) string {
	for name, reference := range x.With {
		if same(name, param) {
			_, input, _ := strings.Cut(reference, ".")
			return input
		}
	}
	return param
}

// same reports whether two names mean the same: ignoring case, hyphens and
// underscores.
func same(a, b string) bool {
	fold := func(s string) string {
		return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(s))
	}
	return fold(a) == fold(b)
}

// shared returns a folder of the material beside the repository, or skips.
func shared(t testing.TB, parts ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{"..", "..", "..", "shared"}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not here", filepath.Join(parts...))
	}
	return path
}

// listFiles returns the names in a folder that have one of the endings, sorted.
func listFiles(t testing.TB, folder string, endings ...string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		if slices.Contains(endings, filepath.Ext(e.Name())) {
			out = append(out, e.Name())
		}
	}
	return out
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
