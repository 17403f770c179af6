package plan

import (
	"fmt"
	"strings"

	"patchbay/internal/jsonvalue"
	"patchbay/internal/template"
)

// render writes what a plan says, one fact a line, for golden files. Texts are
// shown with the names of their slots: <x> is the caller's input x and <$x> the
// variable x.
func render(p *Plan) string {
	r := &renderer{plan: p}
	for _, u := range p.Upstreams {
		r.upstream(u)
	}
	for _, v := range p.Variables {
		r.variable(v)
	}
	for _, a := range p.REST {
		r.line(0, "rest %s port %d%s%s", a.Namespace, a.Port, nonempty(" address ", a.Address), r.scheme(a.auth))
		for _, op := range a.Operations {
			r.line(1, "%s %s%s", op.Method, op.Path, nonempty(" tags ", strings.Join(op.Tags, " ")))
			r.operation(op.Operation)
			for i, at := range op.PathInputs {
				r.line(2, "{%s} is %s", op.PathNames[i], op.Inputs[at].Name)
			}
		}
	}
	for _, a := range p.MCP {
		transport := ""
		if a.Stdio {
			transport = " stdio"
		}
		r.line(0, "mcp %s port %d%s%s%s", a.Namespace, a.Port, nonempty(" address ", a.Address), transport, r.scheme(a.auth))
		for _, t := range a.Tools {
			r.line(1, "tool%s%s", hints(t), nonempty(" tags ", strings.Join(t.Tags, " ")))
			r.operation(t.Operation)
			for _, block := range t.Content {
				r.line(2, "content %s%s", block.Type, nonempty(" ", block.MimeType))
			}
		}
		for _, m := range a.Resources {
			r.line(1, "resource %s%s%s", m.URI, nonempty(" type ", m.MimeType), nonempty(" files of ", m.Folder))
			if m.Operation != nil {
				r.operation(m.Operation)
			}
			for i, at := range m.ParamInputs {
				r.line(2, "{%s} is %s", m.Params[i], m.Operation.Inputs[at].Name)
			}
		}
		for _, m := range a.Prompts {
			r.line(1, "prompt %s%s", m.Name, nonempty(" file ", m.File))
			for _, arg := range m.Arguments {
				r.line(2, "argument %s required=%t values=%q", arg.Name, arg.Required, arg.Values)
			}
			for _, message := range m.Messages {
				r.line(2, "%s says %s", message.Role, message.Block.Type)
			}
		}
	}
	for _, d := range p.Disabled {
		r.line(0, "disabled %s %q: %s", d.Kind, d.Name, d.Reason)
	}
	return r.out.String()
}

func hints(t *Tool) string {
	out := ""
	for _, h := range []struct {
		name string
		hint *bool
	}{{"readOnly", t.ReadOnly}, {"destructive", t.Destructive}, {"idempotent", t.Idempotent}, {"openWorld", t.OpenWorld}} {
		if h.hint != nil {
			out += fmt.Sprintf(" %s=%t", h.name, *h.hint)
		}
	}
	return out
}

type renderer struct {
	plan *Plan
	out  strings.Builder
}

func (r *renderer) line(indent int, format string, args ...any) {
	r.out.WriteString(strings.Repeat("  ", indent))
	fmt.Fprintf(&r.out, format+"\n", args...)
}

func nonempty(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

func (r *renderer) upstream(u *Upstream) {
	base := "none"
	if u.base != nil {
		base = r.text(u.base, nil)
	}
	profile := ""
	if u.Profile != nil {
		profile = " profile " + u.Profile.Name
	}
	r.line(0, "upstream %s base %s%s%s", u.Namespace, base, profile, r.scheme(u.auth))
}

func (r *renderer) scheme(a *authentication) string {
	if a == nil {
		return ""
	}
	out := " auth " + a.scheme
	for _, f := range []struct {
		name string
		text *template.Bound
	}{{"username", a.username}, {"password", a.password}, {"token", a.token}, {"key", a.name}, {"value", a.value}} {
		if f.text != nil {
			out += " " + f.name + "=" + r.text(f.text, nil)
		}
	}
	if a.place != 0 {
		out += fmt.Sprintf(" place=%d", a.place)
	}
	return out
}

func (r *renderer) variable(v *Variable) {
	how := "undeclared"
	if v.Declared {
		how = "declared"
	}
	from := v.Key + nonempty(" in ", v.Location)
	if v.Inbound {
		how += " inbound"
	}
	r.line(0, "variable %s from %s, %s%s", variableLabel(v), from, how, nonempty(", sent to ", strings.Join(v.Hosts, ", ")))
}

func variableLabel(v *Variable) string {
	if v.Namespace == "" {
		return v.Name
	}
	return v.Namespace + "." + v.Name
}

func (r *renderer) operation(op *Operation) {
	r.line(2, "name %s", op.Name)
	for i := range op.Inputs {
		r.input(&op.Inputs[i])
	}
	for i := range op.calls {
		c := &op.calls[i]
		step := "call"
		if c.step != "" {
			step = "step " + c.step + " calls"
		}
		r.line(2, "%s %s.%s: %s %s%s", step, c.to.upstream.Namespace, c.to.name, c.to.method, r.target(c.to), nonempty("?", c.to.query))
		if c.to.contract != nil {
			r.line(3, "contract %s %s", c.to.contract.Document, c.to.contract.ID)
		}
		for j := range c.to.params {
			r.argument(op, c, j)
		}
		for j := range c.fields {
			r.line(3, "field %s = %s", strings.Join(c.fields[j].path, "."), r.source(op, &c.fields[j].source))
		}
		switch {
		case c.media() == "":
		case c.to.body.isDeclared():
			r.line(3, "body %s is declared", c.media())
		case c.to.body.whole >= 0:
			r.line(3, "body %s is %s", c.media(), c.to.params[c.to.body.whole].name)
		default:
			r.line(3, "body %s of fields", c.media())
		}
	}
	if op.mock != nil {
		r.mock(3, op, "mock", op.mock.members)
		return
	}
	if op.assembly != nil {
		for _, part := range op.assembly.parts {
			r.line(2, "output %s from %s", strings.Join(part.target, "."), part.path)
		}
		return
	}
	if op.output == nil {
		r.line(2, "output is the answer")
		return
	}
	for _, s := range op.output.alternatives {
		r.shape(op, 2, "output", s)
	}
}

func (r *renderer) input(in *Input) {
	out := fmt.Sprintf("input %q in %s", in.Name, in.Location)
	if in.Location == WholeBody {
		out = fmt.Sprintf("input %q is the body", in.Name)
	}
	for _, flag := range []struct {
		on   bool
		name string
	}{{in.Required, " required"}, {in.Lost, " lost"}, {in.repeats, " repeats"}, {in.check != nil, " checked"}} {
		if flag.on {
			out += flag.name
		}
	}
	schema := string(in.Schema.Append(nil))
	if len(schema) > 200 {
		schema = schema[:strings.LastIndexByte(schema[:200], ',')] + ",…"
	}
	r.line(2, "%s %s%s", out, schema, nonempty(" -- ", in.Description))
}

func (r *renderer) target(to *consumed) string {
	if to.target == nil {
		return "?"
	}
	values := make([]jsonvalue.Value, len(to.params))
	for i := range to.params {
		values[i] = jsonvalue.StringOf("<" + to.params[i].name + ">")
	}
	out, _ := to.target.Append(nil, values, template.None)
	return string(out)
}

func (in in) String() string {
	return [...]string{"path", "query", "header", "cookie", "body", "template", "nowhere"}[in]
}

func (r *renderer) argument(op *Operation, c *call, at int) {
	p := &c.to.params[at]
	out := fmt.Sprintf("%s %q", p.in, p.name)
	if p.required {
		out += " required"
	}
	if p.contract != nil {
		out += " contracted"
	}
	r.line(3, "%s = %s", out, r.source(op, &c.sources[at]))
}

func (r *renderer) source(op *Operation, s *source) string {
	switch s.kind {
	case fromInput:
		return fmt.Sprintf("input %q", op.Inputs[s.input].Name)
	case fromLiteral:
		return string(s.literal.Append(nil))
	case fromStep:
		return stepValue(op, s.input)
	case fromText:
		return "text " + r.text(s.text, op)
	case fromData:
		v := s.data.value(r.slots(op))
		return "data " + string(v.Append(nil))
	default:
		return "nothing"
	}
}

// stepValue names what a reference to an earlier step takes.
func stepValue(op *Operation, at int) string {
	ref := &op.refs[at]
	if ref.step == noStep {
		if ref.selects != nil {
			return fmt.Sprintf("%s of input %q", ref.selects, op.Inputs[ref.input].Name)
		}
		return "given " + string(ref.constant.Append(nil))
	}
	return strings.Join(append([]string{"step " + op.calls[ref.step].step}, ref.path...), ".")
}

func (r *renderer) mock(indent int, op *Operation, name string, members []mockMember) {
	r.line(indent-1, "%s", name)
	for i := range members {
		m := &members[i]
		switch {
		case m.shape != nil:
			r.shape(op, indent, m.name+nonempty(" as ", m.kind), m.shape)
		case m.items != nil:
			r.mock(indent+1, op, m.name+" []", []mockMember{*m.items})
		default:
			r.mock(indent+1, op, m.name, m.members)
		}
	}
}

// text renders a text over the inputs of an operation, if any, and the variables.
func (r *renderer) text(t *template.Bound, op *Operation) string {
	if t == nil {
		return "none"
	}
	out, complete := t.Append(nil, r.slots(op), template.None)
	if !complete {
		return string(out) + " (incomplete)"
	}
	return string(out)
}

// slots are the names of what texts are made of.
func (r *renderer) slots(op *Operation) []jsonvalue.Value {
	var values []jsonvalue.Value
	if op != nil {
		for i := range op.Inputs {
			values = append(values, jsonvalue.StringOf("<"+op.Inputs[i].Name+">"))
		}
		for i := range op.refs {
			values = append(values, jsonvalue.StringOf("<"+stepValue(op, i)+">"))
		}
	}
	for _, v := range r.plan.Variables {
		values = append(values, jsonvalue.StringOf("<$"+variableLabel(v)+">"))
	}
	return values
}

func (r *renderer) shape(op *Operation, indent int, name string, s *shape) {
	out := name
	switch s.kind {
	case shapeNull:
		out += " null"
	case shapeWhole:
		out += " whole"
	case shapePath:
		out += " path " + s.path.String()
	case shapeFixed:
		out += " fixed " + string(s.fixed.Append(nil))
	case shapeText:
		out += " text " + r.text(s.text, op)
	case shapeObject:
		out += " object"
	case shapeArray:
		out += " array " + s.path.String()
	}
	if s.maxLength > 0 {
		out += fmt.Sprintf(" at most %d", s.maxLength)
	}
	r.line(indent, "%s", out)
	for _, p := range s.properties {
		r.shape(op, indent+1, p.name, p.shape)
	}
	if s.items != nil {
		r.shape(op, indent+1, "items", s.items)
	}
}
