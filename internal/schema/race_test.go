//go:build race

package schema

// raceEnabled tells that allocations are not those of the product.
const raceEnabled = true
