// Package fault is Patchbay's one error type. A fault is raised anywhere
// between the route and the upstream call, and translated exactly three times:
// to an HTTP problem by expose/rest, to a tool error by expose/mcp, to an exit
// code by cli. Whoever raises it decides its kind; nobody downstream guesses.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what went wrong, in terms a caller can act on.
type Kind uint8

// The kinds. The set is closed: every translation is an exhaustive switch.
const (
	// Internal is a defect of Patchbay itself.
	Internal Kind = iota
	// InvalidInput is a request that was refused before any call.
	InvalidInput
	// Unauthenticated is a caller without valid credentials for this adapter.
	Unauthenticated
	// Forbidden is a caller that may not do this (foreign host or origin).
	Forbidden
	// NotFound is a route, tool or resource that does not exist here.
	NotFound
	// MethodNotAllowed is a route that exists with other methods.
	MethodNotAllowed
	// UnsupportedMedia is a body in a media type that is not read here.
	UnsupportedMedia
	// TooLarge is a request above a configured bound.
	TooLarge
	// Unconfigured is an operation that lacks an operator's value, such as a
	// credential or a base address.
	Unconfigured
	// Unreachable is an upstream to which the exchange failed: refused, reset, cut.
	Unreachable
	// Status is an upstream that answered with an error of its own.
	Status
	// Timeout is an upstream that did not answer in time.
	Timeout
	// Decode is an upstream answer that is not what it claims to be.
	Decode
	// Mapping is an answer that the capability's mappings could not shape.
	Mapping
	// Limit is an upstream answer above a configured bound.
	Limit
	// Canceled is a caller that went away.
	Canceled
	// Busy is a bound on concurrency or rate that is reached.
	Busy
	// Unready is something that this process needs, and that does not answer.
	Unready
	// RateLimited is a caller with more requests than it may make.
	RateLimited
	// Unavailable is an upstream that failed so often that it is left alone for a while.
	Unavailable
	// KeyConflict is an idempotency key whose first request has no answer to
	// repeat: it is under way, or nobody knows what became of it.
	KeyConflict
	// KeyReused is an idempotency key of a different request.
	KeyReused
	// Misdirected is a request on a connection that was opened under terms which
	// hold no more; on another one it may be right.
	Misdirected
)

var kindNames = [...]string{
	Internal: "internal", InvalidInput: "invalid-input", Unauthenticated: "unauthenticated", Forbidden: "forbidden",
	NotFound: "not-found", MethodNotAllowed: "method-not-allowed", UnsupportedMedia: "unsupported-media-type",
	TooLarge: "too-large", Unconfigured: "unconfigured", Unreachable: "upstream-unreachable", Status: "upstream-status",
	Timeout: "upstream-timeout", Decode: "upstream-decode", Mapping: "mapping", Limit: "upstream-limit",
	Canceled: "canceled", Busy: "busy", Unavailable: "upstream-unavailable", KeyConflict: "idempotency-conflict", KeyReused: "idempotency-key-reused",
	Unready: "unavailable", RateLimited: "rate-limited", Misdirected: "misdirected",
}

// String returns the stable kebab-case name, also used in problem types.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "internal"
}

// Outcome says what is known about the effect of an upstream request, which
// is what a caller has to know before trying again.
type Outcome uint8

// The outcomes. The zero value says that no upstream request was attempted.
const (
	// NoCall means that nothing was attempted: the fault lies before the call.
	NoCall Outcome = iota
	// NotSent means that no byte of the request left.
	NotSent
	// Rejected means that the upstream answered that it did not process it.
	Rejected
	// Unknown means that the request may have been processed.
	Unknown
	// Answered means that the upstream processed the request and answered.
	Answered
)

// String returns the word used in problems, tool errors and logs.
func (o Outcome) String() string {
	switch o {
	case NotSent:
		return "not_sent"
	case Rejected:
		return "rejected"
	case Unknown:
		return "unknown"
	case Answered:
		return "answered"
	default:
		return "no_call"
	}
}

// Field is one thing wrong with an input.
type Field struct {
	// Pointer is the JSON pointer (RFC 6901) into the input's body or
	// arguments; "" is the whole. For a parameter outside a body it is empty
	// and Parameter is set.
	Pointer string `json:"pointer"`
	// Parameter is the name of a path, query or header parameter.
	Parameter string `json:"parameter,omitempty"`
	// Argument is the JSON pointer of the same place for callers that give all
	// inputs as one object, by name.
	Argument string `json:"-"`
	// Detail is the fact, Hint the advice.
	Detail string `json:"detail"`
	Hint   string `json:"hint,omitempty"`
}

// Where names the place of the field for a reader.
func (f Field) Where() string {
	switch {
	case f.Parameter != "" && f.Pointer != "":
		return f.Parameter + f.Pointer
	case f.Parameter != "":
		return f.Parameter
	default:
		return f.Pointer
	}
}

// Fault is an error with a kind and an outcome. Message and Hint reach the
// caller and must hold no secret and no upstream body. Cause is for logs only.
type Fault struct {
	Kind    Kind
	Outcome Outcome
	Message string
	Hint    string
	// Fields lists every input fault at once; only for InvalidInput.
	Fields []Field
	// Allow lists the methods of the route; only for MethodNotAllowed.
	Allow []string
	// RetryAfter is how long to wait, where it is known.
	RetryAfter time.Duration
	// Step names the step that failed, in an operation with several.
	Step string
	// Effects names earlier steps that changed something before the fault.
	Effects []string
	// Rules reports that the refusal came from contract rules which the
	// operator can relax with --request-checks.
	Rules bool
	// Retries is how many calls were made again before this came of it.
	Retries int
	// UpstreamStatus is the status of an upstream that answered, or 0.
	UpstreamStatus int
	Cause          error
}

// Error returns the message and the cause; it is for logs, not for callers.
func (f *Fault) Error() string {
	if f.Cause != nil {
		return fmt.Sprintf("%s: %s: %v", f.Kind, f.Message, f.Cause)
	}
	return fmt.Sprintf("%s: %s", f.Kind, f.Message)
}

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Cause }

// New returns a fault of a kind; format follows [fmt.Sprintf].
func New(kind Kind, format string, args ...any) *Fault {
	return &Fault{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Of returns err as a fault: itself, the fault that it wraps, or an
// internal fault that has it as cause. It returns nil for nil.
func Of(err error) *Fault {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*Fault](err); ok {
		return f
	}
	return &Fault{Kind: Internal, Message: "an internal error occurred", Cause: err}
}
