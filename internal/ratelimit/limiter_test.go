package ratelimit

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"patchbay/internal/fault"
)

// clock is a time that tests set.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func newClock() *clock { return &clock{time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)} }

// TestAdmit: each caller has a bucket of its own, which fills with time, and the
// answer says what is left.
func TestAdmit(t *testing.T) {
	c := newClock()
	l := newLimiter(2, 3, c.now)
	for _, step := range []struct {
		after         time.Duration
		name, address string
		left          string
		retry         time.Duration // 0 where the request is admitted
	}{
		{0, "billing", "192.0.2.1:1", `"caller";r=2;t=1`, 0},
		{0, "billing", "192.0.2.2:1", `"caller";r=1;t=1`, 0},
		{0, "billing", "192.0.2.3:1", `"caller";r=0;t=2`, 0},
		{0, "billing", "192.0.2.4:1", `"caller";r=0;t=2`, 500 * time.Millisecond},
		{0, "reports", "192.0.2.1:1", `"caller";r=2;t=1`, 0},
		{0, "", "192.0.2.1:1", `"caller";r=2;t=1`, 0},
		{0, "", "192.0.2.1:2", `"caller";r=1;t=1`, 0},
		{0, "", "[::ffff:192.0.2.1]:2", `"caller";r=0;t=2`, 0},
		{0, "", "192.0.2.1:3", `"caller";r=0;t=2`, 500 * time.Millisecond},
		{0, "", "[2001:db8::1]:3", `"caller";r=2;t=1`, 0},
		{0, "", "[2001:db8::ffff:1]:3", `"caller";r=1;t=1`, 0},
		{0, "", "[2001:db8:0:1::1]:3", `"caller";r=2;t=1`, 0},
		{0, "", "no address", `"caller";r=2;t=1`, 0},
		{0, "", "", `"caller";r=1;t=1`, 0},
		{500 * time.Millisecond, "billing", "", `"caller";r=0;t=2`, 0},
		{time.Hour, "billing", "", `"caller";r=2;t=1`, 0},
	} {
		c.at = c.at.Add(step.after)
		h := http.Header{}
		f := l.Admit(h, step.name, step.address)
		if (f != nil) != (step.retry > 0) || f != nil && (f.Kind != fault.RateLimited || f.RetryAfter != step.retry) {
			t.Errorf("%+v: %v", step, f)
		}
		if h.Get("RateLimit") != step.left || h.Get("RateLimit-Policy") != `"caller";q=3;w=2` {
			t.Errorf("%+v: %v", step, h)
		}
	}
}

func TestNoLimit(t *testing.T) {
	l := New(0, 10)
	h := http.Header{}
	if f := l.Admit(h, "", "192.0.2.1:1"); f != nil || len(h) != 0 {
		t.Error(f, h)
	}
	if l := New(0.5, 0); l.burst != 1 || l.policy[0] != `"caller";q=1;w=2` {
		t.Errorf("a request in two seconds: %d, %s", l.burst, l.policy)
	}
}

// TestTableIsBounded: addresses in any number take no more memory than the table
// has, push out those that have not asked for longest, and no caller with a name.
func TestTableIsBounded(t *testing.T) {
	c := newClock()
	l := newLimiter(1, 1, c.now)
	admit := func(name, address string) bool { return l.Admit(http.Header{}, name, address) == nil }
	admit("billing", "")
	const busy = "203.0.113.9:1"
	admit("", busy)
	for i := range 3 * maxCallers {
		admit("", fmt.Sprintf("[2001:db8:%x:%x::1]:1", i/65536, i%65536))
		if i%1000 == 0 && admit("", busy) {
			t.Fatal("who asks all the time was forgotten")
		}
	}
	if n := len(l.address.entries); n != maxCallers {
		t.Errorf("%d addresses are kept", n)
	}
	n := 0
	for e := l.address.newest; e != nil; e = e.older {
		n++
	}
	if n != maxCallers {
		t.Errorf("%d addresses are in the list", n)
	}
	if admit("billing", "") {
		t.Error("addresses pushed out a name")
	}
}

// TestAdmitAllocations: a caller that is known costs the text of one header and
// its slice.
func TestAdmitAllocations(t *testing.T) {
	l := New(1e9, 1e9)
	h := http.Header{}
	l.Admit(h, "billing", "")
	if n := testing.AllocsPerRun(100, func() { l.Admit(h, "billing", "192.0.2.1:1") }); n > 4 {
		t.Errorf("%v allocations", n)
	}
}
