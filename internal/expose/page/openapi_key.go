package page

import (
	"strings"

	"patchbay/internal/idempotency"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/plan"
)

// keyPart is the component of the header that makes a repetition safe.
const keyPart = "IdempotencyKey"

// keyed reports whether an operation takes an Idempotency-Key: it changes
// something, and has no input of that name.
func (d *describer) keyed(op *plan.RESTOperation) bool {
	if !d.member.Keys || op.Safe() {
		return false
	}
	for i := range op.Inputs {
		if in := &op.Inputs[i]; in.Location == plan.Header && strings.EqualFold(in.Name, "Idempotency-Key") {
			return false
		}
	}
	return true
}

// keyParts describes the header once, where an operation of any member takes it.
func (d *describer) keyParts() {
	defer d.describe(0)
	for i := range d.members {
		d.describe(i)
		for _, op := range d.adapter.Operations {
			if d.keyed(op) {
				d.components.put("parameters", keyPart, keyParameter())
				return
			}
		}
	}
}

// keyParameter describes the header (draft-ietf-httpapi-idempotency-key-header).
func keyParameter() jsonvalue.Value {
	var out, schema object
	out.text("name", "Idempotency-Key")
	out.text("in", "header")
	out.text("description", "Makes it safe to repeat the request: the answer to the first one with the same key is given again, with the header "+
		"`Idempotency-Replayed`, and nothing is done twice. A UUID is a good key.")
	schema.text("type", "string")
	schema.put("minLength", jsonvalue.IntOf(1))
	schema.put("maxLength", jsonvalue.IntOf(idempotency.MaxKey))
	out.object("schema", schema)
	return out.value()
}
