package rest

import (
	"context"

	"patchbay/internal/fault"
	"patchbay/internal/idempotency"
	"patchbay/internal/plan"
	"patchbay/internal/telemetry"
)

// run performs the operation, or repeats what became of the first request with
// the same Idempotency-Key. On operations that change nothing the header has no
// meaning and is not looked at.
func (x *exchange) run(ctx context.Context, e *endpoint) (*plan.Output, error) {
	keys := x.h.opts.Keys
	given := x.r.Header["Idempotency-Key"]
	if len(given) == 0 || !keys.Takes(e.op.Operation) {
		return e.member.Bound.Run(ctx, e.op.Operation, &x.args)
	}
	key, f := idempotencyKey(given)
	if f != nil {
		return nil, f
	}
	x.access.IdempotencyKey = telemetry.KeyHash(key)
	out, replayed, err := keys.Run(ctx, e.member.Bound, e.op.Operation, &x.args, idempotency.Request{
		Key: key, Caller: x.access.Caller, Adapter: e.member.Adapter.Namespace, Operation: e.op.Method + " " + e.op.Path,
	})
	if replayed {
		x.access.Replayed = true
		x.w.Header()["Idempotency-Replayed"] = []string{"true"}
	}
	return out, err
}

func idempotencyKey(given []string) (string, *fault.Fault) {
	if len(given) > 1 {
		return "", invalid([]fault.Field{{Parameter: "Idempotency-Key", Detail: "is given more than once"}})
	}
	key, f := idempotency.ParseKey(given[0])
	if f != nil {
		f.Fields = []fault.Field{{Parameter: "Idempotency-Key", Detail: "is no key"}}
	}
	return key, f
}
