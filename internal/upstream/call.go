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
	"time"

	"patchbay/internal/auth"
	"patchbay/internal/fault"
	"patchbay/internal/secret"
	"patchbay/internal/telemetry"
)

// Request is one call, fully encoded.
type Request struct {
	Method string
	// Path is the escaped path: the client's Prefix and what is below it.
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
	// Signer signs in place of the client's own; nil is that.
	Signer *auth.Signer
	// Mask knows what that signer adds, and what else of the caller's is a secret;
	// nil knows nothing. See [Endpoint].
	Mask *secret.Mask
	// Operation counts and follows the call; nil does not.
	Operation *telemetry.UpstreamOperation
}

// Response is an answer with its whole body. Release must be called once.
type Response struct {
	Status int
	Header http.Header
	// Body is valid until Release.
	Body []byte
	// Retries is how many calls were made again. Doubt reports that one before
	// the last may have been processed, whatever this answer says.
	Retries int
	Doubt   bool

	buffer *bytes.Buffer
	pool   *Pool
}

// Release gives the body's memory back. The response must not be used afterwards.
func (r *Response) Release() {
	const keep = 1 << 20 // a rare huge answer must not stay in the pool
	if r.buffer != nil && r.buffer.Cap() <= keep {
		r.pool.buffers.Put(r.buffer)
	}
	r.buffer, r.Body = nil, nil
}

// exchange is one call under way: what it needs, in one piece of memory.
type exchange struct {
	// connected reports that the request was given to a connection, which
	// decides the outcome of a fault: from then on its bytes may leave at any
	// time, even after the call has been given up.
	connected atomic.Bool
	// answered reports that the answer's header has arrived.
	answered atomic.Bool
	// gzip reports that a compressed answer was asked for.
	gzip bool
	// clock runs for the time of the header first, and then until end.
	clock    *time.Timer
	end      time.Time
	cancel   context.CancelCauseFunc
	trace    httptrace.ClientTrace
	url      url.URL
	body     bytes.Reader
	limited  io.LimitedReader
	response Response
	attempt  telemetry.Attempt
}

// observe tells how the attempt went; without answer and fault, that it panicked.
func (x *exchange) observe(now time.Time, answer *Response, f *fault.Fault) {
	switch {
	case f != nil:
		x.attempt.End(now, f.UpstreamStatus, nil, f)
	case answer != nil:
		x.attempt.End(now, answer.Status, answer.Header, nil)
	default:
		x.attempt.End(now, 0, nil, &fault.Fault{Kind: fault.Internal, Outcome: x.outcome()})
	}
}

// timeUp gives the call up, unless the header came in its time: then there is
// time until the end. One clock times the whole call, and is set again only for
// answers that take longer than their headers may.
func (x *exchange) timeUp() {
	if x.answered.Load() {
		if left := time.Until(x.end); left > 0 {
			x.clock.Reset(left)
			return
		}
	}
	x.cancel(context.DeadlineExceeded)
}

// connecting starts an attempt. There is a second one only if nothing of the
// first was written, or if the method is safe.
func (x *exchange) connecting(string) { x.connected.Store(false) }

func (x *exchange) hasConnection(httptrace.GotConnInfo) { x.connected.Store(true) }

// outcome is NotSent only while no byte of the request can have left.
func (x *exchange) outcome() fault.Outcome {
	if x.connected.Load() {
		return fault.Unknown
	}
	return fault.NotSent
}

// Do sends the request, and sends it again where that cannot double an effect,
// as [Client.repeatable] has it; all attempts share the time of one call. By
// itself net/http sends a request again only if the connection turned out to be
// dead before a byte was written, or, for safe methods, closed before it
// answered. Every answer, of any status, is a Response; redirects are not
// followed. Errors are *fault.Fault.
func (c *Client) Do(ctx context.Context, r *Request) (*Response, error) {
	if c.missing != nil {
		c.opts.Counts.Rejected(telemetry.Unconfigured)
		return nil, c.missing
	}
	now := time.Now()
	end := now.Add(c.opts.Total)
	c.state.budget.earn()
	last := c.once(ctx, r, now, end, 1)
	if c.opts.Retry.Attempts > 1 && (last.fault != nil || last.answer.Status >= 400) {
		last = c.again(ctx, r, last, end)
	}
	if last.fault != nil {
		return nil, last.fault
	}
	return last.answer, nil
}

// once makes one attempt, the n-th, when it is its turn. A call reads the time
// when it begins and when it ends, and otherwise only where it had to wait.
func (c *Client) once(caller context.Context, r *Request, now, end time.Time, n int) (a attempt) {
	if now, a.fault = c.turn(caller, now, end); a.fault != nil {
		return a
	}
	defer c.leave()
	p, wait, ok := c.state.breaker.allow(now)
	if !ok {
		a.fault = c.broken(wait)
		return a
	}
	defer func() { c.state.breaker.done(p, a.verdict(caller), now) }()
	x := &exchange{end: end}
	x.attempt = r.Operation.Begin(caller, n, now)
	defer func() { // also where something panics
		now = time.Now()
		x.observe(now, a.answer, a.fault)
	}()
	a.answer, a.fault = c.send(caller, r, now, x)
	return a
}

// verdict is what the attempt says about the upstream. Answers that blame the
// request speak of a working upstream, and so does one that wants fewer requests.
func (a *attempt) verdict(caller context.Context) verdict {
	switch {
	case a.answer != nil:
		if a.answer.Status >= 500 && a.answer.Status != http.StatusNotImplemented {
			return failing
		}
		return healthy
	case a.fault == nil, caller.Err() != nil:
		return neutral // given up, for a reason that is the caller's
	}
	switch a.fault.Kind {
	case fault.Unreachable, fault.Timeout, fault.Decode:
		return failing
	case fault.Limit:
		return healthy
	default:
		return neutral
	}
}

// send sends the request and reads its answer.
func (c *Client) send(caller context.Context, r *Request, now time.Time, x *exchange) (*Response, *fault.Fault) {
	var ctx context.Context
	ctx, x.cancel = context.WithCancelCause(caller)
	defer x.cancel(nil)
	// The transport has no clock of its own.
	x.clock = time.AfterFunc(min(c.opts.Header, x.end.Sub(now)), x.timeUp)
	defer x.clock.Stop()
	x.trace.GetConn, x.trace.GotConn = x.connecting, x.hasConnection
	answer, err := c.transport.RoundTrip(c.request(httptrace.WithClientTrace(ctx, &x.trace), x, r))
	if err != nil {
		return nil, c.failure(caller, ctx, x.outcome(), err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode < 200 || answer.StatusCode > 599 {
		// 101 would hand the connection over, and nothing bounds it then.
		return nil, &fault.Fault{
			Kind: fault.Decode, Outcome: fault.Unknown,
			Message: fmt.Sprintf("%s answered with the status %d, which is none of an answer", c.base.Host, answer.StatusCode),
		}
	}
	x.answered.Store(true)
	if x.zipped(answer) {
		c.pool.unzip(answer)
	}
	return c.read(caller, ctx, x, r, answer)
}

func (c *Client) request(ctx context.Context, x *exchange, r *Request) *http.Request {
	header := r.Header
	if header == nil {
		header = make(http.Header, 8)
	}
	if x.gzip = r.Method != http.MethodHead && header["Range"] == nil; x.gzip {
		header["Accept-Encoding"] = acceptGzip
	}
	header["Accept"] = r.Accept
	header["User-Agent"] = c.agent
	if r.Body != nil {
		header["Content-Type"] = r.ContentType
	}
	signer := &c.signer
	if r.Signer != nil {
		signer = r.Signer
	}
	x.attempt.Inject(header)
	query := r.Query
	if q := signer.Query(); q != "" {
		query = join(query, "&", q)
	}
	cookie := r.Cookie
	if k := signer.Cookie(); k != "" {
		cookie = join(cookie, "; ", k)
	}
	if cookie != "" {
		header["Cookie"] = []string{cookie}
	}
	if name, values := signer.Header(); name != "" {
		header[name] = values
	}
	for _, f := range signer.More() {
		header[f.Name] = f.Values
	}
	if !safe(r.Method) {
		unmark(header)
	}
	path := r.Path
	if strings.IndexByte(path, '%') >= 0 {
		path, _ = url.PathUnescape(path)
	}
	x.url = url.URL{Scheme: c.base.Scheme, Host: c.base.Host, Path: path, RawPath: r.Path, RawQuery: query}
	req := c.blank.WithContext(ctx)
	req.Method, req.Host, req.URL, req.Header = r.Method, c.base.Host, &x.url, header
	if r.Body != nil {
		req.ContentLength = int64(len(r.Body))
		if len(r.Body) == 0 {
			req.Body = http.NoBody
		} else {
			body := r.Body
			x.body.Reset(body)
			// net/http sends header and body in one piece where it knows that
			// reading cannot block, and it knows only its own types.
			req.Body = io.NopCloser(&x.body)
			// Lets net/http use a fresh connection when a kept one was dead
			// before anything was written; it never replays a POST otherwise.
			req.GetBody = func() (io.ReadCloser, error) {
				return io.NopCloser(bytes.NewReader(body)), nil
			}
		}
	}
	return req
}

// unmark takes from a header what net/http reads as leave to send the request
// again by itself. An upstream reads the names as before, because their case
// means nothing (RFC 9110 section 5.1).
func unmark(h http.Header) {
	for _, mark := range [...]string{"Idempotency-Key", "X-Idempotency-Key"} {
		if values, ok := h[mark]; ok {
			delete(h, mark)
			h[strings.ToLower(mark)] = values
		}
	}
}

func join(a, separator, b string) string {
	if a == "" {
		return b
	}
	return a + separator + b
}

func (c *Client) read(caller, ctx context.Context, x *exchange, r *Request, answer *http.Response) (*Response, *fault.Fault) {
	buffer := c.pool.buffers.Get().(*bytes.Buffer)
	buffer.Reset()
	out := &x.response
	*out = Response{Status: answer.StatusCode, Header: answer.Header, buffer: buffer, pool: c.pool}
	if answer.ContentLength > c.opts.MaxBody {
		out.Release()
		return nil, c.tooLarge(answer.StatusCode)
	}
	if n := answer.ContentLength; n > 0 {
		buffer.Grow(int(n) + bytes.MinRead)
	}
	x.limited = io.LimitedReader{R: answer.Body, N: c.opts.MaxBody + 1}
	n, err := buffer.ReadFrom(&x.limited)
	switch {
	case err != nil:
		out.Release()
		f := c.failure(caller, ctx, fault.Unknown, fmt.Errorf("reading the answer: %w", err))
		f.UpstreamStatus = answer.StatusCode
		if f.Kind == fault.Unreachable || f.Kind == fault.Timeout {
			f.Message = fmt.Sprintf("%s answered %d, but its answer did not arrive whole", c.base.Host, answer.StatusCode)
		}
		if answer.StatusCode < 300 {
			f.Outcome = fault.Answered
		}
		return nil, f
	case n > c.opts.MaxBody:
		out.Release()
		return nil, c.tooLarge(answer.StatusCode)
	}
	out.Body = buffer.Bytes()
	if out.Status >= 400 {
		// An upstream that repeats what it was sent must not tell our callers.
		out.Body = r.Mask.Bytes(c.mask.Bytes(out.Body))
	}
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
func (c *Client) failure(caller, ctx context.Context, outcome fault.Outcome, err error) *fault.Fault {
	f := &fault.Fault{Kind: fault.Unreachable, Outcome: outcome, Cause: c.redact(err)}
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

// redact keeps credentials out of logged errors: those in a query string, and
// those that an upstream repeats in what should have been an answer.
func (c *Client) redact(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = fmt.Errorf("%s: %w", u.Op, u.Err)
	}
	if text := err.Error(); c.mask.String(text) != text {
		return errors.New(c.mask.String(text))
	}
	return err
}
