package mcp

import (
	"net/http"
)

// exchange is one request on its way through the server. It is pooled; nothing
// that outlives the request may refer to it or to its buffers.
type exchange struct {
	in  []byte // the text the request came in
	out []byte // the answer
	dec decoder
	requestState
}

// requestState is the part of an exchange that starts anew with each request.
type requestState struct {
	transport Transport
	header    http.Header // HTTP only
	session   session     // stdio only
	streams   streamer    // how notifications reach the client; nil if they cannot

	msg    message
	rev    *revision
	status int // HTTP status of an error; 0 means 200
	// challenges are what a 403 says about other credentials.
	challenges []string
	info       RequestInfo
}

// session is what a legacy client settled with initialize. It exists on stdio
// only, where one process serves one client.
type session struct {
	rev          *revision
	capabilities []byte
	clientInfo   []byte
}

// streamer carries notifications to the client before the answer.
type streamer interface {
	// notify sends one JSON-RPC message. The bytes are valid until it returns.
	notify(message []byte) error
}

// maxPooledBytes bounds the buffers that go back to the pool, so that one large
// message does not stay in memory for good.
const maxPooledBytes = 256 << 10

func (s *Server) newExchange(t Transport) *exchange {
	x := s.exchanges.Get().(*exchange)
	x.transport = t
	return x
}

func (s *Server) release(x *exchange) {
	x.in, x.out = recycled(x.in), recycled(x.out)
	x.dec.reset(nil)
	x.requestState = requestState{}
	s.exchanges.Put(x)
}

func recycled(buf []byte) []byte {
	if cap(buf) > maxPooledBytes {
		return nil
	}
	return buf[:0]
}

// mirrors reports whether HTTP headers must repeat parts of the message.
func (x *exchange) mirrors() bool { return x.transport == HTTP && x.rev.era == Modern }

// capabilities returns what the client declared, as raw JSON object, or nil.
func (x *exchange) capabilities() []byte {
	if x.rev.era == Modern {
		return x.msg.metaCapabilities
	}
	return x.session.capabilities
}

func (x *exchange) clientInfo() []byte {
	if x.rev.era == Modern {
		return x.msg.metaClientInfo
	}
	return x.session.clientInfo
}

// begin writes the answer up to the first member of its result.
func (x *exchange) begin(s *Server) {
	x.out = append(x.out, `{"jsonrpc":"2.0","id":`...)
	x.out = append(x.out, x.msg.id...)
	x.out = append(x.out, s.open[x.rev.era]...)
}

// annotate adds the members of a raw object to the result's _meta, right after
// begin, which has written one for modern clients.
func (x *exchange) annotate(meta []byte) {
	switch {
	case len(meta) <= len("{}"):
	case x.rev.era == Modern:
		x.out = append(x.out[:len(x.out)-len("},")], ',')
		x.out = append(append(x.out, meta[1:len(meta)-1]...), '}', ',')
	default:
		x.out = append(append(append(x.out, `"_meta":`...), meta...), ',')
	}
}

// requestID is the name that a request has in HTTP, "" for none.
func requestID(h http.Header) string {
	if values := h["X-Request-Id"]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// end closes the answer that begin opened.
func (x *exchange) end() { x.out = append(x.out, '}', '}') }

// fail replaces whatever was written of the answer by an error.
func (x *exchange) fail(e *Error) {
	x.out = appendError(x.out[:0], x.msg.id, e)
	x.status, x.challenges = e.status, e.challenges
	x.info.ErrorCode, x.info.Err = e.Code, e.cause
}

// appendError encodes an error response. Without an id it is null, as JSON-RPC
// 2.0 section 5 has it.
func appendError(dst, id []byte, e *Error) []byte {
	dst = append(dst, `{"jsonrpc":"2.0","id":`...)
	if id == nil {
		dst = append(dst, "null"...)
	} else {
		dst = append(dst, id...)
	}
	dst = append(dst, `,"error":`...)
	o := newObject(dst)
	code := int64(e.Code)
	o.integer("code", &code)
	o.text("message", e.Message)
	o.raw("data", oneLine(nil, e.Data))
	return append(o.close(), '}')
}
