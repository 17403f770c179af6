package upstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"

	"patchbay/internal/fault"
)

// Request is one call, fully encoded.
type Request struct {
	Method string
	// Path is the escaped path below the client's base, with its leading slash.
	Path string
	// Query is the escaped query string without '?', possibly empty.
	Query string
	// Header holds the operation's own headers. The client adds Authorization,
	// Accept, Content-Type and User-Agent, which therefore cannot be set here.
	Header http.Header
	// Accept is the media type asked for; ContentType that of Body.
	Accept, ContentType []string
	// Body is the encoded body; nil sends none. It must not change until the
	// call has returned.
	Body []byte
	// Cookie is a prepared Cookie header value, or "".
	Cookie string
}

// Response is an answer with its whole body. Release must be called once.
type Response struct {
	Status int
	Header http.Header
	// Body is valid until Release.
	Body   []byte
	buffer *bytes.Buffer
	client *Client
}

// Release gives the body's memory back. The response must not be used afterwards.
func (r *Response) Release() {
	const keep = 1 << 20 // a rare huge answer must not stay in the pool
	if r.buffer != nil && r.buffer.Cap() <= keep {
		r.client.buffers.Put(r.buffer)
	}
	r.buffer, r.Body = nil, nil
}

// progress watches how far a request got, which decides the outcome of a fault.
type progress struct{ wrote atomic.Bool }

// outcome is NotSent only while no byte of the request can have left.
func (p *progress) outcome() fault.Outcome {
	if p.wrote.Load() {
		return fault.Unknown
	}
	return fault.NotSent
}

// Do sends the request once. net/http may send it again only if the connection
// turned out to be dead before a byte was written, or, for methods that are
// idempotent by definition, closed before it answered. Every answer, of any
// status, is a Response; redirects are not followed. Errors are *fault.Fault.
func (c *Client) Do(ctx context.Context, r *Request) (*Response, error) {
	if c.missing != nil {
		return nil, c.missing
	}
	caller := ctx
	ctx, cancel := context.WithTimeout(ctx, c.opts.Total)
	defer cancel()
	if f := c.enter(ctx); f != nil {
		return nil, f
	}
	defer c.leave()

	p := new(progress)
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:      func(httptrace.GotConnInfo) { p.wrote.Store(false) },
		WroteHeaders: func() { p.wrote.Store(true) },
	})
	answer, err := c.transport.RoundTrip(c.request(ctx, r))
	if err != nil {
		return nil, c.failure(caller, ctx, p, err)
	}
	defer answer.Body.Close()
	return c.read(caller, ctx, answer)
}

func (c *Client) request(ctx context.Context, r *Request) *http.Request {
	header := r.Header
	if header == nil {
		header = make(http.Header, 6)
	}
	header["Accept"] = r.Accept
	header["User-Agent"] = c.agent
	if r.Body != nil {
		header["Content-Type"] = r.ContentType
	}
	query := r.Query
	if q := c.signer.Query(); q != "" {
		query = join(query, "&", q)
	}
	cookie := r.Cookie
	if k := c.signer.Cookie(); k != "" {
		cookie = join(cookie, "; ", k)
	}
	if cookie != "" {
		header["Cookie"] = []string{cookie}
	}
	if name, values := c.signer.Header(); name != "" {
		header[name] = values
	}
	path, raw := c.base.Path+r.Path, ""
	if strings.IndexByte(r.Path, '%') >= 0 || c.base.RawPath != "" {
		raw = c.base.EscapedPath() + r.Path
		path, _ = url.PathUnescape(raw)
	} else {
		raw = path
	}
	req := &http.Request{
		Method: r.Method, Host: c.base.Host, Header: header, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		URL: &url.URL{Scheme: c.base.Scheme, Host: c.base.Host, Path: path, RawPath: raw, RawQuery: query},
	}
	if r.Body != nil {
		req.ContentLength = int64(len(r.Body))
		if len(r.Body) == 0 {
			req.Body = http.NoBody
		} else {
			body := r.Body
			req.Body = io.NopCloser(bytes.NewReader(body))
			// Lets net/http use a fresh connection when a kept one was dead
			// before anything was written; it never replays a POST otherwise.
			req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		}
	}
	return req.WithContext(ctx)
}

func join(a, separator, b string) string {
	if a == "" {
		return b
	}
	return a + separator + b
}

func (c *Client) read(caller, ctx context.Context, answer *http.Response) (*Response, error) {
	buffer := c.buffers.Get().(*bytes.Buffer)
	buffer.Reset()
	out := &Response{Status: answer.StatusCode, Header: answer.Header, buffer: buffer, client: c}
	if answer.ContentLength > c.opts.MaxBody {
		out.Release()
		return nil, c.tooLarge(answer.StatusCode)
	}
	if n := answer.ContentLength; n > 0 {
		buffer.Grow(int(n) + bytes.MinRead)
	}
	n, err := buffer.ReadFrom(io.LimitReader(answer.Body, c.opts.MaxBody+1))
	switch {
	case err != nil:
		out.Release()
		answered := new(progress)
		answered.wrote.Store(true)
		f := c.failure(caller, ctx, answered, fmt.Errorf("reading the answer: %w", err))
		f.UpstreamStatus = answer.StatusCode
		return nil, f
	case n > c.opts.MaxBody:
		out.Release()
		return nil, c.tooLarge(answer.StatusCode)
	}
	out.Body = buffer.Bytes()
	return out, nil
}

func (c *Client) tooLarge(status int) *fault.Fault {
	return &fault.Fault{
		Kind: fault.Limit, Outcome: fault.Answered, UpstreamStatus: status,
		Message: fmt.Sprintf("the upstream's answer is larger than %d bytes", c.opts.MaxBody),
		Hint:    "ask for less, for example a smaller page, or raise --max-response",
	}
}

// failure classifies what kept an exchange from completing.
func (c *Client) failure(caller, ctx context.Context, p *progress, err error) *fault.Fault {
	f := &fault.Fault{Kind: fault.Unreachable, Outcome: p.outcome(), Cause: redact(err)}
	timeout := false
	if ne, ok := errors.AsType[net.Error](err); ok {
		timeout = ne.Timeout()
	}
	ended, byUs := errors.AsType[*fault.Fault](context.Cause(caller))
	switch {
	case byUs:
		f.Kind, f.Message = ended.Kind, ended.Message
	case caller.Err() != nil && errors.Is(caller.Err(), context.Canceled):
		f.Kind, f.Message = fault.Canceled, "the caller went away before the upstream answered"
	case timeout || errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil:
		f.Kind, f.Message = fault.Timeout, fmt.Sprintf("%s did not answer in time", c.base.Host)
	case f.Outcome == fault.NotSent:
		f.Message = fmt.Sprintf("%s cannot be reached", c.base.Host)
	default:
		f.Message = fmt.Sprintf("the connection to %s failed before its answer was complete", c.base.Host)
	}
	return f
}

// redact keeps credentials in a query string out of logged errors.
func redact(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("%s: %w", u.Op, u.Err)
	}
	return err
}
