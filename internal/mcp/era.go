package mcp

import "net/http"

// settle chooses the revision of a request (2026-07-28, versioning, "Backward
// Compatibility") and checks what that revision demands of every request.
//
// A version in _meta makes a request modern, unless it names a revision that is
// opened by initialize and no modern header contradicts. Without one, initialize
// is legacy under any header; a modern header, or the method that only modern
// clients know, shows a modern request that lacks its _meta.
func (s *Server) settle(x *exchange) *Error {
	m := &x.msg
	header, sent := versionHeader(x)
	modernHeader := sent && s.modernHeader(header)
	if m.metaVersion != nil {
		named := text(m.metaVersion)
		rev := s.revision(string(named), x.transport)
		if rev != nil && rev.era == Legacy && !modernHeader {
			return s.settleLegacy(x, rev)
		}
		return s.settleModern(x, named)
	}
	switch {
	case string(m.method) == "initialize":
		x.rev = s.negotiate(string(text(m.version)), x.transport)
		return nil
	case modernHeader, string(m.method) == "server/discover":
		return s.settleModern(x, nil)
	default:
		return s.settleLegacy(x, nil)
	}
}

// settleModern checks the duties of a modern request, in the order in which a
// client can act on them: the fields themselves, their copies, the version. A
// version of nil is missing or no string.
func (s *Server) settleModern(x *exchange, version []byte) *Error {
	x.rev = &s.revisions[0] // its envelope, also if the version turns out unknown
	if version == nil {
		return missingMeta("protocolVersion", "a string")
	}
	if c := x.msg.metaCapabilities; c == nil || c[0] != '{' {
		return missingMeta("clientCapabilities", "an object")
	}
	if x.transport == HTTP {
		if err := checkMirror(x.header, versionHeaderName, version); err != nil {
			return err
		}
	}
	rev := s.revision(string(version), x.transport)
	if rev == nil || rev.era != Modern {
		return s.unsupportedVersion(x, version)
	}
	x.rev = rev
	if x.transport == HTTP {
		return checkMirror(x.header, "Mcp-Method", x.msg.method)
	}
	return nil
}

func missingMeta(key, kind string) *Error {
	err := invalidParams("params._meta must hold %s%s, %s", metaPrefix, key, kind)
	err.status = http.StatusBadRequest
	return err
}

func (s *Server) unsupportedVersion(x *exchange, requested []byte) *Error {
	data := newObject(nil)
	data.raw("supported", s.supported(x.transport))
	data.text("requested", clip(requested))
	return &Error{
		Code:    codeUnsupportedVersion,
		Message: "Unsupported protocol version: " + clip(requested),
		Data:    data.close(),
		status:  http.StatusBadRequest,
	}
}

// settleLegacy picks the revision that initialize settled: on stdio it is
// remembered, over HTTP each request repeats it in its header. Named is the
// legacy revision in the request's _meta, if there is one.
func (s *Server) settleLegacy(x *exchange, named *revision) *Error {
	header, sent := versionHeader(x)
	switch {
	case sent:
		x.rev = s.revision(header, x.transport)
	case named != nil:
		x.rev = named
	case x.transport == Stdio:
		x.rev = x.session.rev
	default:
		x.rev = s.revision(headerlessRevision, x.transport)
	}
	if x.rev == nil {
		return invalidRequest("the MCP-Protocol-Version header names none of " + string(s.supported(x.transport)))
	}
	return nil
}
