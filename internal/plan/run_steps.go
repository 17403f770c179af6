package plan

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"patchbay/internal/auth"
	"patchbay/internal/fault"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/schema"
	"patchbay/internal/template"
)

// runMock answers from the document alone.
func (b *Bound) runMock(op *Operation, args *Args) (*Output, error) {
	f := frame{bound: b, op: op, args: args}
	f.checkInputs()
	if refused := f.refusal(); refused != nil {
		return nil, refused
	}
	v, ok := op.mock.value(f.values())
	if !ok {
		return &Output{Status: http.StatusNoContent, Mock: true, Advice: f.advice}, nil
	}
	return &Output{Status: http.StatusOK, Body: v.Append(nil), Mock: true, Advice: f.advice}, nil
}

// runSteps performs the calls of an operation one after the other. Everything
// that can be checked without an answer is checked before the first call. A
// step that fails ends the run: its answer, or its fault, is the operation's,
// with the name of the step and of those before it that changed something. All
// steps share the time that one call may take.
func (b *Bound) runSteps(ctx context.Context, op *Operation, args *Args) (*Output, error) {
	own := *args
	own.Header = unconditional(args.Header)
	args = &own
	if refused := b.permit(ctx, op); refused != nil {
		return nil, refused
	}
	f := &frame{bound: b, op: op, args: args, mode: b.mildest(op), caller: auth.CallerOf(ctx)}
	if refused := f.checkAhead(); refused != nil {
		return nil, refused
	}
	ctx, cancel := context.WithTimeout(ctx, b.deadline(op))
	defer cancel()
	outputs := make([]jsonvalue.Member, len(op.calls))
	var effects []string
	for i := range op.calls {
		last := i == len(op.calls)-1
		out, err := f.runStep(ctx, &op.calls[i], last)
		if err != nil {
			// What was accepted took effect, even if its answer was lost.
			if status := fault.Of(err).UpstreamStatus; status >= 200 && status < 300 && !last && !op.calls[i].to.safe() {
				effects = append(effects, op.calls[i].step)
			}
			return nil, stepFault(err, op.calls[i].step, effects)
		}
		if !out.OK() {
			out.Step, out.Effects, out.Advice = op.calls[i].step, effects, f.advice
			return out, nil
		}
		if !op.calls[i].to.safe() {
			effects = append(effects, op.calls[i].step)
		}
		if err := f.keep(outputs, i, out, last); err != nil {
			out.Release()
			return nil, stepFault(err, op.calls[i].step, effects)
		}
		if args.Progress != nil {
			args.Progress(i+1, len(op.calls), op.calls[i].step)
		}
		if last {
			return f.assembled(outputs, out)
		}
		out.Release()
	}
	return nil, fault.New(fault.Internal, "an operation without steps was run")
}

// deadline is the time of a run of several steps: what a single call of the
// slowest upstream may take.
func (b *Bound) deadline(op *Operation) time.Duration {
	var longest time.Duration
	for i := range op.calls {
		longest = max(longest, b.totals[op.calls[i].to.upstream.at])
	}
	return longest
}

// unconditional is a caller's header without what speaks about one
// representation (RFC 9110 section 13): no step's answer is what the caller has.
func unconditional(h http.Header) http.Header {
	if h == nil {
		return nil
	}
	h = h.Clone()
	for _, name := range []string{"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"} {
		delete(h, name)
	}
	return h
}

// mildest is the mode in which the inputs of several calls are checked: what
// the operator relaxed for one of the upstreams must not be refused for all.
func (b *Bound) mildest(op *Operation) Checks {
	mode := Enforce
	for i := range op.calls {
		mode = max(mode, b.checks[op.calls[i].to.upstream.at])
	}
	return mode
}

// checkAhead refuses what is wrong with the inputs, and with every argument
// that does not wait for a step.
func (f *frame) checkAhead() *fault.Fault {
	f.checkInputs()
	for i := range f.op.calls {
		f.use(&f.op.calls[i])
		f.makeArguments()
		waiting := false
		for at := range f.call.sources {
			if f.call.sources[at].waits(f.op) {
				waiting = true
				continue
			}
			f.checkArgument(at)
			if in := f.call.to.params[at].in; in == inHeader || in == inCookie {
				f.headerText(at)
			}
		}
		for at := range f.call.fields {
			waiting = waiting || f.call.fields[at].source.waits(f.op)
		}
		if waiting || len(f.refused) > 0 {
			continue
		}
		advice := len(f.advice)
		if _, bad := f.request(); bad != nil {
			return bad
		}
		f.advice = f.advice[:advice] // said when the step is run
	}
	return f.refusal()
}

// waits reports whether the value needs the output of a step.
func (s *source) waits(op *Operation) bool {
	switch {
	case s.kind == fromStep:
		return op.refs[s.input].step != noStep
	case s.kind == fromText && s.text != nil:
		return waits(op, s.text)
	case s.kind == fromData:
		waiting := false
		s.data.texts(func(d *data) { waiting = waiting || waits(op, d.text) })
		return waiting
	default:
		return false
	}
}

func waits(op *Operation, text *template.Bound) bool {
	for _, at := range text.Slots() {
		if ref := at - len(op.Inputs); ref >= 0 && ref < len(op.refs) && op.refs[ref].step != noStep {
			return true
		}
	}
	return false
}

func (f *frame) use(c *call) {
	f.call, f.mode = c, f.bound.checks[c.to.upstream.at]
	own := f.bound.callers[c.to.upstream.at].of(f.caller)
	if own != f.own && f.all != nil {
		f.own = own
		copy(f.all[len(f.args.Values)+len(f.op.refs):], f.variables())
	}
	f.own = own
}

// runStep performs one call. The last one's answer is shaped as the
// operation's where nothing is assembled.
func (f *frame) runStep(ctx context.Context, c *call, last bool) (*Output, error) {
	f.use(c)
	f.report = schema.Report{}
	f.makeArguments()
	for i := range c.sources {
		before, advice := len(f.refused), len(f.advice)
		f.checkArgument(i)
		if !c.sources[i].waits(f.op) {
			f.advice = f.advice[:advice] // said ahead already
		}
		for j := before; j < len(f.refused); j++ {
			if f.refused[j].Where() == "" {
				f.refused[j].Parameter = c.to.params[i].name
			}
		}
	}
	if len(f.refused) > 0 {
		return nil, f.unfit(c, "")
	}
	request, bad := f.request()
	if bad != nil {
		return nil, f.unfit(c, bad.Message)
	}
	response, err := f.bound.clients[c.to.upstream.at].Do(ctx, request)
	if err != nil {
		return nil, err
	}
	out := &Output{Status: response.Status, Header: response.Header, Body: response.Body, response: response}
	if last && f.op.assembly == nil {
		if bad := f.answer(out); bad != nil {
			out.Release()
			return nil, bad
		}
	}
	return out, nil
}

// unfit says that a step cannot be called with what the steps before it gave.
// The caller's own values were checked ahead.
func (f *frame) unfit(c *call, message string) *fault.Fault {
	var what []string
	if len(f.refused) == 0 {
		what = append(what, message)
	}
	for _, field := range f.refused {
		what = append(what, strings.TrimSpace(field.Where()+" "+field.Detail))
	}
	return &fault.Fault{
		Kind: fault.Mapping, Outcome: fault.NotSent,
		Message: fmt.Sprintf("step %s cannot be called with what the steps before it gave: %s", c.step, strings.Join(what, "; ")),
	}
}

// keep remembers a step's output for later steps and for the assembly.
func (f *frame) keep(outputs []jsonvalue.Member, at int, out *Output, last bool) error {
	outputs[at].Name = f.op.calls[at].step
	if last && f.op.assembly == nil {
		return nil
	}
	v, bad := f.op.calls[at].to.stepOutput(out.Body)
	if bad != nil {
		bad.UpstreamStatus = out.Status
		return bad
	}
	outputs[at].Value = v
	all := f.values()
	for i := range f.op.refs {
		if r := &f.op.refs[i]; r.step == at {
			all[len(f.args.Values)+i] = r.of(&outputs[at].Value)
		}
	}
	return nil
}

// assembled is the result of a run whose steps all succeeded.
func (f *frame) assembled(outputs []jsonvalue.Member, out *Output) (*Output, error) {
	out.Advice = f.advice
	if f.op.assembly == nil {
		return out, nil
	}
	v, ok := f.op.assembly.result(outputs)
	if !ok {
		if bad := f.answer(out); bad != nil {
			out.Release()
			return nil, bad
		}
		return out, nil
	}
	out.Release()
	// No header of one answer describes what was put together from several.
	return &Output{Status: http.StatusOK, Body: v.Append(nil), Advice: f.advice}, nil
}

// stepFault says in which step a fault arose, and what had been done before.
// The fault itself may be shared and is not changed.
func stepFault(err error, step string, effects []string) error {
	f := *fault.Of(err)
	f.Step, f.Effects = step, effects
	if len(effects) > 0 && f.Outcome == fault.NoCall {
		f.Outcome = fault.NotSent // earlier steps took effect, this one sent nothing
	}
	return &f
}
