package upstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"patchbay/internal/fault"
	"patchbay/internal/telemetry"
)

// turn waits until the call may be sent: for a place among the concurrent calls,
// and then for its share of the rate. Both end with the caller's context, and at
// the latest at the time end. It returns the time, and without a fault
// [Client.leave] has to be called.
func (c *Client) turn(caller context.Context, now, end time.Time) (time.Time, *fault.Fault) {
	if wait, refused := c.state.breaker.refuses(now); refused {
		return now, c.broken(wait)
	}
	if c.free() {
		return now, nil
	}
	ctx, cancel := context.WithDeadline(caller, end)
	defer cancel()
	if f := c.enter(caller, ctx); f != nil {
		return now, f
	}
	if f := c.pace(caller, ctx, end); f != nil {
		c.leave()
		return now, f
	}
	return time.Now(), nil
}

// free takes a place at once, where there is one and no rate to keep to: no call
// that need not wait pays for what ends a wait.
func (c *Client) free() bool {
	if c.state.limiter != nil {
		return false
	}
	select {
	case c.state.slots <- struct{}{}:
		return true
	default:
		return false
	}
}

// enter waits for a place among the concurrent calls. Who waits first has the
// first place: goroutines that send to a channel are served in their order, and
// one that comes later finds no room as long as one of them waits.
func (c *Client) enter(caller, ctx context.Context) *fault.Fault {
	s := c.state
	select {
	case s.slots <- struct{}{}:
		return nil
	default:
	}
	if s.waiting.Add(1) > s.most {
		s.waiting.Add(-1)
		s.full.Add(1)
		c.opts.Counts.Rejected(telemetry.ByConcurrency)
		return &fault.Fault{
			Kind: fault.Busy, Outcome: fault.NotSent, RetryAfter: time.Second,
			Message: fmt.Sprintf("all %d concurrent calls to %s were taken, and %d more were waiting", cap(s.slots), c.namespace, s.most),
		}
	}
	defer s.waiting.Add(-1)
	c.opts.Counts.Queued(1)
	defer c.opts.Counts.Queued(-1)
	select {
	case s.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		if errors.Is(caller.Err(), context.Canceled) {
			return c.left(ctx)
		}
		s.full.Add(1)
		c.opts.Counts.Rejected(telemetry.ByConcurrency)
		return &fault.Fault{
			Kind: fault.Busy, Outcome: fault.NotSent, RetryAfter: time.Second,
			Message: fmt.Sprintf("all %d concurrent calls to %s were taken", cap(s.slots), c.namespace), Cause: context.Cause(ctx),
		}
	}
}

func (c *Client) leave() { <-c.state.slots }

// pace waits for the call's share of the rate, or refuses at once where that
// would come too late.
func (c *Client) pace(caller, ctx context.Context, end time.Time) *fault.Fault {
	l := c.state.limiter
	if l == nil || l.Allow() {
		return nil
	}
	now := time.Now()
	share := l.ReserveN(now, 1)
	wait := share.DelayFrom(now)
	if deadline, ok := caller.Deadline(); ok && deadline.Before(end) {
		end = deadline
	}
	if now.Add(wait).After(end) {
		share.CancelAt(now)
		return c.tooFast(wait, nil)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		share.Cancel()
		if errors.Is(caller.Err(), context.Canceled) {
			return c.left(ctx)
		}
		return c.tooFast(wait, context.Cause(ctx))
	}
}

func (c *Client) tooFast(wait time.Duration, cause error) *fault.Fault {
	c.state.limited.Add(1)
	c.opts.Counts.Rejected(telemetry.ByRate)
	return &fault.Fault{
		Kind: fault.Busy, Outcome: fault.NotSent, RetryAfter: wait, Cause: cause,
		Message: fmt.Sprintf("more calls to %s were wanted than the operator admits in a second", c.namespace),
	}
}

// left is the fault of a caller that did not wait for its turn.
func (c *Client) left(ctx context.Context) *fault.Fault {
	f := &fault.Fault{Kind: fault.Canceled, Outcome: fault.NotSent, Message: "the caller went away before its call had its turn", Cause: context.Cause(ctx)}
	if ended, byUs := errors.AsType[*fault.Fault](f.Cause); byUs {
		f.Kind, f.Message = ended.Kind, ended.Message
	}
	return f
}

// broken is the fault of a call that the breaker refuses.
func (c *Client) broken(wait time.Duration) *fault.Fault {
	c.state.broken.Add(1)
	c.opts.Counts.Rejected(telemetry.ByBreaker)
	return &fault.Fault{
		Kind: fault.Unavailable, Outcome: fault.NotSent, RetryAfter: wait,
		Message: fmt.Sprintf("%s failed too often and is left alone for a moment", c.base.Host),
		Hint:    "nothing was sent; try again later",
	}
}
