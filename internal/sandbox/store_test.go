package sandbox

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStoreBounds(t *testing.T) {
	type item struct {
		key    string
		weight int
	}
	for _, tt := range []struct {
		name                string
		capacity, maxWeight int
		add                 []item
		kept                []string // newest first
		weight              int
	}{
		{"all fit", 3, 100, []item{{"a", 1}, {"b", 2}}, []string{"b", "a"}, 3},
		{"by number", 2, 100, []item{{"a", 1}, {"b", 2}, {"c", 3}}, []string{"c", "b"}, 5},
		{"by weight", 9, 10, []item{{"a", 6}, {"b", 4}, {"c", 1}}, []string{"c", "b"}, 5},
		{"a heavy one evicts several", 9, 10, []item{{"a", 3}, {"b", 3}, {"c", 3}, {"d", 9}}, []string{"d"}, 9},
		{"the newest stays, however heavy", 9, 10, []item{{"a", 1}, {"b", 99}}, []string{"b"}, 99},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStore[string](tt.capacity, tt.maxWeight)
			s.pin("seed", "seed")
			for _, i := range tt.add {
				s.add(i.key, i.key, i.weight)
			}
			if diff := cmp.Diff(tt.kept, slices.Collect(s.newest())); diff != "" {
				t.Errorf("kept (-want +got):\n%s", diff)
			}
			if s.weight != tt.weight || s.len() != len(tt.kept)+1 {
				t.Errorf("weight %d, want %d; %d items", s.weight, tt.weight, s.len())
			}
			if _, ok := s.get("seed"); !ok {
				t.Error("the pinned item is gone")
			}
			for i := range s.all() {
				if _, ok := s.get(i); !ok {
					t.Errorf("%s is listed and cannot be got", i)
				}
			}
		})
	}
}
