package corpustest

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
)

// A request is what is compared: a request on the wire, in which nothing but
// the order of parameters, fields, headers and members of a JSON body is free.
type request struct {
	Method string
	// Path is as on the wire, encoded.
	Path string
	// Query and Form hold the values of each name in their order, both encoded.
	Query  map[string][]string
	Form   map[string][]string
	Header map[string][]string
	// JSON is the body with sorted members and no white space.
	JSON string
}

// unreserved are the characters that stand for themselves (RFC 3986 section 2.3).
const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

// formSafe are those of a form (URL Standard, section 1.3).
const formSafe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._*"

// percent encodes every byte that is not safe.
func percent(s, safe string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if strings.IndexByte(safe, c) >= 0 {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte("0123456789ABCDEF"[c>>4])
			b.WriteByte("0123456789ABCDEF"[c&15])
		}
	}
	return b.String()
}

// segment is a text as part of a path or a query.
func segment(s string) string { return percent(s, unreserved) }

// formText is a text as part of a form.
func formText(s string) string {
	return strings.ReplaceAll(percent(s, formSafe+" "), " ", "+")
}

// formFields are the fields of a body in a form: scalars are text, a list
// repeats its key, anything else is one field of JSON text, in a list as well.
// What is null is not sent. A field whose schema does not speak of a list is
// one field whatever it holds.
func formFields(body object, isList func(name string) bool) map[string][]string {
	fields := map[string][]string{}
	for _, m := range body {
		values := array{m.value}
		if elements, ok := m.value.(array); ok && isList(m.name) {
			values = elements
		}
		for _, v := range values {
			switch {
			case v == nil:
			case scalar(v):
				fields[formText(m.name)] = append(fields[formText(m.name)], formText(plain(v)))
			default:
				fields[formText(m.name)] = append(fields[formText(m.name)], formText(compact(v)))
			}
		}
	}
	return fields
}

// pairs takes a query or a form apart, without decoding it.
func pairs(encoded string) map[string][]string {
	out := map[string][]string{}
	if encoded == "" {
		return out
	}
	for pair := range strings.SplitSeq(encoded, "&") {
		name, value, found := strings.Cut(pair, "=")
		if !found {
			value = "(no =)"
		}
		out[name] = append(out[name], value)
	}
	return out
}

// canonical is a JSON text with sorted members; numbers keep their digits.
func canonical(text string) string {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil || decoder.More() {
		return "not JSON: " + text
	}
	out, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(out)
}

// basic is a header value (RFC 7617).
func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// arrived is a recorded request in the form that is compared.
func arrived(r *recorded) request {
	path, query, _ := strings.Cut(r.target, "?")
	out := request{Method: r.method, Path: path, Query: pairs(query), Form: map[string][]string{}, Header: map[string][]string{}}
	for name, values := range r.header {
		out.Header[name] = values
	}
	switch media := r.header.Get("Content-Type"); {
	case media == formMedia:
		out.Form = pairs(r.body)
	case media == jsonMedia:
		out.JSON = canonical(r.body)
	case r.body != "":
		out.JSON = "a body without a known type: " + r.body
	}
	// How the transport frames a message is its own affair.
	delete(out.Header, http.CanonicalHeaderKey("Content-Length"))
	return out
}

const (
	formMedia = "application/x-www-form-urlencoded"
	jsonMedia = "application/json"
)

// formBody is a form as a caller sends it.
func formBody(body object, isList func(name string) bool) string {
	var fields []string
	for name, values := range formFields(body, isList) {
		for _, v := range values {
			fields = append(fields, name+"="+v)
		}
	}
	return strings.Join(fields, "&")
}
