package mcp

import (
	"encoding/base64"
	"net/http"
	"strings"
)

// Mirrored headers (2026-07-28, Streamable HTTP, "Request Metadata"): parts of
// the body that intermediaries route by. A copy that is missing, double, or
// different from the body is refused, or else what was routed and what is run
// could be two things.

// versionHeaderName is MCP-Protocol-Version as http.Header spells it.
const versionHeaderName = "Mcp-Protocol-Version"

// versionHeader returns the MCP-Protocol-Version of an HTTP request and whether
// there is one.
func versionHeader(x *exchange) (string, bool) {
	values := x.header[versionHeaderName] // nil header on stdio
	if len(values) == 0 {
		return "", false
	}
	return values[0], true
}

// single returns the only value of a header.
func single(h http.Header, name string) (string, *Error) {
	values := h[name]
	switch len(values) {
	case 0:
		return "", headerMismatch("%s header is required", name)
	case 1:
		return values[0], nil
	default:
		return "", headerMismatch("%s header is sent more than once", name)
	}
}

// checkMirror compares a header that is never encoded with its body value.
func checkMirror(h http.Header, name string, body []byte) *Error {
	value, err := single(h, name)
	if err != nil {
		return err
	}
	if value != string(body) {
		return differs(name, value, body)
	}
	return nil
}

// checkName compares Mcp-Name with the raw body value that it repeats. A body
// value of the wrong kind is left to the method to refuse.
func checkName(h http.Header, raw []byte) *Error {
	const name = "Mcp-Name"
	body := text(raw)
	if body == nil && len(h[name]) == 0 {
		return nil
	}
	value, err := single(h, name)
	if err != nil {
		return err
	}
	plain, err := decodeHeader(name, value)
	if err != nil {
		return err
	}
	if body == nil || plain != string(body) {
		return differs(name, plain, body)
	}
	return nil
}

func differs(name, header string, body []byte) *Error {
	return headerMismatch("%s header %q does not match the body value %q", name, clip([]byte(header)), clip(body))
}

// decodeHeader undoes the =?base64?…?= form that carries what a header cannot,
// and refuses bytes that a header may not hold. Marks are case-sensitive; a value
// with only one of them is literal.
func decodeHeader(name, value string) (string, *Error) {
	const prefix, suffix = "=?base64?", "?="
	for i := range len(value) {
		if c := value[i]; c != '\t' && (c < ' ' || c > '~') {
			return "", headerMismatch("%s header holds a byte that must be sent as %s…%s", name, prefix, suffix)
		}
	}
	coded, ok := strings.CutPrefix(value, prefix)
	if !ok || !strings.HasSuffix(coded, suffix) {
		return value, nil
	}
	plain, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSuffix(coded, suffix))
	if err != nil {
		return "", headerMismatch("%s header is not valid base64", name)
	}
	return string(plain), nil
}
