package mcp

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"
)

// Error codes of JSON-RPC 2.0 section 5.1 and of MCP 2026-07-28, "Error Codes".
const (
	CodeParseError     = -32700
	CodeInvalidRequest = -32600
	CodeMethodNotFound = -32601
	CodeInvalidParams  = -32602
	CodeInternalError  = -32603

	codeHeaderMismatch     = -32020 // modern only
	codeMissingCapability  = -32021 // modern only
	codeUnsupportedVersion = -32022 // modern only
	codeResourceNotFound   = -32002 // legacy only; modern servers say -32602
)

// ErrResourceNotFound is what a Read function returns for a URI that names
// nothing. It becomes -32602 (modern) or -32002 (legacy) with data.uri.
var ErrResourceNotFound = errors.New("resource not found")

// Error is a JSON-RPC error: the answer to a request that could not be carried
// out at all. A tool that ran and failed returns a [Result] with IsError
// instead, because only that reaches the model.
//
// Functions of tools, resources and prompts may return an *Error, wrapped or
// not. Codes from -32099 to -32000 belong to the specification and to old
// implementations; one of those returned by such a function is sent as -32603.
type Error struct {
	Code    int
	Message string
	Data    []byte // raw JSON, or nil; left out if it is not valid

	status     int      // HTTP status; 0 means 200
	challenges []string // values of WWW-Authenticate
	cause      error    // for the observer, never sent
}

// Error returns the code and the message.
func (e *Error) Error() string {
	return fmt.Sprintf("mcp error %d: %s", e.Code, e.Message)
}

// Unwrap returns what is behind an error that was sent, or nil.
func (e *Error) Unwrap() error { return e.cause }

// Denied is what a function of a tool, resource or prompt returns to a caller who
// may not use it. Over HTTP the answer is 403 with the challenges as
// WWW-Authenticate, as the authorization of MCP wants it where a token lacks a
// scope.
type Denied struct {
	Message    string
	Challenges []string
}

// Error returns the message.
func (d *Denied) Error() string { return d.Message }

// PanicError is the cause that the observer sees when a function panicked.
type PanicError struct {
	Value any
	Stack []byte
}

// Error describes the panic without its stack.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

func parseError(reason string) *Error {
	return &Error{Code: CodeParseError, Message: "Parse error: " + reason, status: http.StatusBadRequest}
}

func invalidRequest(reason string) *Error {
	return &Error{Code: CodeInvalidRequest, Message: "Invalid request: " + reason, status: http.StatusBadRequest}
}

func invalidParams(format string, args ...any) *Error {
	return &Error{Code: CodeInvalidParams, Message: fmt.Sprintf(format, args...)}
}

func headerMismatch(format string, args ...any) *Error {
	return &Error{
		Code:    codeHeaderMismatch,
		Message: "Header mismatch: " + fmt.Sprintf(format, args...),
		status:  http.StatusBadRequest,
	}
}

func internalError(cause error) *Error {
	return &Error{Code: CodeInternalError, Message: "Internal error", cause: cause}
}

// fromFunction turns what a function of the adapter returned into what is sent.
// Only an *Error speaks to the client: any other text may hold secrets.
func fromFunction(err error) *Error {
	if d, ok := errors.AsType[*Denied](err); ok {
		return &Error{Code: CodeInvalidRequest, Message: d.Message, status: http.StatusForbidden, challenges: d.Challenges, cause: err}
	}
	var e *Error
	if !errors.As(err, &e) {
		return internalError(err)
	}
	sent := &Error{Code: e.Code, Message: e.Message, cause: err}
	if -32099 <= e.Code && e.Code <= -32000 {
		sent.Code = CodeInternalError
	}
	if jsontext.Value(e.Data).IsValid() {
		sent.Data = e.Data
	}
	return sent
}
