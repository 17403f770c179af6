package mcp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// HTTPOptions adjust the Streamable HTTP transport.
type HTTPOptions struct {
	// MaxBodyBytes bounds a request body; 0 means 4 MiB.
	MaxBodyBytes int64
}

const defaultMessageBytes = 4 << 20

// HTTPHandler returns the Streamable HTTP endpoint: POST only, one JSON-RPC
// message per request (a batch where the client's revision has batches). Every
// failure has a JSON-RPC body. The answer is JSON; it becomes an event stream
// when the client gave a progress token, accepts text/event-stream, and the
// function that it called reports progress before it returns. A client that
// disconnects cancels the context of its call, in both eras: without sessions
// nobody could fetch the answer later.
//
// The handler does not look at Host and Origin, does not authenticate and sets
// no time limits: wrap it. It ignores Mcp-Session-Id and Last-Event-ID.
func (s *Server) HTTPHandler(opts HTTPOptions) http.Handler {
	if opts.MaxBodyBytes <= 0 {
		opts.MaxBodyBytes = defaultMessageBytes
	}
	return &httpHandler{
		server:      s,
		maxBody:     opts.MaxBodyBytes,
		jsonType:    []string{"application/json"},
		eventType:   []string{"text/event-stream"},
		noCache:     []string{"no-cache"},
		noBuffering: []string{"no"},
	}
}

// httpHandler holds header values as slices so that answers share them.
type httpHandler struct {
	server                                    *Server
	maxBody                                   int64
	jsonType, eventType, noCache, noBuffering []string
}

// ServeHTTP answers one POST.
func (h *httpHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		h.refuse(w, r, http.StatusMethodNotAllowed, "this endpoint takes POST")
		return
	}
	if !isJSON(r.Header) {
		h.refuse(w, r, http.StatusUnsupportedMediaType, "Content-Type must be application/json, without a Content-Encoding")
		return
	}
	x := h.server.newExchange(HTTP)
	defer h.server.release(x)
	x.header = r.Header
	body, err := readBody(x.in, r, h.maxBody)
	x.in = body
	switch {
	case errors.Is(err, errTooLarge):
		h.refuse(w, r, http.StatusRequestEntityTooLarge, "the body is larger than "+strconv.FormatInt(h.maxBody, 10)+" bytes")
		return
	case err != nil:
		h.refuse(w, r, http.StatusBadRequest, "the body could not be read")
		return
	}
	batch, isBatch, fault := x.dec.messages(x.in, &x.msg, &h.server.opts.Limits)
	switch {
	case fault != nil:
		h.fault(r.Context(), w, x, fault)
	case isBatch:
		h.batch(r.Context(), w, x, batch)
	case x.msg.notification(), x.msg.response:
		h.notification(r.Context(), w, x)
	default:
		h.request(r.Context(), w, x)
	}
}

// request answers one request, as JSON or at the end of an event stream.
func (h *httpHandler) request(ctx context.Context, w http.ResponseWriter, x *exchange) {
	var events *eventStream
	if x.msg.progressToken != nil && acceptsEvents(x.header) {
		events = &eventStream{handler: h, w: w}
		x.streams = events
	}
	h.server.serve(ctx, x)
	if events != nil && events.open {
		_ = events.send(x.out) // a failed write means that nobody reads
		return
	}
	if x.challenges != nil {
		w.Header()["Www-Authenticate"] = x.challenges
	}
	h.write(w, x.status, x.out)
}

// notification accepts a notification, or a response to a request that we never
// sent. Nothing is done with it: over HTTP, disconnecting is what cancels.
func (h *httpHandler) notification(ctx context.Context, w http.ResponseWriter, x *exchange) {
	if err := h.server.accept(x); err != nil {
		x.msg.id = nil // of a response, it is ours to choose and not to echo
		x.info.Method = clip(x.msg.method)
		h.fault(ctx, w, x, err)
		return
	}
	h.server.hear(ctx, x)
	w.WriteHeader(http.StatusAccepted)
}

func (h *httpHandler) batch(ctx context.Context, w http.ResponseWriter, x *exchange, batch []message) {
	if err := h.server.openBatch(x, batch); err != nil {
		h.fault(ctx, w, x, err)
		return
	}
	h.server.hearAll(ctx, x, batch)
	h.server.serveBatch(x, batch, func(_ int, item *exchange) bool {
		h.server.serve(ctx, item)
		return true
	})
	if len(x.out) == 0 {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	h.write(w, http.StatusOK, x.out)
}

// fault answers a transmission that holds no request to serve.
func (h *httpHandler) fault(ctx context.Context, w http.ResponseWriter, x *exchange, err *Error) {
	x.fail(err)
	h.server.observe(x.traced(ctx), x)
	h.write(w, x.status, x.out)
}

// refuse answers a request whose body was not looked at.
func (h *httpHandler) refuse(w http.ResponseWriter, r *http.Request, status int, reason string) {
	if tell := h.server.opts.OnRequest; tell != nil {
		tell(tracedBy(r.Context(), r.Header), RequestInfo{
			Method: clip([]byte(r.Method)), Transport: HTTP, ErrorCode: CodeInvalidRequest, Status: status, RequestID: requestID(r.Header),
		})
	}
	h.write(w, status, appendError(nil, nil, invalidRequest(reason)))
}

func (h *httpHandler) write(w http.ResponseWriter, status int, body []byte) {
	if status == 0 {
		status = http.StatusOK
	}
	header := w.Header()
	header["Content-Type"] = h.jsonType
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, _ = w.Write(body) // a failed write means that nobody reads
}

var errTooLarge = errors.New("body too large")

// readBody reads the body into buf, and returns what it read also on failure, so
// that the buffer can be used again.
func readBody(buf []byte, r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return buf, errTooLarge
	}
	// One byte more than the body, to see its end. What a client only announces
	// does not get more than a moderate buffer.
	want := min(max(r.ContentLength+1, 512), 64<<10)
	if buf = buf[:0]; want > int64(cap(buf)) {
		buf = make([]byte, 0, want)
	}
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Body.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case int64(len(buf)) > limit:
			return buf, errTooLarge
		case err == io.EOF:
			return buf, nil
		case err != nil:
			return buf, err
		}
	}
}

// isJSON reports whether the body is declared as JSON and as nothing else.
func isJSON(h http.Header) bool {
	types := h["Content-Type"]
	if len(types) != 1 {
		return false
	}
	media, _, _ := strings.Cut(types[0], ";")
	coding := h.Get("Content-Encoding")
	return strings.EqualFold(strings.TrimSpace(media), "application/json") &&
		(coding == "" || strings.EqualFold(coding, "identity"))
}

// acceptsEvents reports whether a client said that it reads event streams, and
// not with the weight 0, which means that it does not (RFC 9110 section 12.4.2).
// A client that says nothing gets JSON.
func acceptsEvents(h http.Header) bool {
	for _, line := range h["Accept"] {
		for part := range strings.SplitSeq(line, ",") {
			media, parameters, _ := strings.Cut(part, ";")
			if strings.EqualFold(strings.TrimSpace(media), "text/event-stream") {
				return !weightless(parameters)
			}
		}
	}
	return false
}

// weightless reports whether the parameters of a media range hold q=0.
func weightless(parameters string) bool {
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		if strings.EqualFold(name, "q") {
			weight, err := strconv.ParseFloat(value, 64)
			return err == nil && weight == 0
		}
	}
	return false
}

// eventStream is an answer in the form of server-sent events. It opens with the
// first notification. It has one user at a time: first the progress of the call,
// which is stopped before the answer is sent.
type eventStream struct {
	handler *httpHandler
	w       http.ResponseWriter
	open    bool
	buf     []byte
}

func (e *eventStream) notify(message []byte) error {
	if !e.open {
		e.open = true
		header := e.w.Header()
		header["Content-Type"] = e.handler.eventType
		header["Cache-Control"] = e.handler.noCache
		header["X-Accel-Buffering"] = e.handler.noBuffering
		e.w.WriteHeader(http.StatusOK)
	}
	return e.send(message)
}

// send writes one event and pushes it out. Messages hold no line breaks.
func (e *eventStream) send(message []byte) error {
	e.buf = append(e.buf[:0], "event: message\ndata: "...)
	e.buf = append(e.buf, message...)
	e.buf = append(e.buf, "\n\n"...)
	if _, err := e.w.Write(e.buf); err != nil {
		return err
	}
	return http.NewResponseController(e.w).Flush()
}
