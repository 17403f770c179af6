// Package mcp offers a plan's operations to agents: it makes tools out of them
// for the protocol core in internal/mcp, turns arguments into inputs, outputs
// into results, and faults into sentences that a model can act on. The protocol
// itself, HTTP and stdio are the core's.
package mcp

import (
	"cmp"
	"slices"
	"strings"

	"patchbay/internal/auth"
	"patchbay/internal/jsonvalue"
	core "patchbay/internal/mcp"
	"patchbay/internal/plan"
	"patchbay/internal/schema"
	"patchbay/internal/telemetry"
)

// Options are what the adapter needs besides the plan.
type Options struct {
	Bound   *plan.Bound
	Adapter *plan.MCPAdapter
	// Version is what the server calls itself.
	Version string
	Log     *telemetry.Logger
	IDs     *telemetry.IDs
	// Selection is the operator's choice of tools; a URL can only narrow it.
	Selection Selection
	// MaxResult bounds the text of a result, in bytes; 0 is no bound.
	MaxResult int
}

// New returns the protocol server of one adapter.
func New(opts Options) (*core.Server, error) {
	return Whole([]Member{{Options: opts}})
}

// built is what the server of an adapter is made of.
type built struct {
	adapter *adapter
	options core.Options
	server  *core.Server
	// offers are the names of the server's tools.
	offers []Offer
}

func build(m *Member, offers []Offer) (*built, error) {
	opts := m.Options
	a := &adapter{Options: opts, verifier: m.Verifier}
	resources, templates, err := a.resources()
	if err != nil {
		return nil, err
	}
	prompts, err := a.prompts()
	if err != nil {
		return nil, err
	}
	info := opts.Bound.Plan.Document.Info
	b := &built{adapter: a, options: core.Options{
		Name: opts.Adapter.Namespace, Title: info.Label.Value, Version: cmp.Or(info.Version.Value, opts.Version),
		Instructions: instructions(opts.Adapter, opts.Bound.Plan), Tools: []core.Tool{}, Resources: resources, Templates: templates,
		Prompts: prompts, TTL: opts.Adapter.TTL, CacheScope: opts.Adapter.CacheScope,
		OnRequest: newWatcher(opts.Log, opts.Adapter.Namespace, a).observe,
	}}
	for i := range offers {
		if o := &offers[i]; opts.Selection.keeps(o) {
			b.options.Tools = append(b.options.Tools, a.tool(o.Tool, o.Own))
			b.offers = append(b.offers, *o)
		}
	}
	if len(prompts) > 0 || len(templates) > 0 {
		b.options.Complete = a.complete
	}
	return b, nil
}

// instructions tell a model what the server is for.
func instructions(a *plan.MCPAdapter, p *plan.Plan) string {
	return cmp.Or(a.Description, p.Document.Info.Description.Value)
}

type adapter struct {
	Options
	verifier *auth.Verifier
}

// Names are the names that hosts know a tool by.
type Names struct {
	Tool string
	// Arguments are in the order of the tool's inputs.
	Arguments []string
}

// OfferedNames returns the names of an adapter's tools, in their order.
func OfferedNames(a *plan.MCPAdapter) []Names {
	out := make([]Names, len(a.Tools))
	for i, o := range NewOffers([]*plan.MCPAdapter{a})[0] {
		out[i] = Names{Tool: o.Own, Arguments: argumentNames(o.Tool)}
	}
	return out
}

// argumentNames are the names under which a tool's inputs are offered; a schema
// that the file spells out keeps its own.
func argumentNames(t *plan.Tool) []string {
	names := make([]string, len(t.Inputs))
	for i := range names {
		names[i] = t.Inputs[i].Name
	}
	if !t.RawSchema.IsAbsent() {
		return names
	}
	return hostNames(names, propertyNames)
}

// tool is one operation as a tool.
type tool struct {
	adapter *adapter
	plan    *plan.Tool
	name    string
	// known are the arguments' names, in the order of the inputs.
	known []string
	// renamed maps the names of inputs to the arguments' where they differ.
	renamed map[string]string
	// output checks structured content; nil where no schema is published.
	output *schema.Schema
	shape  jsonvalue.Value
	// raw checks the arguments against a schema that the file spells out.
	raw *schema.Schema
	// wrap is the member that an array or scalar answer is put into, or "".
	wrap string
	// counts is where calls are counted.
	counts *telemetry.Operation
}

func (a *adapter) tool(p *plan.Tool, name string) core.Tool {
	t := &tool{adapter: a, plan: p, name: name}
	t.counts = a.Log.Metrics().Operation(telemetry.OperationInfo{
		Protocol: "mcp", Adapter: a.Adapter.Namespace, Name: name, Method: "tools/call", Tool: true,
		Changes: !p.Safe(), Targets: a.Bound.Targets(p.Operation),
	})
	out := core.Tool{
		Name: name, Title: p.Label, Description: describe(p), InputSchema: t.inputSchema(), Call: t.call,
		RequiresClientCapabilities: p.RequiresClientCapabilities,
		Annotations:                &core.Annotations{ReadOnly: p.ReadOnly, Destructive: p.Destructive, Idempotent: p.Idempotent, OpenWorld: p.OpenWorld},
	}
	out.OutputSchema = t.outputSchema()
	return out
}

// maxDescription keeps a tool's text below what hosts cut off.
const maxDescription = 2000

// describe completes the file's description from the contract.
func describe(p *plan.Tool) string {
	text := p.Description
	if c := p.Contract(); c != nil {
		// The summary is what the description begins with, where there is one.
		more := strings.TrimSpace(cmp.Or(c.Description, c.Summary))
		switch {
		case text == "":
			text = more
		case !strings.Contains(text, more):
			text += "\n\n" + more
		}
	}
	if len(text) > maxDescription {
		text = strings.ToValidUTF8(text[:maxDescription], "") + "…"
	}
	return text
}

// inputSchema describes the arguments. Its root has no conditions: some hosts
// reject a whole list for one; conditions stand inside the body's schema and
// in the descriptions.
func (t *tool) inputSchema() []byte {
	if !t.plan.RawSchema.IsAbsent() {
		return t.rawSchema()
	}
	var properties, required []jsonvalue.Member
	t.known = argumentNames(t.plan)
	for i, name := range t.known {
		in := &t.plan.Inputs[i]
		if name != in.Name {
			if t.renamed == nil {
				t.renamed = map[string]string{}
			}
			t.renamed[in.Name] = name
		}
		properties = append(properties, jsonvalue.Member{Name: name, Value: described(in, name)})
		if in.Required {
			required = append(required, jsonvalue.Member{Value: jsonvalue.StringOf(name)})
		}
	}
	members := []jsonvalue.Member{
		{Name: "type", Value: jsonvalue.StringOf("object")},
		{Name: "properties", Value: jsonvalue.ObjectOf(properties)},
	}
	if required != nil {
		members = append(members, jsonvalue.Member{Name: "required", Value: jsonvalue.ArrayOf(required)})
	}
	members = append(members, jsonvalue.Member{Name: "additionalProperties", Value: jsonvalue.BoolOf(false)})
	root := jsonvalue.ObjectOf(members)
	return root.Append(nil)
}

// rawSchema publishes the schema that the file spells out, word for word.
func (t *tool) rawSchema() []byte {
	t.known = argumentNames(t.plan)
	t.raw, _ = schema.Compile(&t.plan.RawSchema, schema.Options{DefaultSource: "D"})
	return t.plan.RawSchema.Append(nil)
}

// described is an input's schema with its description; a body without a
// contract is at least an object. Where hosts do not accept the input's own
// name, the description begins with it: DateSent, DateSent< and DateSent> often
// have the same text.
func described(in *plan.Input, name string) jsonvalue.Value {
	members := append([]jsonvalue.Member(nil), in.Schema.Elems()...)
	if in.Schema.Get("type") == nil && in.Location == plan.WholeBody && len(members) == 0 {
		members = append(members, jsonvalue.Member{Name: "type", Value: jsonvalue.StringOf("object")})
	}
	at := slices.IndexFunc(members, func(m jsonvalue.Member) bool { return m.Name == "description" })
	if at < 0 && (in.Description != "" || name != in.Name) {
		at = len(members)
		members = append(members, jsonvalue.Member{Name: "description", Value: jsonvalue.StringOf(in.Description)})
	}
	if name != in.Name {
		text := strings.TrimRight("The parameter `"+in.Name+"`. "+members[at].Value.Text(), " ")
		members[at].Value = jsonvalue.StringOf(text)
	}
	return jsonvalue.ObjectOf(members)
}

// outputSchema publishes the shape of a success, where a contract has it and
// the answer passes on unchanged.
func (t *tool) outputSchema() []byte {
	c := t.plan.Contract()
	if c == nil || !t.plan.Identity() {
		return nil
	}
	shape, ok := c.Shape()
	if !ok {
		return nil
	}
	kind := shape.Get("type")
	switch {
	case kind != nil && kind.Text() == "object", kind == nil && shape.Get("properties") != nil:
		if kind == nil {
			shape = jsonvalue.ObjectOf(append([]jsonvalue.Member{{Name: "type", Value: jsonvalue.StringOf("object")}}, shape.Elems()...))
		}
	case kind != nil && kind.Text() == "array":
		t.wrap = wrapArray
		shape = wrapped(t.wrap, shape)
	default:
		return nil
	}
	compiled, problems := schema.Compile(&shape, schema.Options{})
	if len(problems) > 0 {
		return nil
	}
	t.shape, t.output = shape, compiled
	return shape.Append(nil)
}

const (
	wrapArray  = "items"
	wrapScalar = "value"
)

// wrapped is an object whose only member has the shape, or is null: an answer
// may turn out to be no array.
func wrapped(name string, shape jsonvalue.Value) jsonvalue.Value {
	members := append([]jsonvalue.Member(nil), shape.Elems()...)
	for i := range members {
		if members[i].Name == "type" {
			members[i].Value = jsonvalue.ArrayOf([]jsonvalue.Member{{Value: members[i].Value}, {Value: jsonvalue.StringOf("null")}})
		}
	}
	return jsonvalue.ObjectOf([]jsonvalue.Member{
		{Name: "type", Value: jsonvalue.StringOf("object")},
		{Name: "properties", Value: jsonvalue.ObjectOf([]jsonvalue.Member{{Name: name, Value: jsonvalue.ObjectOf(members)}})},
	})
}
