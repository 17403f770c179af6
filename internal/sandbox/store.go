package sandbox

import (
	"iter"
	"slices"
)

// store keeps a provider's resources by SID in the order of their making, and
// bounds them by number and by weight. It is not safe for concurrent use.
type store[T any] struct {
	capacity  int // items that are not pinned
	maxWeight int // bytes of callers' input that those items hold
	weight    int
	items     map[string]stored[T]
	order     []string // keys of the items that are not pinned, oldest first
}

type stored[T any] struct {
	value  T
	weight int
}

func newStore[T any](capacity, maxWeight int) store[T] {
	return store[T]{capacity: capacity, maxWeight: maxWeight, items: map[string]stored[T]{}}
}

func (s *store[T]) get(key string) (T, bool) {
	item, ok := s.items[key]
	return item.value, ok
}

// pin adds an item that is never evicted.
func (s *store[T]) pin(key string, value T) {
	s.items[key] = stored[T]{value: value}
}

// add keeps a new item and evicts the oldest ones beyond the bounds; the new
// one always stays.
func (s *store[T]) add(key string, value T, weight int) {
	s.items[key] = stored[T]{value: value, weight: weight}
	s.order = append(s.order, key)
	s.weight += weight
	evicted := 0
	for len(s.order)-evicted > 1 && (len(s.order)-evicted > s.capacity || s.weight > s.maxWeight) {
		oldest := s.order[evicted]
		s.weight -= s.items[oldest].weight
		delete(s.items, oldest)
		evicted++
	}
	s.order = slices.Delete(s.order, 0, evicted)
}

func (s *store[T]) len() int { return len(s.items) }

// newest iterates over the items that are not pinned, newest first.
func (s *store[T]) newest() iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, key := range slices.Backward(s.order) {
			if !yield(s.items[key].value) {
				return
			}
		}
	}
}

// all iterates over every item in no order.
func (s *store[T]) all() iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, item := range s.items {
			if !yield(item.value) {
				return
			}
		}
	}
}
