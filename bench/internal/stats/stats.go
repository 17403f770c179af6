// Package stats reduces what rounds measured to the figures of a table.
package stats

import (
	"math"
	"slices"
)

// Median returns the middle of the values, of an even number the mean of the
// two in the middle. Without values it is NaN. The values are not changed.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// Quantile returns the smallest of the values that at least the part q of all
// is not above: the nearest-rank definition, which never invents a latency
// between two that were seen. Without values it is NaN. The values must be sorted.
func Quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	rank := int(math.Ceil(q * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// MedianRatio returns the median over rounds of ours through theirs. Pairing by
// round is what interleaving is for: what disturbed one round disturbed both.
// Rounds that one of the two lacks, or in which theirs is not positive, are left out.
func MedianRatio(ours, theirs []float64) float64 {
	var ratios []float64
	for i := range min(len(ours), len(theirs)) {
		if ratio := ours[i] / theirs[i]; theirs[i] > 0 && !math.IsNaN(ratio) {
			ratios = append(ratios, ratio)
		}
	}
	return Median(ratios)
}
