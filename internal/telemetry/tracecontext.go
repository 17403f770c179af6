package telemetry

import (
	"encoding/hex"
	"net/http"
)

// TraceID and SpanID name a trace and a piece of it. All zeros is none.
type (
	TraceID [16]byte
	SpanID  [8]byte
)

// String returns lower-case hexadecimal digits.
func (t TraceID) String() string { return hex.EncodeToString(t[:]) }

// String returns lower-case hexadecimal digits.
func (s SpanID) String() string { return hex.EncodeToString(s[:]) }

// Carrier is the context that came with a request, as it came: W3C Trace
// Context and W3C Baggage. HTTP carries it in headers of these names, MCP in
// _meta. The slices are passed on as they are and must not be changed.
type Carrier struct{ Traceparent, Tracestate, Baggage []string }

// HeaderCarrier reads the context of an HTTP request.
func HeaderCarrier(h http.Header) Carrier {
	return Carrier{h["Traceparent"], h["Tracestate"], h["Baggage"]}
}

// Bounds of what is passed on (Trace Context section 3.3.1.5, Baggage section 3.3.2).
const (
	maxTracestate = 512
	maxBaggage    = 8192
)

// checked drops what is malformed or too large: a state without a parent means
// nothing, and what goes into a header of ours has to fit one.
func (c Carrier) checked() (out Carrier, parent traceparent, ok bool) {
	if len(c.Traceparent) == 1 {
		parent, ok = parseTraceparent(c.Traceparent[0])
	}
	if ok {
		out.Traceparent = c.Traceparent
		if fits(c.Tracestate, maxTracestate) {
			out.Tracestate = c.Tracestate
		}
	}
	if fits(c.Baggage, maxBaggage) {
		out.Baggage = c.Baggage
	}
	return out, parent, ok
}

// fits reports whether values are visible ASCII within a bound of bytes.
func fits(values []string, most int) bool {
	size := 0
	for _, v := range values {
		if size += len(v) + 1; size > most+1 {
			return false
		}
		for i := range len(v) {
			if c := v[i]; c < ' ' && c != '\t' || c > '~' {
				return false
			}
		}
	}
	return true
}

// traceparent is a parsed header of that name.
type traceparent struct {
	trace   TraceID
	span    SpanID
	sampled bool
}

// The lengths of version 00 and its parts (Trace Context section 3.2.2).
const (
	traceparentLength = 55
	flagSampled       = 1
)

// parseTraceparent reads a header of version 00, and what it can of a later one
// (Trace Context section 4.2.1).
func parseTraceparent(s string) (traceparent, bool) {
	var p traceparent
	if len(s) < traceparentLength || s[2] != '-' || s[35] != '-' || s[52] != '-' {
		return p, false
	}
	if len(s) > traceparentLength && (s[:2] == "00" || s[traceparentLength] != '-') {
		return p, false
	}
	var version, flags [1]byte
	if !unhex(version[:], s[:2]) || version[0] == 0xff || !unhex(p.trace[:], s[3:35]) || !unhex(p.span[:], s[36:52]) || !unhex(flags[:], s[53:55]) {
		return p, false
	}
	p.sampled = flags[0]&flagSampled != 0
	return p, p.trace != TraceID{} && p.span != SpanID{}
}

// unhex decodes lower-case digits, which are the only ones allowed.
func unhex(dst []byte, s string) bool {
	for i := range dst {
		high, low := digit(s[2*i]), digit(s[2*i+1])
		if high > 15 || low > 15 {
			return false
		}
		dst[i] = high<<4 | low
	}
	return true
}

// digit is the value of a hexadecimal digit, above 15 for none.
func digit(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	default:
		return 0xff
	}
}

// format returns a header of version 00.
func (p traceparent) format() string {
	var room [traceparentLength]byte
	out := append(room[:0], "00-"...)
	out = hex.AppendEncode(out, p.trace[:])
	out = append(out, '-')
	out = hex.AppendEncode(out, p.span[:])
	if p.sampled {
		return string(append(out, "-01"...))
	}
	return string(append(out, "-00"...))
}
