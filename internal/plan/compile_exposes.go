package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"patchbay/internal/diag"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/route"
	"patchbay/internal/spec"
)

// exposes compiles every adapter.
func (c *compiler) exposes() {
	runs := 0
	for i := range c.doc.Exposes {
		from := &c.doc.Exposes[i]
		if from.Import != nil {
			c.disable(CodeUnsupported, "adapter", from.Namespace.Value, from.Span, "imports are not read yet", "copy the adapter into this file")
			continue
		}
		switch from.Type.Value {
		case "rest":
			a := c.restAdapter(from)
			c.plan.REST = append(c.plan.REST, a)
			runs += len(a.Operations)
		case "mcp":
			a := c.mcpAdapter(from)
			c.plan.MCP = append(c.plan.MCP, a)
			runs += len(a.Tools) + len(a.Resources) + len(a.Prompts)
		case "skill", "control":
			c.disable(CodeUnsupported, "adapter", firstOf(from.Namespace.Value, from.Type.Value), from.Type.Span, "adapters of type "+from.Type.Value+" are not run yet", "")
		default:
			// A slip of the pen must not take a whole adapter away unnoticed.
			if near := diag.Nearest(from.Type.Value, []string{"rest", "mcp", "skill", "control"}); near != "" {
				c.diags.Errorf(CodeUnsupported, from.Type.Span, "%q is not a type of adapter", clip(from.Type.Value)).WithHint("did you mean %s?", near)
				continue
			}
			c.disable(CodeUnsupported, "adapter", firstOf(from.Namespace.Value, from.Type.Value), from.Type.Span, quote(clip(from.Type.Value))+" is not a type of adapter", "rest and mcp are")
		}
	}
	if runs == 0 && !c.diags.HasErrors() {
		c.diags.Errorf(CodeNothingRuns, diag.Span{File: c.doc.File}, "the document exposes nothing that runs")
	}
	c.ports()
}

// ports reports adapters of different types on one port.
func (c *compiler) ports() {
	seen := map[int]*spec.Exposes{}
	for i := range c.doc.Exposes {
		e := &c.doc.Exposes[i]
		if e.Port.Value == 0 {
			continue
		}
		if before := seen[e.Port.Value]; before != nil && before.Address.Value == e.Address.Value {
			c.diags.Errorf(CodePortClash, e.Port.Span, "the port %d is used by two adapters", e.Port.Value).WithRelated(before.Port.Span, "first used here")
			continue
		}
		seen[e.Port.Value] = e
	}
}

// restScopes and mcpScopes are the words that mean "the caller's input" in a
// reference, beside the adapter's own namespace.
var inputScopes = [...]string{"rest", "mcp", "tools"}

func (c *compiler) restAdapter(from *spec.Exposes) *RESTAdapter {
	a := &RESTAdapter{
		Namespace: from.Namespace.Value, Description: from.Description.Value, Address: from.Address.Value, Port: from.Port.Value,
		Span: from.Span, auth: c.authentication(from.Authentication, "", true),
	}
	uses := map[string]int{}
	var routes route.Table[*RESTOperation]
	for i := range from.Resources {
		r := &from.Resources[i]
		if r.Forward != nil {
			c.disable(CodeUnsupported, "forward", r.Path.Value, r.Forward.Span, "forwarding whole resources is not run yet", "declare the operations that callers need")
		}
		for j := range r.Operations {
			if op := c.restOperation(from, r, &r.Operations[j], uses); op != nil {
				c.addRoute(a, &routes, op, r.Path.Span)
			}
		}
	}
	return a
}

func (c *compiler) restOperation(from *spec.Exposes, r *spec.ExposedResource, e *spec.ExposedOperation, uses map[string]int) *RESTOperation {
	op := &RESTOperation{
		Method: strings.ToUpper(e.Method.Value), Path: r.Path.Value, Resource: r.Name.Value, ResourceText: r.Description.Value,
		Tags: texts(append(slices.Clone(r.Tags), e.Tags...)),
	}
	if op.Method == "" {
		op.Method = "GET"
	}
	if !slices.Contains(methods, op.Method) {
		c.method(e.Method)
		return nil
	}
	if !strings.HasPrefix(op.Path, "/") {
		op.Path = "/" + op.Path
	}
	if i := strings.IndexAny(op.Path, "?#"); i >= 0 {
		c.diags.Warnf(CodePath, r.Path.Span, "a query string cannot be part of a route; %q is left out", clip(op.Path[i:]))
		op.Path = op.Path[:i]
	}
	for _, segment := range route.Split(op.Path) {
		_, names := route.Parts(segment)
		op.PathNames = append(op.PathNames, names...)
	}
	if len(op.PathNames) > route.MaxParams || len(route.Split(op.Path)) > route.MaxSegments {
		c.diags.Errorf(CodePath, r.Path.Span, "the path has more than %d placeholders or %d segments", route.MaxParams, route.MaxSegments)
		return nil
	}
	name := e.Name.Value
	if name == "" {
		name = strings.ToLower(op.Method) + "-" + strings.Trim(strings.NewReplacer("/", "-", "{", "", "}", "").Replace(op.Path), "-")
	}
	if twice, is := repeated(op.PathNames); is {
		c.disable(CodePath, "operation", name, r.Path.Span, "its path has the placeholder {"+clip(twice)+"} twice", "")
		return nil
	}
	b := &builder{
		compiler: c, kind: "operation", name: name, namespace: from.Namespace.Value, rest: true, pathNames: op.PathNames,
		description: e.Description.Value, label: e.Label.Value, span: e.Span, uses: uses,
		guarded: from.Authentication != nil || c.opts.Guarded != nil && c.opts.Guarded(from.Namespace.Value), bodyless: op.Method == "GET" || op.Method == "HEAD",
	}
	op.Operation = b.build(&e.Run, from.Inputs, r.Inputs, e.Inputs)
	if op.Operation == nil {
		return nil
	}
	op.PathInputs = b.pathInputs
	return op
}

// repeated returns the first name that occurs twice, which may be empty, and
// whether there is one.
func repeated(names []string) (string, bool) {
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return name, true
		}
	}
	return "", false
}

func (c *compiler) addRoute(a *RESTAdapter, routes *route.Table[*RESTOperation], op *RESTOperation, span diag.Span) {
	if clash := routes.Add(op.Path, op.Method, op); clash != nil {
		reason := fmt.Sprintf("%s %s is the same route as %s of operation %q", op.Method, op.Path, clash.With, clash.Value.Name)
		c.disable(CodeRouteClash, "operation", op.Name, span, reason, "").WithRelated(clash.Value.Span, "declared first here")
		return
	}
	a.Operations = append(a.Operations, op)
}

func (c *compiler) mcpAdapter(from *spec.Exposes) *MCPAdapter {
	a := &MCPAdapter{
		Namespace: from.Namespace.Value, Description: from.Description.Value, Address: from.Address.Value, Port: from.Port.Value,
		TTL: time.Duration(from.TTL.Value) * time.Millisecond, CacheScope: from.CacheScope.Value,
		Stdio: from.Transport.Value == "stdio", Span: from.Span, auth: c.authentication(from.Authentication, "", true),
	}
	uses := map[string]int{}
	names := c.toolNames(from)
	for i := range from.Tools {
		t := &from.Tools[i]
		b := &builder{
			compiler: c, kind: "tool", name: names[i], namespace: from.Namespace.Value,
			description: t.Description.Value, label: t.Label.Value, span: t.Span, uses: uses,
		}
		if tool := b.tool(t, from.Inputs); tool != nil {
			a.Tools = append(a.Tools, tool)
		}
	}
	c.mcpResources(a, from, uses)
	c.prompts(a, from)
	return a
}

// toolNames gives each tool a name of its own: of several with one name, as
// generated files have them, the later ones get a number.
func (c *compiler) toolNames(from *spec.Exposes) []string {
	names := make([]string, len(from.Tools))
	seen := map[string]diag.Span{}
	for i := range from.Tools {
		names[i] = from.Tools[i].Name.Value
		if _, twice := seen[names[i]]; !twice {
			seen[names[i]] = from.Tools[i].Name.Span
		}
	}
	taken := map[string]int{}
	for i := range from.Tools {
		name := from.Tools[i].Name
		taken[name.Value]++
		if taken[name.Value] == 1 {
			continue
		}
		for n := taken[name.Value]; ; n++ {
			names[i] = fmt.Sprintf("%s-%d", name.Value, n)
			if _, is := seen[names[i]]; !is {
				break
			}
		}
		c.diags.Warnf(CodeToolTwice, name.Span, "a tool %q exists already; this one is offered as %q", name.Value, names[i]).
			WithRelated(seen[name.Value], "declared first here")
		seen[names[i]] = name.Span
	}
	return names
}

// tool compiles one tool; nil where it cannot run.
func (b *builder) tool(t *spec.Tool, shared []spec.Parameter) *Tool {
	out := &Tool{
		ReadOnly: hint(t.Hints.ReadOnly), Destructive: hint(t.Hints.Destructive),
		Idempotent: hint(t.Hints.Idempotent), OpenWorld: hint(t.Hints.OpenWorld),
		Tags: append(texts(b.doc.Info.Tags), texts(t.Tags)...), RequiresClientCapabilities: texts(t.RequiresClientCapabilities),
	}
	declared := append(slices.Clone(shared), t.Inputs...)
	if t.InputSchema != nil {
		out.RawSchema = nodeValue(t.InputSchema)
		if !b.usable(&out.RawSchema, t.InputSchema.Span) {
			return nil
		}
		declared = append(declared, b.rawInputs(&out.RawSchema, t.InputSchema)...)
	}
	if t.Content != nil {
		for i := range t.Content.Elements {
			block, ok := b.block(&t.Content.Elements[i])
			if !ok {
				return nil
			}
			out.Content = append(out.Content, block)
		}
		if !t.Run.Call.Set() && len(t.Run.Steps) == 0 {
			out.Operation = b.answered(declared)
			if !b.mirroredInputs(out.Operation, declared) {
				return nil
			}
			return out
		}
		b.diags.Warnf(CodeContentBlock, t.Content.Span, "%s answers from its call; its content is not used", b.describe())
		out.Content = nil
	}
	if out.Operation = b.build(&t.Run, declared); out.Operation == nil || !b.mirroredInputs(out.Operation, declared) {
		return nil
	}
	return out
}

// answered is the operation of a tool whose result the file spells out.
func (b *builder) answered(declared []spec.Parameter) *Operation {
	for i := range declared {
		b.declare(&declared[i])
	}
	return &Operation{Name: b.name, Label: b.label, Description: b.description, Span: b.span, Inputs: b.inputs, mock: &mock{}}
}

// rawInputs are the inputs that a raw schema's properties stand for.
func (b *builder) rawInputs(schema *jsonvalue.Value, at *spec.Node) []spec.Parameter {
	properties := schema.Get("properties")
	if properties == nil {
		return nil
	}
	required := schema.Get("required")
	var out []spec.Parameter
	for _, m := range properties.Elems() {
		needed := false
		for i := 0; required != nil && i < required.Len(); i++ {
			needed = needed || required.Elems()[i].Value.Text() == m.Name
		}
		p := spec.Parameter{Span: at.Span, Name: spec.Text{Value: m.Name, Span: at.Span}, Required: spec.Bool{Value: needed, Span: at.Span}}
		if t := m.Value.Get("type"); t != nil {
			p.Type = spec.Text{Value: t.Text(), Span: at.Span}
		}
		out = append(out, p)
	}
	return out
}

// nodeValue is a YAML value of the user's as JSON.
func nodeValue(n *spec.Node) jsonvalue.Value {
	switch n.Kind {
	case spec.Mapping:
		members := make([]jsonvalue.Member, len(n.Members))
		for i := range n.Members {
			members[i] = jsonvalue.Member{Name: n.Members[i].Name.Value, Value: nodeValue(&n.Members[i].Value)}
		}
		return jsonvalue.ObjectOf(members)
	case spec.Sequence:
		elems := make([]jsonvalue.Member, len(n.Elements))
		for i := range n.Elements {
			elems[i].Value = nodeValue(&n.Elements[i])
		}
		return jsonvalue.ArrayOf(elems)
	case spec.Scalar:
		switch n.Tag {
		case "!!null":
			return jsonvalue.NullOf()
		case "!!bool":
			return typedText("boolean", n.Text.Value)
		case "!!int", "!!float":
			return typedText("number", n.Text.Value)
		}
		return jsonvalue.StringOf(n.Text.Value)
	default:
		return jsonvalue.Value{}
	}
}

func hint(b spec.Bool) *bool {
	if !b.Set() {
		return nil
	}
	v := b.Value
	return &v
}

func texts(list []spec.Text) []string {
	var out []string
	for _, t := range list {
		out = append(out, t.Value)
	}
	return out
}

// resolve finds what `call` names: the operation of that name in the consumed
// namespace. Where several share the name, the n-th use in an adapter means
// the n-th of them, as their generator counts.
//
// It returns nil where there is none or the operation is broken; the reason has
// been reported.
func (c *compiler) resolve(call spec.Text, uses map[string]int) *consumed {
	namespace, name, ok := strings.Cut(call.Value, ".")
	u := c.upstreams[namespace]
	if !ok || u == nil {
		c.diags.Errorf(CodeCallUnresolved, call.Span, "%q names nothing that is consumed", clip(call.Value)).Hint = c.nearCall(call.Value)
		return nil
	}
	var found []*consumed
	var names []string
	for _, op := range u.operations {
		names = append(names, op.name)
		if op.name == name {
			found = append(found, op)
		}
	}
	switch {
	case len(found) == 0:
		d := c.diags.Errorf(CodeCallUnresolved, call.Span, "%s consumes no operation %q", namespace, clip(name))
		if near := diag.Nearest(name, names); near != "" {
			d.WithHint("did you mean %s.%s?", namespace, near)
		}
		return nil
	case len(found) == 1:
		return found[0].sound()
	}
	n := uses[call.Value]
	uses[call.Value]++
	if n >= len(found) {
		c.diags.Errorf(CodeCallAmbiguous, call.Span, "%s names %d operations, and this is its use number %d", call.Value, len(found), n+1)
		return nil
	}
	c.diags.Notef(CodeCallAmbiguous, call.Span, "%s names %d operations; this use means number %d, %s %s", call.Value, len(found), n+1, found[n].method, found[n].path)
	return found[n].sound()
}

// sound returns the operation, or nil where it is broken.
func (op *consumed) sound() *consumed {
	if op.broken {
		return nil
	}
	return op
}

// isAbsent reports whether a call names an API that is not run as a whole. The
// API has its finding; the operations that call it have none of their own.
func (c *compiler) isAbsent(call spec.Text) bool {
	namespace, _, _ := strings.Cut(call.Value, ".")
	return c.absent[namespace] && c.upstreams[namespace] == nil
}

func (c *compiler) upstreamNames() []string {
	var out []string
	for _, u := range c.plan.Upstreams {
		out = append(out, u.Namespace)
	}
	return out
}

// unsupportedRun says why a run cannot be compiled, or "".
func unsupportedRun(run *spec.Run) string {
	switch {
	case run.Flow.Set() && !run.Ref.Set() && !run.Call.Set() && len(run.Steps) == 0:
		return "its " + run.Flow.Value + " is not a part of the format that is run"
	case run.Ref.Set():
		return "functions of aggregates (ref:) are not run yet"
	case run.Call.Set():
		return ""
	case len(run.Steps) > 0:
		return unsupportedStep(run)
	case len(run.Outputs) > 0:
		return ""
	default:
		return "it says neither call, steps, ref nor a mock answer"
	}
}

func (b *builder) describe() string { return fmt.Sprintf("%s %q", b.kind, b.name) }
