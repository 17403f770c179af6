package plan

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"patchbay/internal/auth"
	"patchbay/internal/contract"
	"patchbay/internal/fault"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/schema"
	"patchbay/internal/template"
	"patchbay/internal/upstream"
	"patchbay/internal/wire"
)

// frame is one run: the caller's values, the arguments made of them, and what
// is wrong with either. It lives as long as its output.
type frame struct {
	bound *Bound
	op    *Operation
	call  *call
	args  *Args
	mode  Checks
	// own is the caller's own credential for the call, nil for the file's.
	own    *credential
	caller *auth.Caller

	// arguments are the values of the consumed operation's parameters.
	arguments []jsonvalue.Value
	room      [4]jsonvalue.Value
	all       []jsonvalue.Value
	report    schema.Report
	refused   []fault.Field
	advice    []fault.Field
	// ruled reports that a contract's rule refused, which can be relaxed.
	ruled bool
	// send and output are what goes up and what comes back.
	send   upstream.Request
	output Output
	space  [192]byte
}

// values are the slots of texts: the caller's inputs, the values of earlier
// steps, the variables.
func (f *frame) values() []jsonvalue.Value {
	if len(f.bound.variables)+len(f.op.refs) == 0 {
		return f.args.Values
	}
	if f.all == nil {
		f.all = make([]jsonvalue.Value, len(f.args.Values)+len(f.op.refs)+len(f.bound.variables))
		copy(f.all, f.args.Values)
		for i := range f.op.refs {
			if r := &f.op.refs[i]; r.step == noStep {
				f.all[len(f.args.Values)+i] = r.given(f.args.Values)
			}
		}
		copy(f.all[len(f.args.Values)+len(f.op.refs):], f.variables())
	}
	return f.all
}

// variables are the values of the file's variables for this call.
func (f *frame) variables() []jsonvalue.Value {
	if f.own != nil {
		return f.own.variables
	}
	return f.bound.variables
}

// member is the field of the body that carries the credentials.
func (f *frame) member() *jsonvalue.Member {
	if f.own != nil {
		return &f.own.member
	}
	return &f.bound.members[f.call.to.upstream.at]
}

// readable are the slots that an answer may be made of: everything but the
// variables, which hold credentials.
func (f *frame) readable() []jsonvalue.Value {
	return f.values()[:len(f.args.Values)+len(f.op.refs)]
}

// prepare checks the inputs and makes the arguments of the only call.
func (f *frame) prepare() *fault.Fault {
	f.checkInputs()
	f.makeArguments()
	for i := range f.call.sources {
		f.checkArgument(i)
	}
	return f.refusal()
}

func (f *frame) checkInputs() {
	f.refused = append(f.refused, f.args.Refused...)
	for i := range f.op.Inputs {
		f.checkInput(&f.op.Inputs[i], &f.args.Values[i])
	}
}

// makeArguments evaluates the sources of the current call.
func (f *frame) makeArguments() {
	if n := len(f.call.sources); n <= len(f.room) {
		f.arguments = f.room[:n]
	} else {
		f.arguments = make([]jsonvalue.Value, n)
	}
	for i := range f.call.sources {
		f.arguments[i] = f.argument(&f.call.sources[i])
	}
	if whole := f.call.to.body.whole; whole >= 0 && len(f.call.fields) > 0 {
		if v := &f.arguments[whole]; v.IsAbsent() || v.Kind() == jsonvalue.Object {
			*v = f.withFields(*v)
		}
	}
}

// refusal is the fault of what has been refused so far, or nil.
func (f *frame) refusal() *fault.Fault {
	if len(f.refused) == 0 {
		return nil
	}
	out := &fault.Fault{Kind: fault.InvalidInput, Message: summary(f.refused), Fields: f.refused, Rules: f.ruled}
	if f.ruled && f.call != nil {
		out.Hint = fmt.Sprintf("nothing was sent to %s; its request checks can be relaxed with --request-checks warn", f.call.to.upstream.Namespace)
		if f.call.step != "" {
			out.Hint = "nothing was sent; request checks can be relaxed with --request-checks warn"
		}
	}
	return out
}

func summary(fields []fault.Field) string {
	if len(fields) == 1 {
		return "the request was refused before any call: " + strings.TrimSpace(fields[0].Where()+" "+fields[0].Detail)
	}
	return fmt.Sprintf("the request was refused before any call: %d things are wrong with it", len(fields))
}

func (f *frame) checkInput(in *Input, v *jsonvalue.Value) {
	if v.IsAbsent() {
		switch {
		case f.demanded(in):
			f.refuse(in, "", "is required", "")
			f.ruled = f.ruled || in.Location != Path && !in.Lost
		case in.Required && f.mode == Warn:
			f.advice = append(f.advice, field(in, "", "is required", ""))
		}
		return
	}
	if in.check == nil || f.mode == Off {
		return
	}
	typed := contract.Scalar(in.check, *v)
	switch {
	case in.Location != WholeBody && in.Location != BodyField:
		*v = typed // text takes the type that the file declares
	case f.args.Textual:
		v = &typed
	}
	f.report.Violations = f.report.Violations[:0]
	if !in.check.Check(v, "", &f.report) {
		f.violations(in)
	}
}

// demanded reports whether an input that is not given is a fault of its own.
func (f *frame) demanded(in *Input) bool {
	return in.Required && (f.mode == Enforce || in.Location == Path)
}

func (f *frame) refuse(in *Input, pointer, detail, hint string) {
	f.refused = append(f.refused, field(in, pointer, detail, hint))
}

// field names the place of a fault in the caller's terms.
func field(in *Input, pointer, detail, hint string) fault.Field {
	out := fault.Field{Pointer: pointer, Detail: detail, Hint: hint}
	if in == nil {
		return out
	}
	out.Argument = jsonvalue.Token(in.Name) + pointer
	switch in.Location {
	case WholeBody:
		if pointer == "" {
			out.Parameter = in.Name
		}
	case BodyField:
		out.Pointer = out.Argument
	default:
		out.Parameter = in.Name
	}
	return out
}

// violations sorts the report of a check into refusals and advice: only what
// the provider documents, or was observed to insist on, refuses. A value that
// is too complex to check breaks no rule of anybody's and has no source.
func (f *frame) violations(in *Input) {
	for i := range f.report.Violations {
		v := &f.report.Violations[i]
		out := field(in, v.Pointer, v.Detail, v.Hint)
		if f.mode == Enforce && (v.Source == "D" || v.Source == "O") {
			f.refused = append(f.refused, out)
			f.ruled = true
			continue
		}
		f.advice = append(f.advice, out)
	}
}

func (f *frame) argument(s *source) jsonvalue.Value {
	switch s.kind {
	case fromInput:
		return f.args.Values[s.input]
	case fromLiteral:
		return s.literal
	case fromStep:
		return f.values()[len(f.args.Values)+s.input]
	case fromText:
		text, complete := s.text.Append(nil, f.values(), template.None)
		if !complete && len(text) == 0 {
			return jsonvalue.Value{}
		}
		return jsonvalue.StringOf(string(text))
	case fromData:
		return s.data.value(f.values())
	default:
		return jsonvalue.Value{}
	}
}

// source input of an argument, for messages; nil where it is not one input.
func (f *frame) input(at int) *Input {
	if at < 0 || at >= len(f.call.sources) {
		return nil
	}
	if s := &f.call.sources[at]; s.kind == fromInput {
		return &f.op.Inputs[s.input]
	}
	return nil
}

// checkArgument holds an argument against the contract, and path values
// against what can be one segment of a path.
func (f *frame) checkArgument(at int) {
	p, v := &f.call.to.params[at], &f.arguments[at]
	if p.in == inBody {
		f.checkBody(at)
		return
	}
	if p.in == inPath && p.contract != nil && p.contract.List {
		f.splitSegment(at)
	}
	if p.in == inPath && !f.checkSegment(at) || v.IsAbsent() || p.contract == nil {
		return
	}
	*v = contract.Scalar(p.contract.Schema, *v)
	if f.mode == Off {
		return
	}
	f.report.Violations = f.report.Violations[:0]
	if !p.contract.Schema.Check(v, "", &f.report) {
		f.violations(f.input(at))
	}
}

// splitSegment reads a text as the list that a path carries.
func (f *frame) splitSegment(at int) {
	v := &f.arguments[at]
	if v.Kind() != jsonvalue.String || len(v.Text()) > maxSegment {
		return
	}
	parts := strings.Split(v.Text(), ",")
	elems := make([]jsonvalue.Member, len(parts))
	for i := range parts {
		elems[i].Value = jsonvalue.StringOf(parts[i])
	}
	*v = jsonvalue.ArrayOf(elems)
}

// maxSegment bounds a path value, in bytes.
const maxSegment = 1024

// checkSegment refuses what would change the path instead of filling it,
// whatever the operator says about checks.
func (f *frame) checkSegment(at int) bool {
	v, in := &f.arguments[at], f.input(at)
	text := v.Text()
	flat := v.IsScalar()
	if p := &f.call.to.params[at]; v.Kind() == jsonvalue.Array && p.contract != nil && p.contract.List {
		text = wire.Simple(v, false)
		flat = !slices.ContainsFunc(v.Elems(), func(e jsonvalue.Member) bool { return !e.Value.IsScalar() })
	}
	switch {
	case v.IsAbsent() && in != nil:
		if !f.demanded(in) {
			f.refuse(in, "", "is required, because it is part of a path", "")
		}
	case !flat:
		f.refuse(in, "", "must be a text or a number, because it is part of a path", "")
	case text == "":
		f.refuse(in, "", "must not be empty, because it is part of a path", "")
	case len(text) > maxSegment:
		f.refuse(in, "", fmt.Sprintf("is longer than %d bytes, which no path value is", maxSegment), "")
	case template.HasDotSegment(strings.ReplaceAll(text, "?", "!")): // in a value it starts no query
		f.refuse(in, "", `must not contain "." or ".." as a path segment`, "")
	case !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }):
		f.refuse(in, "", "must be UTF-8 text without control characters", "")
	default:
		return true
	}
	return false
}

func (f *frame) checkBody(at int) {
	if at == f.call.to.body.whole {
		f.checkWhole(&f.arguments[at], f.input(at))
	}
}

// checkWhole brings a whole body into the contract's terms and holds it against
// them. The input is nil where it is made of several.
func (f *frame) checkWhole(v *jsonvalue.Value, in *Input) {
	c := f.call.to.contract
	if v.IsAbsent() || c == nil || c.Body == nil {
		return
	}
	f.report.Violations = f.report.Violations[:0]
	*v = c.Body.Normalize(v, f.args.Textual, &f.report)
	f.refuseClashes(in)
	if f.mode != Off && c.Body.Schema != nil {
		c.Body.Schema.Check(v, "", &f.report)
	}
	if f.mode != Off && len(f.report.Violations) > 0 {
		f.violations(in)
	}
}

// refuseClashes refuses names that were given twice, whatever the operator says
// about checks: one of the two values could only be dropped.
func (f *frame) refuseClashes(in *Input) {
	f.report.Violations = slices.DeleteFunc(f.report.Violations, func(v schema.Violation) bool {
		clash := v.Keyword == contract.TwoSpellings
		if clash {
			f.refuse(in, v.Pointer, v.Detail, v.Hint)
		}
		return clash
	})
}

// request encodes the call.
func (f *frame) request() (*upstream.Request, *fault.Fault) {
	to := f.call.to
	buffer := append(f.space[:0], f.bound.clients[to.upstream.at].Prefix()...)
	buffer, _ = to.target.Append(buffer, f.arguments, template.URLSegment)
	if template.HasDotSegment(buffer) {
		// Two values side by side in one segment can make what neither is.
		return nil, fault.New(fault.InvalidInput, `the path would contain "." or ".." as a segment`)
	}
	path := len(buffer)
	buffer = append(buffer, to.query...)
	f.send = upstream.Request{Method: to.method, Header: f.args.Header, Accept: acceptJSON, Operation: f.bound.counts[to]}
	out := &f.send
	if f.own != nil {
		out.Signer, out.Mask = &f.own.signer, &f.own.mask
	}
	if f.call.step != "" {
		out.Header = out.Header.Clone() // what one step sends is not another's
	}
	switch {
	case to.accept != nil:
		out.Accept = to.accept
	case to.binary:
		out.Accept = acceptAny
	}
	for i := range to.params {
		p, v := &to.params[i], &f.arguments[i]
		if v.IsAbsent() {
			continue
		}
		switch p.in {
		case inQuery:
			buffer = wire.AppendQuery(buffer, path, p.name, v, p.style)
		case inHeader, inCookie:
			if bad := f.header(out, i); bad != nil {
				return nil, bad
			}
		}
	}
	encoded := string(buffer)
	out.Path, out.Query = encoded[:path], encoded[path:]
	return out, f.body(out)
}

// Prepared header values; net/http only reads them.
var (
	acceptJSON = []string{wire.MediaJSON}
	acceptAny  = []string{"*/*"}
)

func (f *frame) header(out *upstream.Request, at int) *fault.Fault {
	p := &f.call.to.params[at]
	text, ok := f.headerText(at)
	if !ok {
		return &fault.Fault{Kind: fault.InvalidInput, Message: summary(f.refused), Fields: f.refused}
	}
	if p.in == inCookie {
		if out.Cookie != "" {
			out.Cookie += "; "
		}
		out.Cookie += p.name + "=" + text
		return nil
	}
	if out.Header == nil {
		out.Header = make(http.Header, 8)
	}
	out.Header[http.CanonicalHeaderKey(p.name)] = []string{text}
	return nil
}

// headerText is the text of an argument that goes into a header; what no header
// can carry is refused.
func (f *frame) headerText(at int) (string, bool) {
	p, v := &f.call.to.params[at], &f.arguments[at]
	text := v.Text()
	switch {
	case v.IsScalar() || v.IsAbsent():
	case p.style == wire.JSONContent || p.contract == nil && v.Kind() == jsonvalue.Object:
		text = string(v.Append(nil))
	default:
		text = wire.Simple(v, p.style == wire.FormExploded && p.contract != nil)
	}
	control := func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }
	if strings.ContainsFunc(text, control) || p.in == inCookie && strings.ContainsAny(text, "; ,\"\\") {
		f.refuse(f.input(at), "", "contains characters that a header cannot carry", "")
		return "", false
	}
	return text, true
}
