package plan

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"patchbay/internal/route"
	"patchbay/internal/spec"
)

// corpusRoutes is the table of all files beside one another, each under its
// namespace, and a path for each route.
func corpusRoutes(t testing.TB) (*route.Table[*RESTOperation], []string) {
	t.Helper()
	files := readAll(t, shared(t, "corpus", "twilio"), ".yaml")
	tab := &route.Table[*RESTOperation]{}
	var paths []string
	fill := strings.NewReplacer("{", "", "}", "")
	for _, name := range slices.Sorted(maps.Keys(files)) {
		doc, _ := spec.Load(name, files[name])
		p, _ := Compile(doc, Options{Profiles: profiles(t)})
		for _, a := range p.REST {
			for _, op := range a.Operations {
				pattern := "/" + a.Namespace + op.Path
				if clash := tab.Add(pattern, op.Method, op); clash != nil {
					t.Fatalf("%s clashes with %s", pattern, clash.With)
				}
				paths = append(paths, fill.Replace(pattern))
			}
		}
	}
	return tab, paths
}

// The 921 routes of the corpus are found without allocating.
func TestCorpusRoutes(t *testing.T) {
	tab, paths := corpusRoutes(t)
	if len(paths) != 921 {
		t.Errorf("%d routes, want 921", len(paths))
	}
	var room [route.MaxParams]string
	if n := testing.AllocsPerRun(10, func() {
		for _, path := range paths {
			if r, _ := tab.Match(path, room[:0]); r == nil {
				t.Fatalf("%s has no route", path)
			}
		}
	}); n != 0 {
		t.Errorf("matching all routes allocates %v times", n)
	}
}

func BenchmarkCorpusRoutes(b *testing.B) {
	tab, paths := corpusRoutes(b)
	var room [route.MaxParams]string
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		tab.Match(paths[i%len(paths)], room[:0])
		i++
	}
}
