package rest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"patchbay/internal/fault"
	"patchbay/internal/plan"
	"patchbay/internal/problem"
)

// passing returns the end-to-end response headers that pass on to callers.
// WWW-Authenticate and Set-Cookie speak about the upstream's own callers, who
// are not ours.
func passing() map[string]bool {
	out := map[string]bool{}
	for _, name := range []string{
		"Cache-Control", "Content-Disposition", "Content-Language", "Deprecation", "Etag", "Expires", "Last-Modified", "Link", "Location",
		"Ratelimit", "Ratelimit-Limit", "Ratelimit-Policy", "Ratelimit-Remaining", "Ratelimit-Reset", "Retry-After", "Sunset",
		"Twilio-Concurrent-Requests", "X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset",
	} {
		out[name] = true
	}
	return out
}

// Prepared header values; net/http only reads them.
var (
	fromUpstream = []string{"upstream"}
	fromGateway  = []string{"gateway"}
	nosniff      = []string{"nosniff"}
	isJSON       = []string{"application/json"}
	octets       = []string{"application/octet-stream"}
	sealed       = []string{"sandbox; default-src 'none'"}
)

// write relays an upstream's answer.
func (x *exchange) write(out *plan.Output) {
	h := x.w.Header()
	for name, values := range out.Header {
		if !x.h.passes[name] && !slices.Contains(x.e.passes, name) {
			continue
		}
		if (name == "Ratelimit" || name == "Ratelimit-Policy") && x.e.member.Limiter != nil {
			continue // what is said of a rate is about the caller's own
		}
		h[name] = values
	}
	h["Patchbay-Source"] = fromUpstream
	if out.Mock {
		h["Patchbay-Source"] = fromGateway
	}
	if out.Outcome == fault.Rejected || out.Outcome == fault.Unknown {
		h["Patchbay-Outcome"] = []string{out.Outcome.String()}
	}
	if out.Retries > 0 {
		h["Patchbay-Retries"] = []string{strconv.Itoa(out.Retries)}
	}
	if out.Step != "" {
		h["Patchbay-Step"] = []string{headerText(out.Step)}
	}
	if len(out.Effects) > 0 {
		h["Patchbay-Effects"] = []string{headerText(strings.Join(out.Effects, ", "))}
	}
	h["X-Content-Type-Options"] = nosniff
	for _, a := range out.Advice[:min(len(out.Advice), maxAdvice)] {
		h["Patchbay-Advice"] = append(h["Patchbay-Advice"], headerText(a.Where()+" "+a.Detail))
	}
	x.access.Status = out.Status
	if out.Status == http.StatusNoContent || out.Status == http.StatusNotModified || len(out.Body) == 0 {
		x.w.WriteHeader(out.Status)
		return
	}
	media := out.Header["Content-Type"]
	switch {
	case out.Binary:
		media = []string{out.Media}
	case out.OK():
		// A success is JSON, or it would not have come this far.
		media = isJSON
	}
	if len(media) != 1 || media[0] == "" {
		media = octets
	}
	h["Content-Type"] = media
	if !passesAsJSON(media[0]) {
		// Somebody else's page must not run as ours.
		h["Content-Security-Policy"] = sealed
	}
	if len(out.Body) >= ownLength || x.r.Method == http.MethodHead {
		x.length[0] = strconv.Itoa(len(out.Body))
		h["Content-Length"] = x.length[:]
	}
	x.w.WriteHeader(out.Status)
	_, _ = x.w.Write(out.Body) // a caller that has gone is seen by the server
}

// passesAsJSON reports whether a media type is one that no browser renders.
func passesAsJSON(value string) bool {
	media, _, _ := strings.Cut(value, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	return media == "application/json" || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json")
}

// ownLength is the size from which net/http does not count a body itself.
const ownLength = 2048

const maxAdvice = 5

// headerText makes a text fit for a header value.
func headerText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, clip(s))
}

// fail answers with a problem (RFC 9457).
func (x *exchange) fail(f *fault.Fault) {
	x.access.Fault, x.access.Retries = f, f.Retries
	if f.Retries > 0 {
		x.w.Header()["Patchbay-Retries"] = []string{strconv.Itoa(f.Retries)}
	}
	if f.UpstreamStatus != 0 && !x.access.Replayed {
		x.access.UpstreamStatus = f.UpstreamStatus
	}
	x.access.Status = problem.Status(f.Kind) // from here on the answer has begun
	problem.Write(x.w, f, x.access.RequestID)
}

func (x *exchange) servePage(p *Page) *fault.Fault {
	if x.r.Method != http.MethodGet && x.r.Method != http.MethodHead {
		f := fault.New(fault.MethodNotAllowed, "this page is only read")
		f.Allow = []string{"GET", "HEAD"}
		return f
	}
	h := x.w.Header()
	h["Content-Type"], h["X-Content-Type-Options"], h["Patchbay-Source"] = []string{p.ContentType}, nosniff, fromGateway
	h["Content-Length"] = []string{strconv.Itoa(len(p.Data))}
	h["Cache-Control"] = []string{"no-cache"}
	h["Referrer-Policy"] = []string{"no-referrer"}
	h["X-Frame-Options"] = []string{"DENY"}
	policy := p.Policy
	if policy == "" {
		policy = "default-src 'none'"
	}
	h["Content-Security-Policy"] = []string{policy}
	x.access.Status = http.StatusOK
	x.w.WriteHeader(http.StatusOK)
	_, _ = x.w.Write(p.Data)
	return nil
}
