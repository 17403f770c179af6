package route

import (
	"fmt"
	"strings"
	"testing"
)

// shapes are ways in which a table gets many routes; each gives the n-th
// pattern and a path that it matches.
var shapes = []struct {
	name string
	at   func(n int) (pattern, path string)
}{
	// One API after the other, as files bring them.
	{"apis", func(n int) (string, string) {
		return fmt.Sprintf("/v1/r%d/{id}/things/{thing}", n), fmt.Sprintf("/v1/r%d/KD1/things/UO2", n)
	}},
	// Files that are mounted, with the same paths in all of them.
	{"mounts", func(n int) (string, string) {
		return fmt.Sprintf("/api-%d/v1/things/{id}.json", n), fmt.Sprintf("/api-%d/v1/things/KD1.json", n)
	}},
	// The keys of OData: all segments of a node have a placeholder.
	{"keys", func(n int) (string, string) {
		return fmt.Sprintf("/odata/Things%d({id})/name", n), fmt.Sprintf("/odata/Things%d(7)/name", n)
	}},
	{"endings", func(n int) (string, string) {
		return fmt.Sprintf("/things/{id}/t%d-{a}.{b}", n), fmt.Sprintf("/things/KD1/t%d-x.y", n)
	}},
}

func many(at func(int) (string, string), n int) *Table[int] {
	tab := &Table[int]{}
	for i := range n {
		pattern, _ := at(i)
		tab.Add(pattern, "GET", i)
	}
	return tab
}

// Of sixty thousand routes a match looks at the few that a path can mean, and
// allocates nothing.
func TestManyRoutes(t *testing.T) {
	const routes = 60_000
	for _, shape := range shapes {
		t.Run(shape.name, func(t *testing.T) {
			t.Parallel()
			tab := many(shape.at, routes)
			if tab.Len() != routes {
				t.Fatalf("the table has %d paths", tab.Len())
			}
			for _, n := range []int{0, 1, 9, 10, 777, routes - 1} {
				pattern, path := shape.at(n)
				r, _ := tab.Match(path, nil)
				if r == nil || r.Pattern != pattern {
					t.Errorf("%s matches %+v, want %s", path, r, pattern)
				}
			}
			_, path := shape.at(1111)
			if n := tab.root.tried(path[1:]); n > 1 {
				t.Errorf("%d segments with literals are compared for %s, at most one is meant", n, path)
			}
		})
	}
}

// tried counts the edges that matching looks at, on the way of the first that
// fits.
func (n *node[T]) tried(rest string) int {
	if n == nil {
		return 0
	}
	segment, tail, more := strings.Cut(rest, "/")
	if next := n.staticChild(segment, false); next != nil {
		return next.tried(tail)
	}
	count, found := 0, [][]edge[T](nil)
	if n.mixed != nil {
		found = n.mixed.find(segment, nil)
	}
	for e := next(found); e != nil; e = next(found) {
		count++
		if _, ok := e.match(segment, nil); ok {
			return count + e.next.tried(tail)
		}
	}
	if !more {
		return count
	}
	return count + n.any.tried(tail)
}

func TestManyRoutesDoNotAllocate(t *testing.T) {
	for _, shape := range shapes {
		tab := many(shape.at, 2000)
		_, path := shape.at(1111)
		var room [MaxParams]string
		if n := testing.AllocsPerRun(100, func() { tab.Match(path, room[:0]) }); n != 0 {
			t.Errorf("%s: Match allocates %v times", shape.name, n)
		}
	}
}

// What nearly matches is looked for among few, so that a path that is nothing
// costs no more where there are many.
func TestSuggestAmongMany(t *testing.T) {
	tab := &Table[int]{}
	for i := range 1000 {
		tab.Add(fmt.Sprintf("/ships-%d/{imo}", i), "GET", i)
	}
	for path, want := range map[string]string{"/Ships-7/a": "/ships-7/{imo}", "/ships-7/a/": "/ships-7/{imo}", "/boats-7/a": ""} {
		if got := tab.Suggest(path); got != want {
			t.Errorf("%s: %q is suggested, want %q", path, got, want)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	for _, shape := range shapes {
		for _, n := range []int{5, 921, 60_000} {
			b.Run(fmt.Sprintf("%s/%d", shape.name, n), func(b *testing.B) {
				tab := many(shape.at, n)
				_, path := shape.at(n / 2)
				var room [MaxParams]string
				b.ReportAllocs()
				for b.Loop() {
					tab.Match(path, room[:0])
				}
			})
		}
	}
}
