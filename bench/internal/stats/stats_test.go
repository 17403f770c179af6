package stats

import (
	"math"
	"testing"
)

func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		values []float64
		want   float64
	}{
		{nil, math.NaN()},
		{[]float64{3}, 3},
		{[]float64{9, 1, 5}, 5},
		{[]float64{4, 1, 2, 100}, 3},
	} {
		before := append([]float64{}, tt.values...)
		if got := Median(tt.values); !same(got, tt.want) {
			t.Errorf("Median(%v) = %v, want %v", before, got, tt.want)
		}
		for i, v := range before {
			if tt.values[i] != v {
				t.Errorf("Median changed %v to %v", before, tt.values)
			}
		}
	}
}

func TestQuantile(t *testing.T) {
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(i + 1)
	}
	for _, tt := range []struct {
		sorted []float64
		q      float64
		want   float64
	}{
		{nil, 0.5, math.NaN()},
		{[]float64{7}, 0.99, 7},
		{[]float64{1, 2}, 0.5, 1},
		{hundred, 0, 1},
		{hundred, 0.5, 50},
		{hundred, 0.99, 99},
		{hundred, 0.991, 100},
		{hundred, 1, 100},
	} {
		if got := Quantile(tt.sorted, tt.q); !same(got, tt.want) {
			t.Errorf("Quantile of %d values at %v = %v, want %v", len(tt.sorted), tt.q, got, tt.want)
		}
	}
}

func TestMedianRatio(t *testing.T) {
	nan := math.NaN()
	for _, tt := range []struct {
		name         string
		ours, theirs []float64
		want         float64
	}{
		// The machine was three times slower in the second round: the ratio of
		// the medians would be 30/20.
		{"paired", []float64{10, 30, 40}, []float64{20, 60, 10}, 0.5},
		{"a round failed", []float64{nan, 2, 2}, []float64{1, 1, 1}, 2},
		{"theirs is not positive", []float64{1, 4}, []float64{0, 2}, 2},
		{"rounds are missing", []float64{6}, []float64{2, 1}, 3},
		{"nothing", nil, []float64{1}, nan},
	} {
		if got := MedianRatio(tt.ours, tt.theirs); !same(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
