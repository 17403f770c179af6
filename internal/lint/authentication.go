package lint

import (
	"net/url"
	"strings"

	"patchbay/internal/diag"
	"patchbay/internal/spec"
)

// authentications judges schemes on both sides.
func (c *checker) authentications() {
	for i := range c.doc.Consumes {
		c.oauth2(c.doc.Consumes[i].Authentication)
	}
	for i := range c.doc.Exposes {
		e := &c.doc.Exposes[i]
		c.oauth2(e.Authentication)
		if e.Authentication != nil && e.Type.Value == "mcp" && e.Transport.Value == "stdio" {
			c.warnf(CodeStdioAuthentication, e.Authentication.Span, "nothing that comes in on standard input carries credentials").
				WithHint("remove authentication, or let transport be http").WithRelated(e.Transport.Span, "the transport")
		}
	}
}

func (c *checker) oauth2(a *spec.Authentication) {
	if a == nil || diag.Fold(a.Type.Value) != "oauth2" {
		return
	}
	scoped := false
	for i := range a.Other {
		switch o := &a.Other[i]; o.Name.Value {
		case "scopes":
			scoped = scoped || strings.TrimSpace(o.Value.Value) != ""
		case "authorizationServerUri":
			c.https(diag.Error, o)
		case "resource":
			c.https(diag.Warning, o)
		}
	}
	if !scoped {
		c.warnf(CodeOAuth2Scopes, a.Type.Span, "the scheme names no scopes, so any token of the server will do").
			WithHint("list in scopes what a token has to allow")
	}
}

// https reports an address of another scheme. What configuration fills in, and
// what stays on this machine, is free.
func (c *checker) https(sev diag.Severity, e *spec.Entry) {
	if strings.Contains(e.Value.Value, "{{") {
		return
	}
	u, err := url.Parse(e.Value.Value)
	if err == nil && (strings.EqualFold(u.Scheme, "https") && u.Host != "" || isLoopback(u.Hostname())) {
		return
	}
	d := c.add(sev, CodeOAuth2NotHTTPS, e.Value.Span, "%s is not an https address", e.Name.Value).WithHint("write an address that begins with https://")
	if err == nil && strings.EqualFold(u.Scheme, "http") {
		d.WithHint("write https%s", clip(e.Value.Value[len("http"):]))
	}
}
