// Package idempotency gives a repeated request the answer of the first one. It
// stands between the adapters, which read keys off their wire, and the plan,
// which runs operations: a request with a key is run once, what became of it is
// kept, and whoever comes with the same key gets to know that
// (draft-ietf-httpapi-idempotency-key-header). Keys end here; none goes upstream.
package idempotency

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"time"

	"patchbay/internal/fault"
	"patchbay/internal/plan"
)

// Request is a request as far as its key is concerned.
type Request struct {
	// Key is the caller's, from [ParseKey]; "" asks for nothing.
	Key string
	// Caller is who asks: keys of different callers have nothing to do with each
	// other. Adapter is the namespace where the key was given, Operation what it
	// was given for.
	Caller, Adapter, Operation string
}

// Keeper runs operations and keeps what becomes of them. It is safe for
// concurrent use. A nil Keeper takes no keys.
type Keeper struct {
	store Store
	// wait bounds how long a request waits for the first one with its key.
	wait time.Duration
	// ends is done when nothing may go on any more.
	ends context.Context
}

// NewKeeper returns a keeper on a store. Wait bounds how long a repeated request
// waits for the first one. Requests under way go on without their callers until
// ends is done; its cause is what became of them.
func NewKeeper(ends context.Context, store Store, wait time.Duration) *Keeper {
	return &Keeper{store: store, wait: wait, ends: ends}
}

// Takes reports whether a key means something for the operation: repeating one
// that changes nothing needs none.
func (k *Keeper) Takes(op *plan.Operation) bool { return k != nil && !op.Safe() }

// Run performs the operation as [plan.Bound.Run] does, or repeats what became of
// the first request with the same key, and reports which of them it was.
//
//   - What was answered is repeated, whatever the status. So is a fault after
//     which it is known that the request was processed.
//   - Where nothing was processed the key is free again, also for who waits.
//   - Where nobody knows, every repetition says so, until the key expires.
//   - Another request with the same key is refused.
//
// Once it is on its way, a first request goes on without its caller: the answer
// is for whoever asks again.
func (k *Keeper) Run(ctx context.Context, b *plan.Bound, op *plan.Operation, args *plan.Args, r Request) (out *plan.Output, replayed bool, err error) {
	if !k.Takes(op) || r.Key == "" {
		out, err = b.Run(ctx, op, args)
		return out, false, err
	}
	id := sha256.Sum256([]byte(r.Adapter + "\x00" + r.Caller + "\x00" + r.Key))
	record, f := k.claim(ctx, id, fingerprint(r.Operation, args))
	if f != nil {
		return nil, false, f
	}
	if record != nil {
		out, f := record.replay()
		if f != nil {
			return nil, f.Kind != fault.KeyConflict, f
		}
		return out, true, nil
	}
	settled := false
	defer func() {
		if !settled { // a panic: nobody knows how far it came
			k.store.Settle(id, &Record{Fault: &fault.Fault{Kind: fault.Internal, Outcome: fault.Unknown, Message: "an internal error occurred"}})
		}
	}()
	on, done := k.detached(ctx)
	defer done()
	out, err = b.Run(on, op, args)
	settled = true
	if kept := recordOf(out, fault.Of(err)); kept != nil {
		k.store.Settle(id, kept)
	} else {
		k.store.Free(id)
	}
	return out, false, err
}

// claim takes the key, or returns what became of the request that has it.
func (k *Keeper) claim(ctx context.Context, id ID, print Print) (*Record, *fault.Fault) {
	waiting, cancel := context.WithTimeout(ctx, k.wait)
	defer cancel()
	record, err := k.store.Claim(waiting, id, print)
	switch {
	case err == nil:
		return record, nil
	case errors.Is(err, ErrOther):
		f := fault.New(fault.KeyReused, "this idempotency key was used for a different request")
		f.Hint = "a key belongs to one request; repeat that one unchanged, or choose a new key"
		return nil, f
	case errors.Is(err, ErrFull):
		f := fault.New(fault.Busy, "no further idempotency keys can be kept at the moment")
		f.RetryAfter = time.Second
		return nil, f
	case ctx.Err() == nil && waiting.Err() != nil:
		return nil, &fault.Fault{
			Kind: fault.KeyConflict, Outcome: fault.Unknown, RetryAfter: time.Second,
			Message: "the first request with this idempotency key is still under way",
			Hint:    "repeat the request with the same key to get its answer",
		}
	case ctx.Err() != nil:
		if ended, byUs := errors.AsType[*fault.Fault](context.Cause(ctx)); byUs {
			return nil, fault.New(ended.Kind, "%s", ended.Message)
		}
		return nil, &fault.Fault{Kind: fault.Canceled, Message: "the caller went away while the first request with its key was under way", Cause: err}
	default:
		return nil, &fault.Fault{Kind: fault.Internal, Message: "the store of idempotency keys failed; nothing was sent", Cause: err}
	}
}

// detached is a context that outlives its caller, but not the gateway: it may be
// the gateway that ends the caller's, or that ends after the caller has gone.
func (k *Keeper) detached(ctx context.Context) (context.Context, func()) {
	on, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if ended, byUs := errors.AsType[*fault.Fault](context.Cause(ctx)); byUs {
			cancel(ended)
		}
	})
	stopEnd := context.AfterFunc(k.ends, func() { cancel(context.Cause(k.ends)) })
	return on, func() {
		stop()
		stopEnd()
		cancel(nil)
	}
}

// Record is what became of a request. It is not changed once it is stored, and
// has nothing in it that could not be written down elsewhere.
type Record struct {
	// Status and what follows are an answer, see [plan.Output]; Fault is what
	// there is in place of one.
	Status  int
	Header  http.Header
	Body    []byte
	Binary  bool
	Media   string
	Advice  []fault.Field
	Outcome fault.Outcome
	Step    string
	Effects []string
	Fault   *fault.Fault
	// Forgotten reports that the answer was given up to make room.
	Forgotten bool
}

// recordOf is what has to be kept of a run, nil where nothing was processed and
// the request may be sent as if for the first time.
func recordOf(out *plan.Output, f *fault.Fault) *Record {
	if f != nil {
		if len(f.Effects) == 0 && (f.Outcome == fault.NoCall || f.Outcome == fault.NotSent || f.Outcome == fault.Rejected) {
			return nil
		}
		kept := *f
		kept.Cause, kept.Retries = nil, 0
		return &Record{Fault: &kept, Outcome: f.Outcome}
	}
	if len(out.Effects) == 0 && unprocessed(out) {
		return nil
	}
	return &Record{
		Status: out.Status, Header: out.Header.Clone(), Body: append([]byte(nil), out.Body...), Binary: out.Binary, Media: out.Media,
		Advice: out.Advice, Outcome: out.Outcome, Step: out.Step, Effects: out.Effects,
	}
}

// unprocessed reports an answer after which the same request makes sense with the
// same key: the provider promises that nothing was done, or the status says that
// the request was not looked at for now (RFC 9110 section 15.5.2, RFC 8470 section
// 5.2, RFC 6585 section 4).
func unprocessed(out *plan.Output) bool {
	switch {
	case out.Outcome == fault.Unknown:
		return false
	case out.Outcome == fault.Rejected:
		return true
	default:
		return out.Status == http.StatusUnauthorized || out.Status == http.StatusTooEarly || out.Status == http.StatusTooManyRequests
	}
}

// open reports that nobody knows whether the request was processed.
func (r *Record) open() bool { return r.Outcome == fault.Unknown }

// replay is what a repetition gets.
func (r *Record) replay() (*plan.Output, *fault.Fault) {
	switch {
	case r.Fault != nil && r.open():
		return nil, &fault.Fault{
			Kind: fault.KeyConflict, Outcome: fault.Unknown, Step: r.Fault.Step, Effects: r.Fault.Effects, UpstreamStatus: r.Fault.UpstreamStatus,
			Message: fmt.Sprintf("the first request with this idempotency key ended without an answer (%s); it may have been processed", r.Fault.Kind),
			Hint:    "look whether it happened; if it did not, send it with a new key",
		}
	case r.Fault != nil:
		f := *r.Fault
		return nil, &f
	case r.Forgotten:
		return nil, &fault.Fault{
			Kind: fault.KeyConflict, Outcome: r.Outcome, Step: r.Step, Effects: r.Effects, UpstreamStatus: r.Status,
			Message: fmt.Sprintf("the first request with this idempotency key was answered (%d), but its answer is no longer kept", r.Status),
			Hint:    "do not repeat it; look at the result with a read",
		}
	default:
		return &plan.Output{
			Status: r.Status, Header: r.Header, Body: r.Body, Binary: r.Binary, Media: r.Media,
			Advice: r.Advice, Outcome: r.Outcome, Step: r.Step, Effects: r.Effects,
		}, nil
	}
}
