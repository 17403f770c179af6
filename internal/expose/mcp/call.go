package mcp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"patchbay/internal/auth"
	"patchbay/internal/diag"
	"patchbay/internal/fault"
	"patchbay/internal/jsonvalue"
	core "patchbay/internal/mcp"
	"patchbay/internal/plan"
	"patchbay/internal/schema"
	"patchbay/internal/telemetry"
)

// argument returns the input that the name of an argument means, -1 for none.
// Where it is not written as the tool has it, case, '-' and '_' do not count, as
// long as the name means one argument only.
func (t *tool) argument(name string) int {
	if at := slices.Index(t.known, name); at >= 0 {
		return at
	}
	folded, found := diag.Fold(name), -1
	for at, known := range t.known {
		if diag.Fold(known) != folded {
			continue
		}
		// What is mirrored into a header or checked by a schema of the file's
		// own is compared by its exact name, and so nothing else may mean it.
		if found >= 0 || !t.plan.RawSchema.IsAbsent() || t.plan.Inputs[at].Schema.Get("x-mcp-header") != nil {
			return -1
		}
		found = at
	}
	if found >= 0 || !t.plan.RawSchema.IsAbsent() {
		return found
	}
	// An input's own name is understood as well where hosts are shown another.
	for at := range t.known {
		in := &t.plan.Inputs[at]
		if in.Name == t.known[at] || diag.Fold(in.Name) != folded || in.Schema.Get("x-mcp-header") != nil {
			continue
		}
		if found >= 0 {
			return -1
		}
		found = at
	}
	return found
}

// call runs the tool. What fails is a result that the model reads, never a
// protocol error.
func (t *tool) call(ctx context.Context, c *core.Call) (core.Result, error) {
	start := time.Now()
	ctx = t.adapter.as(ctx)
	access := telemetry.Access{
		Caller:   auth.CallerOf(ctx).CallerName(),
		Protocol: "mcp", Method: "tools/call", Era: c.Era.String(), Revision: c.Revision, Transport: transport(c.Transport),
		RequestID: t.adapter.IDs.Accept(c.Header.Get("X-Request-Id")),
	}
	ctx = access.Begin(ctx, t.adapter.Log, carrier(ctx), start)
	access.Reach(t.counts)
	defer access.Leave()
	var result core.Result
	refused := t.adapter.permit(ctx, t.plan.Name)
	if refused != nil {
		access.Fault, access.Failed = refused.Fault, true
	} else {
		var f *fault.Fault
		if result, f = t.attempt(ctx, c, &access); f != nil {
			access.Fault = f
			result = t.failed(f)
		}
		if access.Replayed {
			result.Meta = []byte(`{"` + metaReplayed + `":true}`)
		}
		access.Failed = result.IsError
	}
	access.Duration = time.Since(start)
	t.adapter.Log.Log(ctx, &access)
	if refused != nil {
		return core.Result{}, denied(refused)
	}
	return result, nil
}

// attempt runs the tool. A panic ends here, as a fault: whoever called has to know
// whether something may have happened.
func (t *tool) attempt(ctx context.Context, c *core.Call, access *telemetry.Access) (result core.Result, f *fault.Fault) {
	defer func() {
		if v := recover(); v != nil {
			result, f = core.Result{}, t.adapter.Log.Panicked(ctx, access, v, debug.Stack())
		}
	}()
	return t.run(ctx, c, access)
}

func (t *tool) run(ctx context.Context, c *core.Call, access *telemetry.Access) (core.Result, *fault.Fault) {
	if f := pay(ctx); f != nil {
		return core.Result{}, f
	}
	args, f := t.arguments(c.Arguments)
	if f != nil {
		return core.Result{}, f
	}
	if t.plan.Content != nil {
		return t.spelledOut(ctx, args)
	}
	if len(t.plan.Calls()) > 1 {
		args.Progress = func(done, total int, step string) { c.Progress(float64(done), float64(total), step) }
	}
	out, err := t.perform(ctx, c, args, access)
	if err != nil {
		f := fault.Of(err)
		access.Retries = f.Retries
		if !access.Replayed {
			access.UpstreamStatus = f.UpstreamStatus
		}
		return core.Result{}, f
	}
	defer out.Release()
	access.Advice, access.Retries = len(out.Advice), out.Retries
	access.Answer(out.Outcome, out.Status, out.Effects)
	if !access.Replayed {
		access.UpstreamStatus = upstreamStatus(out)
	}
	result := t.capped(t.result(out))
	for _, a := range out.Advice {
		if result.Content == nil && result.Structured != nil {
			result.Content = []core.Content{core.TextContent(string(result.Structured))}
		}
		result.Content = append(result.Content, core.TextContent("Note: "+sentence(t.offered(a))))
	}
	return result, nil
}

// upstreamStatus is the status to log: 0 where nothing was called.
func upstreamStatus(out *plan.Output) int {
	if out.Mock {
		return 0
	}
	return out.Status
}

// arguments gives the values of the call to the operation's inputs.
func (t *tool) arguments(raw []byte) (*plan.Args, *fault.Fault) {
	root, err := jsonvalue.Parse(raw)
	if err != nil || root.Kind() != jsonvalue.Object {
		return nil, &fault.Fault{Kind: fault.InvalidInput, Message: "the arguments are not a JSON object", Cause: err}
	}
	args := &plan.Args{Values: make([]jsonvalue.Value, len(t.plan.Inputs))}
	var wrong []fault.Field
	for _, m := range root.Elems() {
		at := t.argument(m.Name)
		switch {
		case at < 0:
			field := fault.Field{Parameter: m.Name, Argument: jsonvalue.Token(m.Name), Detail: "is not an argument of this tool"}
			if inside := t.insideBody(m.Name); inside != "" {
				field.Hint = fmt.Sprintf("put it inside of %q", inside)
			} else if near := diag.Nearest(m.Name, t.known); near != "" {
				field.Hint = fmt.Sprintf("did you mean %q?", near)
			} else if len(t.known) > 0 {
				field.Hint = "it takes " + strings.Join(t.known, ", ")
			}
			wrong = append(wrong, field)
		case !args.Values[at].IsAbsent():
			wrong = append(wrong, fault.Field{Parameter: m.Name, Argument: jsonvalue.Token(m.Name), Detail: "is given more than once"})
		case m.Value.IsNull(): // many models say null for what they leave out
		default:
			args.Values[at] = t.body(at, m.Value)
		}
	}
	if t.raw != nil {
		var report schema.Report
		t.raw.Check(&root, "", &report)
		wrong = nil
		for _, v := range report.Violations {
			wrong = append(wrong, fault.Field{Pointer: v.Pointer, Argument: v.Pointer, Detail: v.Detail, Hint: v.Hint})
		}
	}
	args.Refused = wrong
	return args, nil
}

// insideBody returns the name of the body argument that has a field of this
// name, which models like to give one level too high.
func (t *tool) insideBody(name string) string {
	for at, argument := range t.known {
		in := &t.plan.Inputs[at]
		if in.Location != plan.WholeBody {
			continue
		}
		if fields := in.Schema.Get("properties"); fields != nil && fields.Get(name) != nil {
			return argument
		}
	}
	return ""
}

// body decodes a body that a model sent as text.
func (t *tool) body(at int, v jsonvalue.Value) jsonvalue.Value {
	if v.Kind() != jsonvalue.String || t.plan.Inputs[at].Location != plan.WholeBody {
		return v
	}
	if parsed, err := jsonvalue.ParseString(v.Text()); err == nil && parsed.Kind() == jsonvalue.Object {
		return parsed
	}
	return v
}

// result turns an upstream's answer into a tool result.
func (t *tool) result(out *plan.Output) core.Result {
	if !out.OK() {
		return t.upstreamError(out)
	}
	if len(out.Body) == 0 {
		return core.JSONResult([]byte("{}"))
	}
	if out.Binary {
		return t.media(out)
	}
	// The result is written after the answer's memory has been given back.
	body := append([]byte(nil), out.Body...)
	if t.output == nil {
		return unchecked(body)
	}
	root, err := jsonvalue.Parse(body)
	if err != nil {
		// Valid JSON with repeated names: no structure to rely on.
		return core.Result{Content: []core.Content{core.TextContent(string(body))}, Structured: []byte("{}")}
	}
	whole := root
	if t.wrap != "" {
		whole = jsonvalue.ObjectOf([]jsonvalue.Member{{Name: t.wrap, Value: root}})
	}
	if t.output.Valid(&whole) {
		if t.wrap == "" {
			return core.JSONResult(body)
		}
		return core.JSONResult(whole.Append(nil))
	}
	fitted := project(&t.shape, &whole)
	return core.Result{Content: []core.Content{core.TextContent(string(body))}, Structured: fitted.Append(nil)}
}

// unchecked is the result of a tool that publishes no output schema: the
// answer, inside an object if it is none.
func unchecked(body []byte) core.Result {
	name := wrapScalar
	for _, c := range body {
		switch c {
		case ' ', '\t', '\r', '\n':
			continue
		case '{':
			if _, err := jsonvalue.Parse(body); err != nil {
				return core.Result{Content: []core.Content{core.TextContent(string(body))}}
			}
			return core.JSONResult(body)
		case '[':
			name = wrapArray
		}
		break
	}
	out := append([]byte(`{"`+name+`":`), body...)
	return core.JSONResult(append(out, '}'))
}

// project makes a value fit a published shape: what has another type than the
// shape says becomes null, so that a provider's drift cannot fail a call.
func project(shape, v *jsonvalue.Value) jsonvalue.Value {
	if !admits(shape.Get("type"), v) {
		if v.Kind() != jsonvalue.Object && shape.Get("properties") != nil && shape.Get("type").Text() == "object" {
			return jsonvalue.ObjectOf(nil)
		}
		return jsonvalue.NullOf()
	}
	switch v.Kind() {
	case jsonvalue.Object:
		properties := shape.Get("properties")
		members := make([]jsonvalue.Member, v.Len())
		for i, m := range v.Elems() {
			members[i] = m
			if properties == nil {
				continue
			}
			if s := properties.Get(m.Name); s != nil {
				members[i].Value = project(s, &m.Value)
			}
		}
		return jsonvalue.ObjectOf(members)
	case jsonvalue.Array:
		items := shape.Get("items")
		elems := make([]jsonvalue.Member, v.Len())
		for i, m := range v.Elems() {
			elems[i] = m
			if items != nil {
				elems[i].Value = project(items, &m.Value)
			}
		}
		return jsonvalue.ArrayOf(elems)
	default:
		return *v
	}
}

func admits(types, v *jsonvalue.Value) bool {
	if types == nil {
		return true
	}
	one := func(name string) bool {
		return name == v.Kind().String() || name == "integer" && v.IsInteger()
	}
	if types.Kind() == jsonvalue.String {
		return one(types.Text())
	}
	for i := range types.Elems() {
		if one(types.Elems()[i].Value.Text()) {
			return true
		}
	}
	return false
}

// watcher logs the requests of a server, of one adapter or of several.
type watcher struct {
	log      *telemetry.Logger
	name     string
	adapters []*adapter
	// counts is where requests are counted, by method; any other method is a
	// caller's invention.
	counts map[string]*telemetry.Operation
}

func newWatcher(log *telemetry.Logger, name string, adapters ...*adapter) *watcher {
	w := &watcher{log: log, name: name, adapters: adapters, counts: map[string]*telemetry.Operation{}}
	for _, method := range []string{
		"initialize", "ping", "server/discover", "logging/setLevel", "completion/complete", "tools/list", "tools/call", "prompts/list", "prompts/get",
		"resources/list", "resources/templates/list", "resources/read",
		"notifications/initialized", "notifications/cancelled", "notifications/progress", "notifications/roots/list_changed",
	} {
		w.counts[method] = log.Metrics().Operation(telemetry.OperationInfo{Protocol: "mcp", Adapter: name, Name: method, Method: method})
	}
	return w
}

// carrier is the trace context that a request came with.
func carrier(ctx context.Context) telemetry.Carrier {
	given, ok := core.TraceOf(ctx)
	if !ok {
		return telemetry.Carrier{}
	}
	values := func(s string) []string {
		if s == "" {
			return nil
		}
		return []string{s}
	}
	return telemetry.Carrier{Traceparent: values(given.Traceparent), Tracestate: values(given.Tracestate), Baggage: values(given.Baggage)}
}

// transport is a transport's name in traces.
func transport(t core.Transport) string {
	if t == core.Stdio {
		return "stdio"
	}
	return "http"
}

func (w *watcher) dynamic(uri string) bool {
	return slices.ContainsFunc(w.adapters, func(a *adapter) bool { return a.dynamic(uri) })
}

// caller is who asked; of several whom the verifiers of a server have found, the
// first.
func (w *watcher) caller(ctx context.Context) string {
	if m, ok := ctx.Value(admissionKey{}).(*admission); ok {
		for _, c := range m.callers {
			if c != nil {
				return c.Name
			}
		}
	}
	return auth.CallerOf(ctx).CallerName()
}

// kindOf is the kind of fault of a request that the core answered with an error.
func kindOf(info *core.RequestInfo) fault.Kind {
	switch {
	case info.ErrorCode == core.CodeInternalError:
		return fault.Internal
	case info.Status == http.StatusMethodNotAllowed:
		return fault.MethodNotAllowed
	case info.Status == http.StatusUnsupportedMediaType:
		return fault.UnsupportedMedia
	case info.Status == http.StatusRequestEntityTooLarge:
		return fault.TooLarge
	default:
		return fault.InvalidInput
	}
}

// observe logs what the core answered without one of the functions that log
// for themselves, which know more: what the upstream said.
func (w *watcher) observe(ctx context.Context, info core.RequestInfo) {
	panicked, _ := errors.AsType[*core.PanicError](info.Err)
	denied, _ := errors.AsType[*core.Denied](info.Err)
	if info.Called && panicked == nil && (info.Method == "tools/call" && (info.ErrorCode == 0 || denied != nil) || info.Method == "resources/read" && w.dynamic(info.Target)) {
		return
	}
	access := telemetry.Access{
		Protocol: "mcp", Adapter: w.name, Caller: w.caller(ctx), Method: info.Method, Operation: info.Target,
		Duration: info.Duration, Era: info.Era.String(), Failed: info.ErrorCode != 0 || info.IsError,
	}
	if info.ErrorCode != 0 {
		access.Fault = &fault.Fault{Kind: kindOf(&info), Message: fmt.Sprintf("error %d", info.ErrorCode), Cause: info.Err}
		if denied != nil {
			access.Fault = fault.New(fault.Forbidden, "%s", denied.Message)
		}
	}
	access.Revision, access.Transport = info.Revision, transport(info.Transport)
	access.Status, access.RequestID = info.Status, info.RequestID
	ctx = access.Begin(ctx, w.log, carrier(ctx), time.Now().Add(-info.Duration))
	access.Op = w.counts[info.Method]
	if panicked != nil {
		access.Fault = w.log.Panicked(ctx, &access, panicked.Value, panicked.Stack)
	}
	w.log.Log(ctx, &access)
}
