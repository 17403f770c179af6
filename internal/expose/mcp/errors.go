package mcp

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"patchbay/internal/fault"
	"patchbay/internal/jsonvalue"
	core "patchbay/internal/mcp"
	"patchbay/internal/plan"
	"patchbay/internal/profile"
)

// upstreamError says what the provider said, what it means for the effect of
// the call, and what to do next. It is the only place where an upstream's
// error becomes a tool's.
func (t *tool) upstreamError(out *plan.Output) core.Result {
	up := t.callOf(out.Step).Upstream
	p := up.Profile.Explain(out.Status, out.Body)
	var b strings.Builder
	if out.Step != "" {
		fmt.Fprintf(&b, "Step %s failed: ", out.Step)
	}
	fmt.Fprintf(&b, "%s answered HTTP %d %s", up.Host, out.Status, http.StatusText(out.Status))
	if p.Code != "" {
		fmt.Fprintf(&b, ", code %s", p.Code)
	}
	switch {
	case p.Message != "":
		fmt.Fprintf(&b, ": %s", p.Message)
	case len(out.Body) > 0 && strings.Contains(out.Header.Get("Content-Type"), "json"):
		fmt.Fprintf(&b, ": %s", clip(string(out.Body)))
	}
	b.WriteString(".")
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "\n%s: %s", name, value)
		}
	}
	line("Detail", p.Detail)
	line("Field", p.Field)
	line("Next", nextStep(out, &p, t.callOf(out.Step).Safe))
	line("Retry after", retryAfter(out.Header))
	line("Attempts", attempts(out.Retries))
	line("Done before", strings.Join(out.Effects, ", "))
	line("Outcome", t.outcomeOf(out))
	line("More", p.MoreInfo)
	return core.ErrorResult(b.String())
}

// callOf is a step, or the only call.
func (t *tool) callOf(step string) plan.CallInfo {
	calls := t.plan.Calls()
	for i := range calls {
		if calls[i].Step == step {
			return calls[i]
		}
	}
	return calls[len(calls)-1]
}

func nextStep(out *plan.Output, p *profile.Problem, safe bool) string {
	switch {
	case len(out.Effects) > 0:
		return "Look at the state with a read; what is missing has to be done by itself, not by this call again."
	case p.Advice != "":
		return p.Advice
	case out.Status >= 300 && out.Status < 400:
		return "The upstream points elsewhere; redirects are not followed. Check the configured address."
	case out.Status == http.StatusUnauthorized || out.Status == http.StatusForbidden:
		return "Check the credentials that the gateway is configured with."
	case out.Status == http.StatusNotFound:
		return "Check the identifiers."
	case out.Status == http.StatusTooManyRequests:
		return "Wait, then try again with fewer calls at a time."
	case out.Status >= 500 && safe:
		return "The upstream failed; this call changes nothing, so it is safe to try again."
	case out.Status >= 500:
		return "The upstream failed; a change may have happened all the same, so look before repeating it."
	default:
		return "Correct the arguments; the same call will fail again."
	}
}

func retryAfter(h http.Header) string {
	text := h.Get("Retry-After")
	if n, err := strconv.Atoi(text); err == nil && n >= 0 {
		return strconv.Itoa(n) + " seconds"
	}
	if _, err := http.ParseTime(text); err != nil {
		return ""
	}
	return text
}

// attempts is how often an upstream was called, where that is more than once for
// each step.
func attempts(retries int) string {
	if retries == 0 {
		return ""
	}
	return strconv.Itoa(retries + 1)
}

// outcomeOf says whether an error answer leaves the effect of a change open.
func (t *tool) outcomeOf(out *plan.Output) string {
	made := t.callOf(out.Step)
	switch {
	case len(out.Effects) > 0:
		return "what was done before stays done; do not repeat the whole call"
	case made.Safe:
		return ""
	case out.Outcome == fault.Rejected:
		return "rejected, the request was not processed"
	case out.Outcome == fault.Unknown:
		return "unknown, the request may have been processed"
	default:
		return ""
	}
}

// failed turns a fault into a result. A change that the upstream accepted is
// not reported as a failure, whatever became of its answer: a model would
// repeat it.
func (t *tool) failed(f *fault.Fault) core.Result {
	// The status is enough: with it the upstream has accepted, even if the rest
	// of its answer was lost.
	accepted := f.UpstreamStatus >= 200 && f.UpstreamStatus < 300
	if accepted && t.completes(f.Step) {
		text := fmt.Sprintf("The change was accepted (HTTP %d), but the answer cannot be shown: %s. Do not repeat the call; look at the result with a read.", f.UpstreamStatus, f.Message)
		return core.Result{Content: []core.Content{core.TextContent(text)}, Structured: []byte("{}")}
	}
	var b strings.Builder
	if len(f.Fields) > 0 {
		b.WriteString("The call was refused before anything was sent:")
	} else {
		b.WriteString(capitalized(f.Message))
		b.WriteString(".")
	}
	for i, field := range f.Fields {
		if i == maxFields {
			fmt.Fprintf(&b, "\n- and %d more", len(f.Fields)-maxFields)
			break
		}
		b.WriteString("\n- ")
		b.WriteString(clip(sentence(t.offered(field))))
	}
	if len(f.Fields) > 0 {
		b.WriteString("\nNext: correct the arguments and call again.")
	} else if f.Hint != "" {
		b.WriteString("\nNext: ")
		b.WriteString(f.Hint)
	}
	if f.RetryAfter > 0 { // no model sees a header
		fmt.Fprintf(&b, "\nWait: %d seconds before another try", int(f.RetryAfter.Seconds())+1)
	}
	if f.Retries > 0 {
		b.WriteString("\nAttempts: ")
		b.WriteString(attempts(f.Retries))
	}
	if f.Step != "" {
		b.WriteString("\nStep: ")
		b.WriteString(f.Step)
	}
	if len(f.Effects) > 0 {
		b.WriteString("\nDone before: ")
		b.WriteString(strings.Join(f.Effects, ", "))
	}
	if text := t.outcomeText(f); text != "" {
		b.WriteString("\nOutcome: ")
		b.WriteString(text)
	}
	return core.ErrorResult(b.String())
}

// completes reports whether a step, or the only call, is a change after which
// nothing is left to do.
func (t *tool) completes(step string) bool {
	calls := t.plan.Calls()
	return len(calls) > 0 && calls[len(calls)-1].Step == step && !calls[len(calls)-1].Safe
}

func (t *tool) outcomeText(f *fault.Fault) string {
	if len(f.Effects) > 0 {
		text := "what was done before stays done; do not repeat the whole call, look at the state with a read"
		if f.Outcome == fault.Unknown && !t.callOf(f.Step).Safe {
			text = "the step may have been processed; " + text
		}
		return text + "."
	}
	switch f.Outcome {
	case fault.NotSent:
		if f.Kind == fault.Mapping {
			return "" // it would fail again
		}
		return "not sent; it is safe to try again."
	case fault.Unknown:
		if t.callOf(f.Step).Safe {
			return "unknown, but this call changes nothing; it is safe to try again."
		}
		return "unknown; the request may have been processed. Look at the state with a read before repeating it."
	case fault.Rejected:
		return "rejected; the request was not processed."
	default:
		return ""
	}
}

// maxFields bounds the faults that one result names.
const maxFields = 25

// offered names the place of a fault as the tool's schema does: an argument that
// hosts would not take by its own name has another there.
func (t *tool) offered(f fault.Field) fault.Field {
	for own, name := range t.renamed {
		if rest, ok := strings.CutPrefix(f.Argument, jsonvalue.Token(own)); ok && (rest == "" || rest[0] == '/') {
			f.Argument = jsonvalue.Token(name) + rest
			break
		}
	}
	return f
}

// sentence names a field by its JSON pointer into the arguments.
func sentence(f fault.Field) string {
	where := f.Argument
	if where == "" {
		where = cmp.Or(f.Where(), "the arguments") // their root has an empty pointer
	}
	text := where + " " + f.Detail
	if f.Hint != "" {
		text += " (" + f.Hint + ")"
	}
	return text
}

func capitalized(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func clip(s string) string {
	const most = 500
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
