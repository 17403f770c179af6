package mcp

// Era tells how a request conveys its protocol version.
type Era uint8

const (
	// Legacy requests belong to a revision that is opened by initialize.
	Legacy Era = iota
	// Modern requests carry their version and capabilities in params._meta.
	Modern
)

// String returns "legacy" or "modern".
func (e Era) String() string {
	if e == Modern {
		return "modern"
	}
	return "legacy"
}

// Transport is the channel that a request came in on.
type Transport uint8

const (
	// HTTP is the Streamable HTTP transport.
	HTTP Transport = iota
	// Stdio is the newline-delimited transport of [Server.Serve].
	Stdio
)

// String returns "http" or "stdio".
func (t Transport) String() string {
	if t == Stdio {
		return "stdio"
	}
	return "http"
}

// revision is one row of what differs between protocol revisions.
//
// Members that a later revision added to an object (title, outputSchema,
// structuredContent, annotations) are no column: the objects of every revision
// are open, so older clients ignore them. Content kinds are: older clients
// refuse a result with a kind that they do not know.
type revision struct {
	name             string
	era              Era
	overHTTP         bool // offered on HTTP; all are offered on stdio
	batches          bool // JSON-RPC arrays are accepted
	audio            bool // content kind "audio"
	resourceLinks    bool // content kind "resource_link"
	resourceNotFound int  // error code for a URI that names nothing
}

// revisions returns the table, newest first.
func revisions() []revision {
	return []revision{
		{name: "2026-07-28", era: Modern, overHTTP: true, audio: true, resourceLinks: true, resourceNotFound: CodeInvalidParams},
		{name: "2025-11-25", overHTTP: true, audio: true, resourceLinks: true, resourceNotFound: codeResourceNotFound},
		{name: "2025-06-18", overHTTP: true, audio: true, resourceLinks: true, resourceNotFound: codeResourceNotFound},
		{name: "2025-03-26", overHTTP: true, batches: true, audio: true, resourceNotFound: codeResourceNotFound},
		{name: "2024-11-05", resourceNotFound: codeResourceNotFound},
	}
}

// headerlessRevision is what an HTTP request without MCP-Protocol-Version speaks
// (2025-06-18, transports, "Protocol Version Header").
const headerlessRevision = "2025-03-26"

func (r *revision) offeredOn(t Transport) bool { return t == Stdio || r.overHTTP }

// revision finds an offered revision by name, or nil.
func (s *Server) revision(name string, t Transport) *revision {
	for i := range s.revisions {
		if r := &s.revisions[i]; r.name == name && r.offeredOn(t) {
			return r
		}
	}
	return nil
}

// negotiate picks the legacy revision for an initialize request: the requested
// one, else the newest offered one before it, else the oldest; the newest when
// the client asks for none. It never fails: the client decides whether it can
// live with the answer.
func (s *Server) negotiate(requested string, t Transport) *revision {
	var oldest *revision
	for i := range s.revisions {
		r := &s.revisions[i]
		if r.era != Legacy || !r.offeredOn(t) {
			continue
		}
		if requested == "" || r.name <= requested {
			return r
		}
		oldest = r
	}
	return oldest
}

// modernHeader reports whether a version header was sent by a modern client.
// Revisions are dates, so their order is that of their text.
func (s *Server) modernHeader(version string) bool {
	for i := range s.revisions {
		if r := &s.revisions[i]; r.era == Modern && version >= r.name {
			return true
		}
	}
	return false
}
