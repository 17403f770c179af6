package sandbox

import (
	"net/http"
	"net/url"
	"strings"
)

// route is one path below a provider's mount and the methods it answers.
type route struct {
	path    []segment
	methods []method
}

type method struct {
	name    string
	run     endpoint
	creates bool // the fault failed-setup applies
}

// segment matches one decoded path segment: a literal, or what accepts takes.
type segment struct {
	literal string
	accepts func(string) bool
}

func literal(s string) segment { return segment{literal: s} }

// sidSegment is a placeholder for a SID with the given prefix.
func sidSegment(prefix string) segment {
	return segment{accepts: func(s string) bool { return isSID(prefix, s) }}
}

// match finds the route of an escaped path below the mount, and the values of
// its placeholders. Matching is exact in case, slashes and escapes: an escaped
// slash is a character of its segment and never a separator.
func match(routes []route, escaped string) (*route, []string) {
	rest, ok := strings.CutPrefix(escaped, "/")
	if !ok {
		return nil, nil
	}
	// One more than the longest route tells a longer path apart, however long.
	parts := strings.SplitN(rest, "/", maxSegments+1)
	for i, part := range parts {
		decoded, err := url.PathUnescape(part)
		if err != nil {
			return nil, nil
		}
		parts[i] = decoded
	}
	for i := range routes {
		if sids, ok := routes[i].match(parts); ok {
			return &routes[i], sids
		}
	}
	return nil, nil
}

// maxSegments bounds how many segments a route has.
const maxSegments = 8

func (r *route) match(parts []string) ([]string, bool) {
	if len(parts) != len(r.path) {
		return nil, false
	}
	var sids []string
	for i, seg := range r.path {
		switch {
		case seg.accepts == nil:
			if parts[i] != seg.literal {
				return nil, false
			}
		case seg.accepts(parts[i]):
			sids = append(sids, parts[i])
		default:
			return nil, false
		}
	}
	return sids, true
}

// method finds the entry of an HTTP method; HEAD is answered as GET.
func (r *route) method(name string) *method {
	if name == http.MethodHead {
		name = http.MethodGet
	}
	for i := range r.methods {
		if r.methods[i].name == name {
			return &r.methods[i]
		}
	}
	return nil
}

// allow is the value of the Allow header.
func (r *route) allow() string {
	var names []string
	for _, m := range r.methods {
		names = append(names, m.name)
		if m.name == http.MethodGet {
			names = append(names, http.MethodHead)
		}
	}
	return strings.Join(names, ", ")
}
