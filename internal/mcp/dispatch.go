package mcp

import (
	"context"
	"net/http"
	"runtime/debug"
	"time"
)

// method is one row of the method table.
type method struct {
	name           string
	legacy, modern bool
	// mirror returns the body value that Mcp-Name repeats; nil for none.
	mirror func(*message) []byte
	// blocking methods run functions of the adapter; the others only copy
	// encoded bytes.
	blocking bool
	serve    func(*Server, context.Context, *exchange) *Error
}

func (m *method) in(era Era) bool {
	if era == Modern {
		return m.modern
	}
	return m.legacy
}

// methodTable returns the methods that the server's capabilities give it.
func (s *Server) methodTable() map[string]*method {
	byName := func(m *message) []byte { return m.name }
	byURI := func(m *message) []byte { return m.uri }
	table := []method{
		{name: "initialize", legacy: true, serve: (*Server).serveInitialize},
		{name: "ping", legacy: true, serve: serveEmpty},
		{name: "logging/setLevel", legacy: true, serve: serveEmpty},
		{name: "server/discover", modern: true, serve: (*Server).serveDiscover},
	}
	add := func(there bool, rows ...method) {
		if !there {
			return
		}
		for _, row := range rows {
			row.legacy, row.modern = true, true
			table = append(table, row)
		}
	}
	add(s.hasTools(),
		method{name: "tools/list", serve: serveList(func(s *Server) *listing { return &s.toolList })},
		method{name: "tools/call", mirror: byName, blocking: true, serve: (*Server).serveToolCall})
	add(s.hasResources(),
		method{name: "resources/list", serve: serveList(func(s *Server) *listing { return &s.resourceList })},
		method{name: "resources/templates/list", serve: serveList(func(s *Server) *listing { return &s.templateList })},
		method{name: "resources/read", mirror: byURI, blocking: true, serve: (*Server).serveResourceRead})
	add(s.opts.Prompts != nil,
		method{name: "prompts/list", serve: serveList(func(s *Server) *listing { return &s.promptList })},
		method{name: "prompts/get", mirror: byName, blocking: true, serve: (*Server).servePromptGet})
	add(s.opts.Complete != nil,
		method{name: "completion/complete", blocking: true, serve: (*Server).serveComplete})

	methods := make(map[string]*method, len(table))
	for i := range table {
		methods[table[i].name] = &table[i]
	}
	return methods
}

// serve answers the request in x: afterwards x.out holds the response. It never
// panics and always answers.
func (s *Server) serve(ctx context.Context, x *exchange) {
	var start time.Time
	if s.opts.OnRequest != nil {
		start = time.Now()
	}
	ctx = x.traced(ctx)
	if err := s.route(ctx, x); err != nil {
		x.fail(err)
	}
	if s.opts.OnRequest != nil {
		x.info.Duration = time.Since(start)
		s.observe(ctx, x)
	}
}

// observe tells the observer of the request in x.
func (s *Server) observe(ctx context.Context, x *exchange) {
	if s.opts.OnRequest == nil {
		return
	}
	x.info.Transport, x.info.RequestID = x.transport, requestID(x.header)
	x.info.ID = string(x.msg.id)
	if x.rev != nil {
		x.info.Era, x.info.Revision = x.rev.era, x.rev.name
	}
	s.opts.OnRequest(ctx, x.info)
}

// hear tells the observer of a message to which nothing is answered.
func (s *Server) hear(ctx context.Context, x *exchange) {
	if s.opts.OnRequest == nil {
		return
	}
	x.info.Method = "response"
	if x.msg.method != nil {
		x.info.Method = clip(x.msg.method)
	}
	if x.msg.fault != "" {
		x.info.ErrorCode = CodeInvalidRequest
	}
	s.observe(x.traced(ctx), x)
}

// hearAll is hear for those messages of a batch to which nothing is answered.
func (s *Server) hearAll(ctx context.Context, x *exchange, batch []message) {
	for i := range batch {
		if !batch[i].notification() && !batch[i].response {
			continue
		}
		item := s.newExchange(x.transport)
		item.header, item.rev, item.msg = x.header, x.rev, batch[i]
		s.hear(ctx, item)
		s.release(item)
	}
}

// route finds the revision and the method of a request and runs it. A panic of
// the adapter's functions, or over a block that they built wrongly, ends here.
func (s *Server) route(ctx context.Context, x *exchange) (failed *Error) {
	defer func() {
		if v := recover(); v != nil {
			failed = internalError(&PanicError{Value: v, Stack: debug.Stack()})
		}
	}()
	if x.msg.fault != "" {
		return invalidRequest(x.msg.fault)
	}
	m := s.methods[string(x.msg.method)]
	if m != nil {
		x.info.Method = m.name
	} else {
		x.info.Method = clip(x.msg.method)
	}
	if err := s.settle(x); err != nil {
		return err
	}
	if m == nil || !m.in(x.rev.era) {
		return unknownMethod(x)
	}
	if x.mirrors() && m.mirror != nil {
		if err := checkName(x.header, m.mirror(&x.msg)); err != nil {
			return err
		}
	}
	if x.msg.paramsKind != 0 && x.msg.paramsKind != '{' {
		return invalidParams("params must be an object")
	}
	return m.serve(s, ctx, x)
}

// unknownMethod answers a method that the era does not have or whose capability
// the server lacks. To a legacy client 404 would mean a lost session.
func unknownMethod(x *exchange) *Error {
	err := &Error{Code: CodeMethodNotFound, Message: "Method not found: " + x.info.Method}
	if x.rev.era == Modern {
		err.status = http.StatusNotFound
	}
	return err
}
