package telemetry

import (
	"errors"
	"strings"
	"testing"

	"patchbay/internal/secret"
)

func TestCauseOf(t *testing.T) {
	var mask secret.Mask
	mask.Add(secret.New("hunter2"))
	for given, want := range map[string]string{
		"dial tcp 127.0.0.1:1: connect: connection refused":                  "dial tcp 127.0.0.1:1: connect: connection refused",
		`malformed HTTP status code "hunter2 and \"more\""`:                  `malformed HTTP status code "…"`,
		`duplicate object member name "a" within "/b"`:                       `duplicate object member name "…" within "…"`,
		`it never ends "abc`:                                                 `it never ends "…"`,
		`it ends early "abc\`:                                                `it ends early "…"`,
		"net/http: broken: malformed MIME header line: somebody's own words": "net/http: broken: malformed MIME header line",
		"the token hunter2":                                                  "the token [redacted]",
	} {
		if got := causeOf(errors.New(given), &mask); got != want {
			t.Errorf("%q: %q, want %q", given, got, want)
		}
	}
	// A secret across the cut is none that shows in part.
	if got := causeOf(errors.New(strings.Repeat("a", 497)+"hunter2"), &mask); strings.Contains(got, "hun") {
		t.Error(got[490:])
	}
}
