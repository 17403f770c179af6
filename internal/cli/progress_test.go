package cli

import (
	"strings"
	"testing"
	"time"
)

// Nothing is said about short runs; a long one is one line that goes away.
func TestProgress(t *testing.T) {
	var out strings.Builder
	now := time.Unix(0, 0)
	p := &progress{w: &out, now: func() time.Time { return now }, next: now.Add(patience)}
	const total = 20
	for i := range total {
		now = now.Add(pace / 2)
		p.report(i+1, total)
	}
	p.end()
	if got, want := out.String(), "\r9 of 20 files\r12 of 20 files\r15 of 20 files\r18 of 20 files\r\x1b[K"; got != want {
		t.Errorf("said %q, want %q", got, want)
	}

	out.Reset()
	p = &progress{w: &out, now: func() time.Time { return now }, next: now.Add(patience)}
	p.report(1, 1)
	p.report(2, 3)
	p.end()
	var nobody *progress
	nobody.report(1, 2)
	nobody.end()
	if out.Len() > 0 {
		t.Errorf("a short run said %q", out.String())
	}
	if newProgress(&out) != nil {
		t.Error("a stream that is no terminal has progress")
	}
}
