//go:build !race

package engine_test

// raceEnabled tells tests that allocation counts mean nothing.
const raceEnabled = false
