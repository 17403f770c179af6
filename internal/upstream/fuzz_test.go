package upstream

import (
	"net/http"
	"testing"
	"time"
)

// FuzzRetryAfter: whatever an upstream asks for, no call waits longer than the
// longest pause and what is left to chance, and none for less than no time.
func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"", "0", "1", "-1", "+1", "1.5", "2147483647", "2147483648", "99999999999999999999", "Fri, 31 Dec 1999 23:59:59 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "Friday, 31-Dec-99 23:59:59 GMT", "soon", " 1"} {
		f.Add(seed, 1)
	}
	now := time.Date(2026, 7, 28, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string, retry int) {
		after := retryAfter(http.Header{"Retry-After": {text}}, now)
		if after < 0 {
			t.Errorf("%q is %v", text, after)
		}
		o := Defaults().Retry
		if pause, ok := o.pause(max(1, retry), after); ok && (pause < after || pause < 0 || pause > o.Max+o.Base) {
			t.Errorf("%q, retry %d: a pause of %v", text, retry, pause)
		}
	})
}
