package route

import (
	"cmp"
	"slices"
	"strings"
)

// mixed are the segments of a node that have literals around and between their
// placeholders. An API may have thousands of them at one node, as in
// /Orders({id}) and /Customers({id}), so they are found by what they begin with.
type mixed[T any] struct {
	// edges are by their first literal; more literal text is more specific and
	// comes first.
	edges map[string][]edge[T]
	// lengths are the different lengths of first literals.
	lengths []int
	count   int
}

// edge is a segment: its literals, of which there is one more than there are
// placeholders.
type edge[T any] struct {
	literals []string
	// weight is the length of all literals, order counts the edges of the node.
	weight, order int
	next          *node[T]
}

func (m *mixed[T]) add(literals []string) *node[T] {
	first := literals[0]
	edges := m.edges[first]
	for i := range edges {
		if slices.Equal(edges[i].literals, literals) {
			return edges[i].next
		}
	}
	e := edge[T]{literals: literals, order: m.count, next: &node[T]{}}
	for _, l := range literals {
		e.weight += len(l)
	}
	m.count++
	at, _ := slices.BinarySearchFunc(edges, &e, func(a edge[T], b *edge[T]) int { return a.compare(b) })
	m.edges[first] = slices.Insert(edges, at, e)
	if !slices.Contains(m.lengths, len(first)) {
		m.lengths = append(m.lengths, len(first))
	}
	return e.next
}

// compare orders edges as they are tried.
func (e *edge[T]) compare(other *edge[T]) int {
	return cmp.Or(cmp.Compare(other.weight, e.weight), cmp.Compare(e.order, other.order))
}

// find appends the lists of edges whose first literal the segment begins with.
func (m *mixed[T]) find(segment string, lists [][]edge[T]) [][]edge[T] {
	for _, n := range m.lengths {
		if n > len(segment) {
			continue
		}
		if edges := m.edges[segment[:n]]; edges != nil {
			lists = append(lists, edges)
		}
	}
	return lists
}

// next takes the edge that is to be tried next off the lists; nil is the end.
func next[T any](lists [][]edge[T]) *edge[T] {
	first := -1
	for i := range lists {
		if len(lists[i]) > 0 && (first < 0 || lists[i][0].compare(&lists[first][0]) < 0) {
			first = i
		}
	}
	if first < 0 {
		return nil
	}
	e := &lists[first][0]
	lists[first] = lists[first][1:]
	return e
}

// match takes the values out of a segment. Between two literals a placeholder
// takes as little as it can, the last one what is left; none may be empty.
func (e *edge[T]) match(segment string, params []string) ([]string, bool) {
	rest, ok := strings.CutPrefix(segment, e.literals[0])
	if !ok {
		return params, false
	}
	for i := 1; i < len(e.literals); i++ {
		literal := e.literals[i]
		var value string
		switch {
		case i == len(e.literals)-1:
			value, ok = strings.CutSuffix(rest, literal)
			rest = ""
		default:
			value, rest, ok = strings.Cut(rest, literal)
		}
		if !ok || value == "" {
			return params, false
		}
		params = append(params, value)
	}
	return params, true
}
