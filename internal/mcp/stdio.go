package mcp

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// StdioOptions adjust the stdio transport. Zero values take the defaults.
type StdioOptions struct {
	MaxLineBytes int           // of one message, default 4 MiB
	Concurrency  int           // functions running at once, default 32
	Drain        time.Duration // for what still runs at the end, default 10 s
	Late         func()        // called when that is over, before what runs is cancelled
}

// farewell is how long what is cancelled at the end may take to notice.
const farewell = time.Second

// queueFactor is how many requests may wait for each one that runs. When the
// queue is full, nothing is read until a place is free.
const queueFactor = 8

// Serve speaks the stdio transport: one JSON-RPC message per line. It serves
// requests concurrently, honours notifications/cancelled, and writes nothing but
// messages to w, each with one Write.
//
// It ends when r ends or ctx is done: it reads no more, lets what runs finish
// within the drain time, and returns nil. It returns an error when reading or
// writing failed, or when the drain time was not enough; functions that then
// still run have a cancelled context and can write no more. When ctx ends it, a
// Read of r may still be waiting; what it yields is dropped.
func (s *Server) Serve(ctx context.Context, r io.Reader, w io.Writer, opts StdioOptions) error {
	if opts.MaxLineBytes <= 0 {
		opts.MaxLineBytes = defaultMessageBytes
	}
	if opts.Concurrency <= 0 {
		opts.Concurrency = 32
	}
	if opts.Drain <= 0 {
		opts.Drain = 10 * time.Second
	}
	// What runs outlives ctx by the drain time.
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	c := &stdioConn{
		server:  s,
		opts:    opts,
		base:    base,
		w:       w,
		flights: map[string]*flight{},
		running: make(chan struct{}, opts.Concurrency),
		queued:  make(chan struct{}, queueFactor*opts.Concurrency),
		broken:  make(chan struct{}),
		stopped: make(chan struct{}),
	}
	for i := range s.revisions { // until initialize says otherwise
		if c.session.rev = &s.revisions[i]; c.session.rev.era == Legacy {
			break
		}
	}
	ended := make(chan error, 1)
	go func() { ended <- c.read(r) }()

	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
	case <-c.broken:
	}
	return errors.Join(err, c.drain(cancel))
}

// stdioConn is one run of Serve.
type stdioConn struct {
	server  *Server
	opts    StdioOptions
	base    context.Context // parent of every request's context
	session session         // used by the reading goroutine only

	running chan struct{} // a token per running function
	queued  chan struct{} // a token per request that runs or waits to
	broken  chan struct{} // closed when writing failed
	stopped chan struct{} // closed when no more work is taken
	work    sync.WaitGroup

	mu       sync.Mutex // never held while writing: a client may not read
	stopping bool
	flights  map[string]*flight

	silent   atomic.Bool // nothing may be written any more
	writing  sync.Mutex
	w        io.Writer
	writeErr error // set before broken is closed
}

const duplicateID = "a request with this id is still running"

// flight is a request that has been read and not answered.
type flight struct {
	cancel    context.CancelFunc
	cancelled bool // by the client, who then wants no answer
}

// read takes lines until r ends.
func (c *stdioConn) read(r io.Reader) error {
	br := bufio.NewReaderSize(r, 64<<10)
	for {
		x := c.server.newExchange(Stdio)
		tooLong, err := readLine(br, x, c.opts.MaxLineBytes)
		switch {
		case tooLong:
			c.refuse(x, invalidRequest("a message is at most "+strconv.Itoa(c.opts.MaxLineBytes)+" bytes"))
		case len(x.in) > 0:
			c.line(x)
		default:
			c.server.release(x)
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("read messages: %w", err)
		}
		select {
		case <-c.stopped:
			return nil
		default:
		}
	}
}

// readLine reads the next line into x.in, without its end and without white
// space around it. A line beyond the limit is read to its end and dropped.
func readLine(br *bufio.Reader, x *exchange, limit int) (tooLong bool, err error) {
	x.in = x.in[:0]
	for {
		part, e := br.ReadSlice('\n')
		if tooLong = tooLong || len(x.in)+len(part) > limit+len("\r\n"); !tooLong {
			x.in = append(x.in, part...)
		}
		if e != bufio.ErrBufferFull {
			x.in = trimmed(x.in)
			return tooLong || len(x.in) > limit, e
		}
	}
}

// trimmed removes JSON white space at both ends, in place.
func trimmed(line []byte) []byte {
	blank := func(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
	end := len(line)
	for end > 0 && blank(line[end-1]) {
		end--
	}
	start := 0
	for start < end && blank(line[start]) {
		start++
	}
	return line[:copy(line, line[start:end])]
}

// line takes one message over from the reader. It owns x.
func (c *stdioConn) line(x *exchange) {
	x.session = c.session
	batch, isBatch, fault := x.dec.messages(x.in, &x.msg, &c.server.opts.Limits)
	switch {
	case fault != nil:
		c.refuse(x, fault)
	case isBatch:
		c.batch(x, batch)
	case x.msg.notification() || x.msg.response:
		c.notification(&x.msg)
		c.server.hear(c.base, x)
		c.server.release(x)
	default:
		c.request(x)
	}
}

// refuse answers a line that holds no request to serve.
func (c *stdioConn) refuse(x *exchange, err *Error) {
	x.fail(err)
	c.server.observe(c.base, x)
	c.answer(x)
	c.server.release(x)
}

// request serves one request: at once when that takes no function of the
// adapter's, so that initialize settles the session before the next line is
// looked at; else in its own goroutine.
func (c *stdioConn) request(x *exchange) {
	m := c.server.methods[string(x.msg.method)]
	if m == nil || !m.blocking || x.msg.fault != "" {
		c.server.serve(c.base, x)
		c.session = x.session
		c.answer(x)
		c.server.release(x)
		return
	}
	x.streams = stdioStream{conn: c, id: string(x.msg.id)}
	ctx, err := c.begin(x.msg.id)
	if err != nil {
		c.refuse(x, err)
		return
	}
	c.start(func() {
		if c.enter(ctx) {
			c.server.serve(ctx, x)
			<-c.running
			if c.finish(x.msg.id) {
				c.answer(x)
			}
		} else {
			c.finish(x.msg.id)
		}
		c.server.release(x)
	})
}

// batch serves a batch in one goroutine. Its requests can be cancelled one by
// one, also before their turn.
func (c *stdioConn) batch(x *exchange, batch []message) {
	if err := c.server.openBatch(x, batch); err != nil {
		c.refuse(x, err)
		return
	}
	contexts := make([]context.Context, len(batch)) // nil for what cannot be cancelled
	for i := range batch {
		m := &batch[i]
		if m.id == nil || m.fault != "" || m.response {
			continue
		}
		ctx, err := c.begin(m.id)
		if err != nil {
			m.fault = duplicateID
			continue
		}
		contexts[i] = ctx
	}
	for i := range batch {
		if batch[i].notification() { // it may cancel what runs, or what this batch asks for
			c.notification(&batch[i])
		}
	}
	c.server.hearAll(c.base, x, batch)
	c.start(func() {
		if !c.enter(c.base) {
			return
		}
		c.server.serveBatch(x, batch, func(i int, item *exchange) bool {
			if contexts[i] == nil {
				c.server.serve(c.base, item)
				return true
			}
			c.server.serve(contexts[i], item)
			return c.finish(item.msg.id)
		})
		<-c.running
		if len(x.out) > 0 {
			c.answer(x)
		}
		c.server.release(x)
	})
}

// start runs work in a goroutine that drain waits for, once the queue has room.
// After the end it does nothing: the process is going away.
func (c *stdioConn) start(work func()) {
	select {
	case c.queued <- struct{}{}:
	case <-c.stopped:
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopping {
		return
	}
	c.work.Go(func() {
		defer func() { <-c.queued }()
		work()
	})
}

// enter waits for a place among the running functions, and reports false when
// the request was cancelled meanwhile.
func (c *stdioConn) enter(ctx context.Context) bool {
	select {
	case c.running <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// begin notes that a request is in flight and returns its context.
func (c *stdioConn) begin(id []byte) (context.Context, *Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flights[string(id)] != nil {
		return nil, invalidRequest(duplicateID)
	}
	ctx, cancel := context.WithCancel(c.base)
	c.flights[string(id)] = &flight{cancel: cancel}
	return ctx, nil
}

// finish ends a flight and reports whether the client still wants an answer.
func (c *stdioConn) finish(id []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.flights[string(id)]
	delete(c.flights, string(id))
	f.cancel()
	return !f.cancelled
}

// notification acts on notifications/cancelled. Everything else, also one that
// names no request in flight, is dropped without a word, as the protocol has it.
func (c *stdioConn) notification(m *message) {
	if string(m.method) != "notifications/cancelled" || m.fault != "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.flights[string(m.requestID)]; f != nil {
		f.cancelled = true
		f.cancel()
	}
}

// write sends one message as a line.
func (c *stdioConn) write(message []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.silent.Load() || c.failure() != nil {
		return io.ErrClosedPipe
	}
	if _, err := c.w.Write(append(message, '\n')); err != nil {
		c.writeErr = fmt.Errorf("write messages: %w", err)
		close(c.broken)
	}
	return c.failure()
}

// answer sends the answer in x. A failure ends Serve.
func (c *stdioConn) answer(x *exchange) { _ = c.write(x.out) }

// failure returns the error that broke the writer, or nil.
func (c *stdioConn) failure() error {
	select {
	case <-c.broken:
		return c.writeErr
	default:
		return nil
	}
}

// stdioStream carries the notifications of one request, until it is cancelled.
type stdioStream struct {
	conn *stdioConn
	id   string
}

func (s stdioStream) notify(message []byte) error {
	s.conn.mu.Lock()
	f := s.conn.flights[s.id]
	gone := f == nil || f.cancelled
	s.conn.mu.Unlock()
	if gone {
		return context.Canceled
	}
	return s.conn.write(message)
}

// drain takes no more work and waits for what runs, then silences it.
func (c *stdioConn) drain(cancel context.CancelFunc) error {
	c.mu.Lock()
	c.stopping = true
	c.mu.Unlock()
	close(c.stopped)
	if c.failure() != nil {
		cancel() // nobody hears the answers
	}
	finished := make(chan struct{})
	go func() {
		c.work.Wait()
		close(finished)
	}()
	timer := time.NewTimer(c.opts.Drain)
	defer timer.Stop()
	var late error
	select {
	case <-finished:
	case <-timer.C:
		c.mu.Lock()
		late = fmt.Errorf("requests still running after %[2]s: %[1]d", len(c.flights), c.opts.Drain)
		c.mu.Unlock()
	}
	c.silent.Store(true)
	if late != nil && c.opts.Late != nil {
		c.opts.Late()
	}
	cancel()
	// What was under way is told of before the process ends.
	timer.Reset(farewell)
	select {
	case <-finished:
	case <-timer.C:
	}
	return errors.Join(c.failure(), late)
}
