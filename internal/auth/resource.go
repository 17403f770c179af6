package auth

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"patchbay/internal/jsonvalue"
)

// WellKnown is where the metadata of a protected resource stands; the path of the
// resource follows (RFC 9728 section 3.1).
const WellKnown = "/.well-known/oauth-protected-resource"

// locate finds the address of the resource, where the options have one.
func (t *Tokens) locate() error {
	given := t.opts.Resource
	if given == "" && (strings.HasPrefix(t.opts.Audience, "https://") || strings.HasPrefix(t.opts.Audience, "http://")) {
		given = t.opts.Audience
	}
	if given == "" {
		return nil
	}
	u, err := url.Parse(given)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.Fragment != "" || strings.ContainsAny(given, "\"\\ ") {
		return fmt.Errorf("the resource %q is not an address such as https://gateway.example/mcp", given)
	}
	t.resource = u
	at := url.URL{Scheme: u.Scheme, Host: u.Host, Path: WellKnown + strings.TrimSuffix(u.Path, "/"), RawQuery: u.RawQuery}
	t.metadata = at.String()
	return nil
}

// metadataURL is the address of the metadata for who made a request. net/http
// admits no quotes in Host.
func (t *Tokens) metadataURL(r *http.Request) string {
	if t.metadata != "" {
		return t.metadata
	}
	return origin(r) + WellKnown
}

func origin(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// Metadata is the document that says where a client gets tokens for the resource
// (RFC 9728 section 2). It names the scopes that every call takes, not those of
// single operations: a client asks for these when it is told that it needs them.
func (t *Tokens) Metadata(r *http.Request) []byte {
	resource := origin(r)
	if t.resource != nil {
		resource = t.resource.String()
	}
	text := func(s string) []byte { return jsonvalue.AppendString(nil, s) }
	out := fmt.Appendf(nil, `{"resource":%s,"authorization_servers":[%s],"bearer_methods_supported":["header"]`, text(resource), text(t.opts.Issuer))
	if len(t.opts.Scopes) > 0 {
		out = append(out, `,"scopes_supported":[`...)
		for i, s := range t.opts.Scopes {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(out, text(s)...)
		}
		out = append(out, ']')
	}
	return append(out, '}', '\n')
}
