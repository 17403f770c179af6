package mcp

// openBatch decides whether a batch may be served at all. Only revision
// 2025-03-26 has batches; there a server must accept them.
func (s *Server) openBatch(x *exchange, batch []message) *Error {
	if header, sent := versionHeader(x); sent && s.modernHeader(header) {
		return invalidRequest("this protocol revision has no batches")
	}
	if err := s.settleLegacy(x, nil); err != nil {
		return err
	}
	if !x.rev.batches {
		return invalidRequest("protocol revision " + x.rev.name + " has no batches")
	}
	if len(batch) == 0 {
		return invalidRequest("a batch holds at least one message")
	}
	return nil
}

// serveBatch serves the requests of a batch in their order, with run, and leaves
// the array of answers in x.out, nothing if there is none. Run reports whether
// the answer is to be sent. Progress is not reported from a batch.
func (s *Server) serveBatch(x *exchange, batch []message, run func(i int, item *exchange) bool) {
	for i := range batch {
		if batch[i].notification() || batch[i].response {
			continue
		}
		item := s.newExchange(x.transport)
		item.header, item.session = x.header, x.session
		item.msg = batch[i]
		if batch[i].fault == "" {
			item.msg.fault = batchFault(&batch[i])
		}
		if run(i, item) {
			if len(x.out) == 0 {
				x.out = append(x.out, '[')
			} else {
				x.out = append(x.out, ',')
			}
			x.out = append(x.out, item.out...)
		}
		s.release(item)
	}
	if len(x.out) > 0 {
		x.out = append(x.out, ']')
	}
}

// batchFault says why a message cannot be part of a batch, or "".
func batchFault(m *message) string {
	switch {
	case string(m.method) == "initialize":
		return "initialize cannot be part of a batch"
	case m.metaVersion != nil:
		return "a request with a protocol version in _meta cannot be part of a batch"
	default:
		return ""
	}
}

// accept judges a notification or response that came over HTTP. The modern
// revision defines no headers for notifications, so only versions that were never
// offered are refused.
func (s *Server) accept(x *exchange) *Error {
	header, sent := versionHeader(x)
	modern := sent && s.modernHeader(header)
	switch {
	case x.msg.fault != "":
		return invalidRequest(x.msg.fault)
	case modern && x.msg.response:
		return invalidRequest("a client sends no responses")
	case modern:
		return nil
	default:
		return s.settleLegacy(x, nil)
	}
}
