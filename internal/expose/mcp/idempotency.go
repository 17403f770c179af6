package mcp

import (
	"context"

	"patchbay/internal/idempotency"
	"patchbay/internal/jsonvalue"
	core "patchbay/internal/mcp"
	"patchbay/internal/plan"
	"patchbay/internal/telemetry"
)

// Members of _meta: the key that a host gives with a call, and the mark of a
// result that is an earlier call's. The key is no argument of the tool, because
// models would make one up: only what repeats a call knows that it does.
const (
	metaKey      = "patchbay/idempotencyKey"
	metaReplayed = "patchbay/replayed"
)

// perform runs the operation, or repeats what became of the first call with the
// same key. For tools that change nothing a key has no meaning.
func (t *tool) perform(ctx context.Context, c *core.Call, args *plan.Args, access *telemetry.Access) (*plan.Output, error) {
	raw := c.Meta(metaKey)
	if raw == nil || !t.adapter.Keys.Takes(t.plan.Operation) {
		return t.adapter.Bound.Run(ctx, t.plan.Operation, args)
	}
	text := ""
	if v, err := jsonvalue.Parse(raw); err == nil && v.Kind() == jsonvalue.String {
		text = v.Text()
	}
	key, f := idempotency.ParseKey(text)
	if f != nil {
		f.Hint = "the host gives it in _meta, as " + metaKey
		return nil, f
	}
	access.IdempotencyKey = telemetry.KeyHash(key)
	out, replayed, err := t.adapter.Keys.Run(ctx, t.adapter.Bound, t.plan.Operation, args, idempotency.Request{
		Key: key, Caller: access.Caller, Adapter: t.adapter.Adapter.Namespace, Operation: t.name,
	})
	access.Replayed = replayed
	return out, err
}
