package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"patchbay/internal/fault"
)

// Retry says how often and how soon a call is made again.
type Retry struct {
	// Attempts is how many calls are made at most, the first one included; 1 or
	// less is none but the first.
	Attempts int
	// Base is the first pause, which doubles with each attempt up to Max; both
	// are spread by chance. Max is also the longest Retry-After that is waited for.
	Base, Max time.Duration
}

// attempt is what became of one call: an answer or a fault.
type attempt struct {
	answer *Response
	fault  *fault.Fault
}

// repeatable reports whether the call may be made again, because that cannot
// double an effect and can help, and how long the upstream asked to wait.
//
//   - Any method, where no byte of the request left, or where the provider
//     promises that an answer with this status means that nothing was processed.
//   - Methods that are idempotent by definition (RFC 9110 section 9.2.2), where
//     the connection failed or a gateway on the way answered in the upstream's
//     place. A PUT or DELETE with a precondition (section 13.1) is none: its
//     own effect can make the precondition false.
//
// A time-out is not repeated once the request has left: an upstream that is slow
// does not get faster by being asked twice, and the time is used up.
func (c *Client) repeatable(r *Request, last attempt) (after time.Duration, ok bool) {
	if f := last.fault; f != nil {
		switch {
		case f.Outcome == fault.NotSent:
			ok = (f.Kind == fault.Unreachable || f.Kind == fault.Timeout) && !lasting(f.Cause)
		case f.Kind != fault.Unreachable:
		case f.Outcome == fault.Answered:
			ok = safe(r.Method) // its effect is known, and only the answer is missing
		default:
			ok = idempotent(r)
		}
		return 0, ok
	}
	switch status := last.answer.Status; {
	case slices.Contains(c.unprocessed, status):
	case idempotent(r) && (status == http.StatusTooManyRequests || gatewayStatus(status)):
	default:
		return 0, false
	}
	return retryAfter(last.answer.Header, time.Now()), true
}

// gatewayStatus reports a status with which something before the upstream says
// that it got no answer, or the upstream that it takes no requests.
func gatewayStatus(status int) bool {
	return status == http.StatusBadGateway || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout
}

// safe reports the methods that are safe by definition (RFC 9110 section 9.2.1).
func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

func idempotent(r *Request) bool {
	if r.Method != http.MethodPut && r.Method != http.MethodDelete {
		return safe(r.Method)
	}
	for _, name := range []string{"If-Match", "If-None-Match", "If-Unmodified-Since", "If-Modified-Since"} {
		if _, ok := r.Header[name]; ok {
			return false
		}
	}
	return true
}

// lasting reports a failure to connect that another try does not mend: a name
// that does not exist, a certificate that is not trusted.
func lasting(err error) bool {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return dns.IsNotFound
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.AlertError](err); ok {
		return true
	}
	_, ok := errors.AsType[tls.RecordHeaderError](err)
	return ok
}

// maySettle reports whether an attempt may have had its effect.
func (c *Client) maySettle(last attempt) bool {
	if last.fault != nil {
		return last.fault.Outcome == fault.Unknown || last.fault.Outcome == fault.Answered
	}
	return last.answer.Status >= 500 && !slices.Contains(c.unprocessed, last.answer.Status)
}

// retryAfter reads the header (RFC 9110 section 10.2.3), seconds or a date; 0
// where there is none to be read.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if text == "" {
		return 0
	}
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// pause is how long to wait before the attempt with this number (the first retry
// is 1): exponential, with a part of it left to chance, so that callers who failed
// together do not return together; and never less than the upstream asked for.
// There is none where it asked for more than Max.
func (o *Retry) pause(retry int, after time.Duration) (time.Duration, bool) {
	if after > o.Max {
		return 0, false
	}
	whole := o.Max
	if shift := retry - 1; shift < 30 && o.Base<<shift>>shift == o.Base {
		whole = min(o.Max, o.Base<<shift)
	}
	wait := whole/2 + spread(whole/2)
	if after > 0 {
		wait = max(wait, after+spread(o.Base))
	}
	return wait, true
}

// spread is a time by chance, from 0 up to most.
func spread(most time.Duration) time.Duration {
	if most <= 0 {
		return 0
	}
	return rand.N(most + 1)
}

// again makes a call again as long as that is allowed, can help, and there is
// time, and returns what became of the last attempt. What was answered before is
// kept until then: where nothing more can be sent, it is still the answer.
func (c *Client) again(caller context.Context, r *Request, last attempt, end time.Time) attempt {
	doubt, retries := false, 0
	for retries+1 < c.opts.Retry.Attempts {
		after, ok := c.repeatable(r, last)
		if !ok {
			break
		}
		wait, ok := c.opts.Retry.pause(retries+1, after)
		if !ok || !hasTime(caller, wait, end) || !c.state.budget.spend(time.Now()) {
			break
		}
		if f := c.wait(caller, wait, last); f != nil {
			last.release()
			last = attempt{fault: f}
			break
		}
		// net/http may not be done with the header of the attempt before.
		r.Header = r.Header.Clone()
		next := c.once(caller, r, time.Now(), end, retries+2)
		if next.refused() {
			break
		}
		r.Operation.Retry(last.reason())
		doubt = doubt || c.maySettle(last)
		last.release()
		last = next
		retries++
		c.state.retried.Add(1)
	}
	last.counted(retries, doubt)
	return last
}

// hasTime reports whether a pause ends while there is time for a call.
func hasTime(caller context.Context, pause time.Duration, end time.Time) bool {
	if deadline, ok := caller.Deadline(); ok && deadline.Before(end) {
		end = deadline
	}
	return time.Now().Add(pause).Before(end)
}

// wait is a pause that the caller's leaving ends. What is known of the effect is
// what the attempt before left.
func (c *Client) wait(caller context.Context, pause time.Duration, last attempt) *fault.Fault {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-caller.Done():
	}
	outcome := fault.Rejected
	switch {
	case c.maySettle(last):
		outcome = fault.Unknown
	case last.fault != nil:
		outcome = last.fault.Outcome
	}
	return c.failure(caller, caller, outcome, context.Cause(caller))
}

// reason is why the attempt is not the last, in the words of faults or as a status.
func (a attempt) reason() string {
	if a.fault != nil {
		return a.fault.Kind.String()
	}
	return strconv.Itoa(a.answer.Status)
}

func (a attempt) release() {
	if a.answer != nil {
		a.answer.Release()
	}
}

// refused reports that this side did not let the attempt begin.
func (a attempt) refused() bool {
	return a.fault != nil && (a.fault.Kind == fault.Busy || a.fault.Kind == fault.Unavailable) && a.fault.Outcome == fault.NotSent
}

// counted notes how many attempts there were, and whether one before the last may
// have had its effect: then a last one that had none does not say that there is none.
func (a attempt) counted(retries int, doubt bool) {
	if a.answer != nil {
		a.answer.Retries, a.answer.Doubt = retries, doubt
		return
	}
	a.fault.Retries = retries
	if doubt && (a.fault.Outcome == fault.NotSent || a.fault.Outcome == fault.Rejected) {
		a.fault.Outcome = fault.Unknown
	}
}
