package mcp

import "context"

// serveEmpty answers with an empty result. Only legacy revisions have those.
func serveEmpty(s *Server, _ context.Context, x *exchange) *Error {
	x.begin(s)
	x.end()
	return nil
}

// serveInitialize opens a legacy connection. Nothing is remembered over HTTP.
func (s *Server) serveInitialize(_ context.Context, x *exchange) *Error {
	if x.transport == Stdio {
		x.session = session{
			rev:          x.rev,
			capabilities: append([]byte(nil), x.msg.capabilities...),
			clientInfo:   append([]byte(nil), x.msg.clientInfo...),
		}
	}
	x.begin(s)
	x.out = append(x.out, `"protocolVersion":`...)
	x.out = quoted(x.out, x.rev.name)
	x.out = append(x.out, `,"capabilities":`...)
	x.out = append(x.out, s.capabilities...)
	x.out = append(x.out, `,"serverInfo":`...)
	x.out = append(x.out, s.info...)
	if s.opts.Instructions != "" {
		x.out = append(x.out, `,"instructions":`...)
		x.out = quoted(x.out, s.opts.Instructions)
	}
	x.end()
	return nil
}

func (s *Server) serveDiscover(_ context.Context, x *exchange) *Error {
	x.begin(s)
	x.out = append(x.out, s.discover[x.transport]...)
	x.end()
	return nil
}
