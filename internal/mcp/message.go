package mcp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// maxIDBytes bounds a request id and a progress token as they stand in the JSON
// text: they are echoed in every answer and kept while a request runs.
const maxIDBytes = 256

// message is one decoded JSON-RPC message. Raw fields are slices of the text it
// was decoded from, nil where absent or null, and valid as long as that text.
// Values are kept raw because their types are judged by the method that uses
// them, and because ids and arguments must not change on their way.
type message struct {
	id       []byte // raw string or number
	hasID    bool
	method   []byte // unescaped
	response bool   // a result or error from the client: nothing waits for it
	fault    string // why it is no JSON-RPC 2.0 message; "" if it is one

	paramsKind jsontext.Kind // 0 when absent or null

	name         []byte
	uri          []byte
	cursor       []byte
	arguments    []byte
	ref          []byte
	argument     []byte
	context      []byte
	requestID    []byte
	version      []byte // initialize: protocolVersion
	capabilities []byte // initialize
	clientInfo   []byte // initialize

	progressToken    []byte
	metaVersion      []byte
	metaCapabilities []byte
	metaClientInfo   []byte
	// trace is the context of a trace (SEP-414).
	traceparent, tracestate, baggage []byte
	metaOther                        []metaMember
}

// metaMember is a member of a request's _meta that is not the protocol's own.
type metaMember struct {
	name  string
	value []byte
}

// maxMetaMembers bounds how many of them are kept.
const maxMetaMembers = 16

func (m *message) notification() bool { return !m.hasID && m.method != nil }

// decoder reads messages from a byte slice. It is strict: a duplicate member
// name or invalid UTF-8 anywhere is an error (RFC 7493). Reusable after reset.
type decoder struct {
	src []byte
	buf bytes.Buffer
	dec jsontext.Decoder
}

func (d *decoder) reset(src []byte) {
	d.src = src
	d.buf = *bytes.NewBuffer(src)
	d.dec.Reset(&d.buf)
}

// value returns the next raw value as a slice of the source, which outlives the
// decoder's own buffer.
func (d *decoder) value() ([]byte, error) {
	v, err := d.dec.ReadValue()
	if err != nil {
		return nil, err
	}
	end := int(d.dec.InputOffset())
	return d.src[end-len(v) : end : end], nil
}

// open enters an object or array, and reports false when the next value is of
// another kind.
func (d *decoder) open(kind jsontext.Kind) (bool, error) {
	if d.dec.PeekKind() != kind {
		return false, nil
	}
	_, err := d.dec.ReadToken()
	return err == nil, err
}

// next returns the next member name of the open object, unescaped, or nil after
// the last, when it has left the object.
func (d *decoder) next() ([]byte, error) {
	if d.dec.PeekKind() == '}' {
		_, err := d.dec.ReadToken()
		return nil, err
	}
	raw, err := d.value()
	if err != nil {
		return nil, err
	}
	return unquote(raw), nil
}

// end verifies that nothing follows the top-level value.
func (d *decoder) end() error {
	_, err := d.dec.ReadToken()
	switch {
	case err == io.EOF:
		return nil
	case err == nil:
		return errors.New("more than one JSON value")
	default:
		return err
	}
}

// messages decodes a whole transmission: one message, or a batch. The first
// message is stored in m, a batch in the returned slice.
func (d *decoder) messages(src []byte, m *message, limits *Limits) (batch []message, isBatch bool, err *Error) {
	if tooDeep(src, limits.Depth) {
		return nil, false, parseError(fmt.Sprintf("nested deeper than %d levels", limits.Depth))
	}
	d.reset(src)
	isBatch, e := d.open('[')
	if e == nil && !isBatch {
		e = d.message(m)
	}
	for e == nil && isBatch && d.dec.PeekKind() != ']' {
		if len(batch) == limits.Batch {
			return nil, true, invalidRequest(fmt.Sprintf("a batch holds at most %d messages", limits.Batch))
		}
		batch = append(batch, message{})
		e = d.message(&batch[len(batch)-1])
	}
	if e == nil && isBatch {
		_, e = d.dec.ReadToken()
	}
	if e == nil {
		e = d.end()
	}
	if e != nil {
		*m = message{} // what was read before the fault is not to be trusted
		return nil, isBatch, parseError(syntaxReason(e))
	}
	return batch, isBatch, nil
}

// message decodes one message. Only faults of the JSON text are returned; a
// message that is no JSON-RPC is decoded on, so that its id can be echoed.
func (d *decoder) message(m *message) error {
	*m = message{}
	entered, err := d.open('{')
	if err != nil {
		return err
	}
	if !entered {
		m.fault = "a message is a JSON object"
		return d.dec.SkipValue()
	}
	versioned, hasResult := false, false
	for {
		name, err := d.next()
		if err != nil {
			return err
		}
		if name == nil {
			break
		}
		if string(name) == "params" {
			if err := d.params(m); err != nil {
				return err
			}
			continue
		}
		v, err := d.value()
		if err != nil {
			return err
		}
		switch string(name) {
		case "jsonrpc":
			versioned = string(v) == `"2.0"`
		case "id":
			m.setID(v)
		case "method":
			if m.method = text(v); m.method == nil {
				m.blame("method is not a string")
			}
		case "result", "error":
			hasResult = true
		}
	}
	m.response = hasResult && m.method == nil
	switch {
	case !versioned:
		m.blame(`jsonrpc is not "2.0"`)
	case m.method == nil && !m.response:
		m.blame("method is missing")
	}
	return nil
}

// blame records the first reason why the message is no JSON-RPC.
func (m *message) blame(reason string) {
	if m.fault == "" {
		m.fault = reason
	}
}

func (m *message) setID(v []byte) {
	m.hasID = true
	switch {
	case !idLike(v):
		m.blame("id is not a string or a number")
	case len(v) > maxIDBytes:
		m.blame(fmt.Sprintf("id is longer than %d bytes", maxIDBytes))
	default:
		m.id = v
	}
}

func (d *decoder) params(m *message) error {
	kind := d.dec.PeekKind()
	entered, err := d.open('{')
	if err != nil {
		return err
	}
	if !entered {
		if kind != 'n' {
			m.paramsKind = kind
		}
		return d.dec.SkipValue()
	}
	m.paramsKind = kind
	for {
		name, err := d.next()
		if name == nil || err != nil {
			return err
		}
		if string(name) == "_meta" {
			if err := d.meta(m); err != nil {
				return err
			}
			continue
		}
		v, err := d.value()
		if err != nil {
			return err
		}
		if field := m.param(name); field != nil && v[0] != 'n' {
			*field = v
		}
	}
}

// param returns the field of a member of params, or nil when no method of ours
// has it.
func (m *message) param(name []byte) *[]byte {
	switch string(name) {
	case "name":
		return &m.name
	case "uri":
		return &m.uri
	case "cursor":
		return &m.cursor
	case "arguments":
		return &m.arguments
	case "ref":
		return &m.ref
	case "argument":
		return &m.argument
	case "context":
		return &m.context
	case "requestId":
		return &m.requestID
	case "protocolVersion":
		return &m.version
	case "capabilities":
		return &m.capabilities
	case "clientInfo":
		return &m.clientInfo
	}
	return nil
}

const metaPrefix = "io.modelcontextprotocol/"

func (d *decoder) meta(m *message) error {
	entered, err := d.open('{')
	if err != nil {
		return err
	}
	if !entered {
		return d.dec.SkipValue()
	}
	for {
		name, err := d.next()
		if name == nil || err != nil {
			return err
		}
		v, err := d.value()
		if err != nil {
			return err
		}
		switch string(name) {
		case "progressToken":
			if idLike(v) && len(v) <= maxIDBytes {
				m.progressToken = v
			}
		case metaPrefix + "protocolVersion":
			m.metaVersion = v
		case metaPrefix + "clientCapabilities":
			m.metaCapabilities = v
		case metaPrefix + "clientInfo":
			m.metaClientInfo = v
		case "traceparent":
			m.traceparent = v
		case "tracestate":
			m.tracestate = v
		case "baggage":
			m.baggage = v
		default:
			if len(m.metaOther) < maxMetaMembers && !strings.HasPrefix(string(name), metaPrefix) {
				m.metaOther = append(m.metaOther, metaMember{string(name), v})
			}
		}
	}
}

// syntaxReason words a fault of the JSON text without repeating the text.
func syntaxReason(err error) string {
	var s *jsontext.SyntacticError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), err == io.EOF:
		return "the JSON text ends too early"
	case errors.Is(err, jsontext.ErrDuplicateName):
		return "a member name occurs twice in one object"
	case errors.As(err, &s):
		return fmt.Sprintf("not valid JSON at byte %d", s.ByteOffset)
	default:
		return err.Error()
	}
}
