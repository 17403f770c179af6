//go:build !race

package mcp_test

// raceEnabled tells tests that allocation counts mean nothing.
const raceEnabled = false
