// Package problem writes faults as HTTP answers, in the form of RFC 9457. It is
// the one place where kinds of faults become statuses; every listener that
// speaks HTTP uses it, the guard before them included.
package problem

import (
	"net/http"
	"strconv"
	"strings"

	"patchbay/internal/fault"
	"patchbay/internal/jsonvalue"
)

// Write writes a fault as application/problem+json and returns the
// status. It is the only place where faults become HTTP.
func Write(w http.ResponseWriter, f *fault.Fault, requestID string) int {
	status := Status(f.Kind)
	h := w.Header()
	if len(f.Allow) > 0 {
		h["Allow"] = []string{strings.Join(f.Allow, ", ")}
	}
	if f.RetryAfter > 0 {
		h["Retry-After"] = []string{strconv.Itoa(int(f.RetryAfter.Seconds()) + 1)}
	}
	if f.Kind == fault.TooLarge {
		h["Connection"] = []string{"close"}
	}
	body := encode(f, status, requestID)
	if requestID != "" {
		h["X-Request-Id"] = []string{requestID}
	}
	h["Content-Type"] = []string{"application/problem+json"}
	h["Patchbay-Source"] = []string{"gateway"}
	h["X-Content-Type-Options"] = []string{"nosniff"}
	h["Cache-Control"] = []string{"no-store"}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, _ = w.Write(body)
	return status
}

// Base precedes the kind in a problem's type. It leads to a page of the
// same listener that explains the kinds.
const Base = "/.patchbay/problems#"

func encode(f *fault.Fault, status int, requestID string) []byte {
	dst := make([]byte, 0, 512)
	member := func(name, value string) {
		if value == "" {
			return
		}
		if len(dst) > 1 {
			dst = append(dst, ',')
		}
		dst = jsonvalue.AppendString(dst, name)
		dst = append(dst, ':')
		dst = jsonvalue.AppendString(dst, value)
	}
	dst = append(dst, '{')
	member("type", Base+f.Kind.String())
	member("title", Title(f.Kind))
	dst = append(dst, `,"status":`...)
	dst = strconv.AppendInt(dst, int64(status), 10)
	member("detail", f.Message)
	// Clients of providers show this member of an error and no other.
	member("message", f.Message)
	member("hint", hint(f))
	member("outcome", f.Outcome.String())
	member("step", f.Step)
	member("request_id", requestID)
	if len(f.Effects) > 0 {
		dst = append(dst, `,"effects":[`...)
		for i, step := range f.Effects {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = jsonvalue.AppendString(dst, step)
		}
		dst = append(dst, ']')
	}
	if len(f.Fields) > 0 {
		dst = append(dst, `,"errors":[`...)
		for i := range f.Fields {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendField(dst, &f.Fields[i])
		}
		dst = append(dst, ']')
	}
	return append(dst, '}', '\n')
}

// hint is the fault's own advice, or what its outcome means for another try.
func hint(f *fault.Fault) string {
	switch {
	case f.Hint != "":
		return f.Hint
	case len(f.Effects) > 0 && f.Outcome != fault.Unknown:
		return "the steps before took effect; do not repeat the whole request, look at the state first"
	case f.Outcome == fault.NotSent:
		return "nothing was sent; it is safe to try again"
	case f.Outcome == fault.Unknown:
		return "the request may have been processed; before repeating a change, look whether it happened"
	case f.Outcome == fault.Answered:
		return "the upstream processed the request; do not repeat a change because of this"
	default:
		return ""
	}
}

func appendField(dst []byte, f *fault.Field) []byte {
	dst = append(dst, `{"pointer":`...)
	dst = jsonvalue.AppendString(dst, f.Pointer)
	if f.Parameter != "" {
		dst = append(dst, `,"parameter":`...)
		dst = jsonvalue.AppendString(dst, f.Parameter)
	}
	dst = append(dst, `,"detail":`...)
	dst = jsonvalue.AppendString(dst, f.Detail)
	if f.Hint != "" {
		dst = append(dst, `,"hint":`...)
		dst = jsonvalue.AppendString(dst, f.Hint)
	}
	return append(dst, '}')
}

// statusClientClosed is what logs show for a caller that went away.
const statusClientClosed = 499

// Status is the HTTP status of a kind of fault.
func Status(k fault.Kind) int {
	switch k {
	case fault.InvalidInput:
		return http.StatusBadRequest
	case fault.Unauthenticated:
		return http.StatusUnauthorized
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.NotFound:
		return http.StatusNotFound
	case fault.MethodNotAllowed:
		return http.StatusMethodNotAllowed
	case fault.UnsupportedMedia:
		return http.StatusUnsupportedMediaType
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.Unconfigured, fault.Busy, fault.Unavailable, fault.Unready:
		return http.StatusServiceUnavailable
	case fault.RateLimited:
		return http.StatusTooManyRequests
	case fault.KeyConflict:
		return http.StatusConflict
	case fault.KeyReused:
		return http.StatusUnprocessableEntity
	case fault.Misdirected:
		return http.StatusMisdirectedRequest
	case fault.Unreachable, fault.Status, fault.Decode, fault.Mapping, fault.Limit:
		return http.StatusBadGateway
	case fault.Timeout:
		return http.StatusGatewayTimeout
	case fault.Canceled:
		return statusClientClosed
	default:
		return http.StatusInternalServerError
	}
}

// Title is the short, constant summary of a kind of fault.
func Title(k fault.Kind) string {
	switch k {
	case fault.InvalidInput:
		return "Invalid request"
	case fault.Unauthenticated:
		return "Credentials are missing or wrong"
	case fault.Forbidden:
		return "Refused"
	case fault.NotFound:
		return "No such route"
	case fault.MethodNotAllowed:
		return "Method not allowed"
	case fault.UnsupportedMedia:
		return "Unsupported media type"
	case fault.TooLarge:
		return "Request too large"
	case fault.Unconfigured:
		return "Not configured"
	case fault.Busy:
		return "Too many calls at once"
	case fault.Unavailable:
		return "Upstream left alone"
	case fault.Unready:
		return "Temporarily unavailable"
	case fault.RateLimited:
		return "Too many requests"
	case fault.KeyConflict:
		return "No answer to repeat"
	case fault.Misdirected:
		return "Connection out of date"
	case fault.KeyReused:
		return "Idempotency key of another request"
	case fault.Unreachable:
		return "Upstream connection failed"
	case fault.Status:
		return "Upstream error"
	case fault.Timeout:
		return "Upstream timeout"
	case fault.Decode:
		return "Upstream answer not understood"
	case fault.Mapping:
		return "Upstream answer not mapped"
	case fault.Limit:
		return "Upstream answer too large"
	case fault.Canceled:
		return "Caller went away"
	default:
		return "Internal error"
	}
}
