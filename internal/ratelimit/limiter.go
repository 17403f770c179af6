// Package ratelimit bounds how often one caller may ask. A caller is a name where
// it has proved one, and otherwise the address that it comes from. It stands
// beside the guard, below the adapters, which ask it after they know the caller.
package ratelimit

import (
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"patchbay/internal/fault"
)

// Limiter gives each caller a bucket of tokens. It is safe for concurrent use. A
// nil Limiter admits everything.
type Limiter struct {
	perSecond float64
	burst     int
	policy    []string
	now       func() time.Time
	// Names and addresses have tables of their own: whoever has many addresses
	// must not push out a caller with a name.
	named   table[string]
	address table[netip.Prefix]
}

// New returns a limiter of so many requests a second on average, and so many at
// once; nil where perSecond is 0. A burst of 0 is what comes in a second, at
// least one.
func New(perSecond float64, burst int) *Limiter { return newLimiter(perSecond, burst, time.Now) }

func newLimiter(perSecond float64, burst int, now func() time.Time) *Limiter {
	if perSecond <= 0 {
		return nil
	}
	if burst <= 0 {
		burst = max(1, int(math.Ceil(perSecond)))
	}
	window := max(1, int(math.Ceil(float64(burst)/perSecond)))
	return &Limiter{
		perSecond: perSecond, burst: burst, now: now,
		policy: []string{`"caller";q=` + strconv.Itoa(burst) + ";w=" + strconv.Itoa(window)},
	}
}

// Admit takes one request off what a caller has, and says in the answer's header
// how much is left (draft-ietf-httpapi-ratelimit-headers-10). It returns a fault
// where nothing is. An empty name stands for the address, of the form host:port.
func (l *Limiter) Admit(h http.Header, name, address string) *fault.Fault {
	if l == nil {
		return nil
	}
	now := l.now()
	var left float64
	var ok bool
	if name != "" {
		left, ok = l.named.take(name, now, l)
	} else {
		left, ok = l.address.take(network(address), now, l)
	}
	full := max(0, int(math.Ceil((float64(l.burst)-left)/l.perSecond)))
	h["Ratelimit-Policy"] = l.policy
	h["Ratelimit"] = []string{`"caller";r=` + strconv.Itoa(max(0, int(left))) + ";t=" + strconv.Itoa(full)}
	if ok {
		return nil
	}
	f := fault.New(fault.RateLimited, "this caller makes more requests than it may")
	f.RetryAfter = time.Duration((1 - left) / l.perSecond * float64(time.Second))
	return f
}

// network is what counts as one address: of IPv6, the 64 bits that a site has
// (RFC 4291 section 2.5.4), because it can choose the rest. What cannot be read
// is one address, too.
func network(address string) netip.Prefix {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return netip.Prefix{}
	}
	addr := at.Addr().Unmap().WithZone("")
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	prefix, _ := addr.Prefix(bits)
	return prefix
}
