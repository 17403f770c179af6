package page

import (
	"patchbay/internal/fault"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/problem"
)

// exampleProblem is what a problem of a kind looks like.
func exampleProblem(k fault.Kind) jsonvalue.Value {
	out := object{
		{Name: "type", Value: jsonvalue.StringOf(problem.Base + k.String())},
		{Name: "title", Value: jsonvalue.StringOf(problem.Title(k))},
		{Name: "status", Value: jsonvalue.IntOf(int64(problem.Status(k)))},
	}
	e := explain(k)
	out.text("detail", e.example)
	out.text("message", e.example)
	out.text("outcome", e.outcomes[len(e.outcomes)-1].String())
	if k == fault.InvalidInput {
		field := object{{Name: "pointer", Value: jsonvalue.StringOf("/Status")}, {Name: "detail", Value: jsonvalue.StringOf("is required")}}
		out.put("errors", list(field.value()))
	}
	return out.value()
}

// problemSchema describes a problem of the gateway; see package problem, which
// writes them.
func problemSchema() jsonvalue.Value {
	member := func(kind, text string, more ...jsonvalue.Member) jsonvalue.Value {
		var out object
		out.text("type", kind)
		out.text("description", text)
		return jsonvalue.ObjectOf(append(out, more...))
	}
	outcomes := make([]jsonvalue.Value, 0, 5)
	for _, o := range everyOutcome() {
		outcomes = append(outcomes, jsonvalue.StringOf(o.String()))
	}
	field := object{
		{Name: "pointer", Value: member("string", "JSON pointer (RFC 6901) into the body; empty for the whole body and for a parameter.")},
		{Name: "parameter", Value: member("string", "Name of a path, query or header parameter.")},
		{Name: "detail", Value: member("string", "What is wrong.")},
		{Name: "hint", Value: member("string", "What to do about it.")},
	}
	fields := object{
		{Name: "type", Value: jsonvalue.StringOf("object")},
		{Name: "properties", Value: field.value()},
		{Name: "required", Value: texts("pointer", "detail")},
	}
	properties := object{
		{Name: "type", Value: member("string", "Stable name of the kind of problem, as an address that explains it.", jsonvalue.Member{Name: "format", Value: jsonvalue.StringOf("uri-reference")})},
		{Name: "title", Value: member("string", "The kind in words.")},
		{Name: "status", Value: member("integer", "The HTTP status, repeated.")},
		{Name: "detail", Value: member("string", "What happened this time.")},
		{Name: "message", Value: member("string", "The detail again, under the name that clients of the provider show.")},
		{Name: "hint", Value: member("string", "What to do about it.")},
		{Name: "outcome", Value: member("string", "What is known about the effect of the upstream request: no_call and not_sent mean none, rejected that the upstream refused it, unknown that it may have been processed, answered that it was.",
			jsonvalue.Member{Name: "enum", Value: list(outcomes...)})},
		{Name: "step", Value: member("string", "The step that failed, in an operation with several.")},
		{Name: "request_id", Value: member("string", "Names the request in the gateway's log.")},
		{Name: "errors", Value: member("array", "Everything that is wrong with the inputs.", jsonvalue.Member{Name: "items", Value: fields.value()})},
	}
	out := object{
		{Name: "type", Value: jsonvalue.StringOf("object")},
		{Name: "description", Value: jsonvalue.StringOf("A problem that the gateway reports (RFC 9457).")},
		{Name: "properties", Value: properties.value()},
		{Name: "required", Value: texts("type", "title", "status", "outcome")},
	}
	return out.value()
}
