package lint

import (
	"net/netip"
	"net/url"
	"strings"
	"unicode/utf8"

	"patchbay/internal/diag"
	"patchbay/internal/spec"
)

// addresses judges where calls go and where adapters listen.
func (c *checker) addresses() {
	for i := range c.doc.Consumes {
		api := &c.doc.Consumes[i]
		base := api.BaseURI
		if isExample(hostOf(base.Value)) {
			c.warnf(CodeExampleAddress, base.Span, "%q is an address for examples; nothing answers there", clip(base.Value)).
				WithHint("write the real address, or give it when serving: --upstream %s=URL", clip(api.Namespace.Value))
		}
		if bare := strings.TrimRight(base.Value, "/"); bare != base.Value && strings.Contains(bare, "//") {
			c.warnf(CodeBaseURISlash, ending(base), "the base address ends with a slash").WithHint("write %s", clip(bare))
		}
	}
	for i := range c.doc.Exposes {
		e := &c.doc.Exposes[i]
		if isExample(e.Address.Value) {
			c.warnf(CodeExampleAddress, e.Address.Span, "%q is an address for examples; no adapter can listen there", clip(e.Address.Value)).
				WithHint("write localhost or leave it out; who may call from elsewhere is for the operator to say: --listen %s=HOST:PORT", clip(e.Namespace.Value))
		}
	}
}

// ending is the place of the last character of a text.
func ending(t spec.Text) diag.Span { return t.Span.Sub(utf8.RuneCountInString(t.Value)-1, 1) }

// hostOf returns the host of an address, without its port, or "".
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// isExample reports whether a host is reserved for examples: RFC 2606 sections
// 2 and 3. Hosts below .test are somebody's own.
func isExample(host string) bool {
	host = "." + strings.ToLower(strings.TrimSuffix(host, "."))
	for _, reserved := range []string{".example.com", ".example.net", ".example.org", ".example", ".invalid"} {
		if strings.HasSuffix(host, reserved) {
			return true
		}
	}
	return false
}

// isLoopback reports whether a host is this machine and nobody else's.
func isLoopback(host string) bool {
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return ip.IsLoopback()
	}
	host = strings.ToLower(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// paths judges the paths of both sides. A query string in an exposed path is a
// finding of the next stage, which leaves it out.
func (c *checker) paths() {
	for i := range c.doc.Consumes {
		for j := range c.doc.Consumes[i].Resources {
			r := &c.doc.Consumes[i].Resources[j]
			c.query(r.Path)
			for k := range r.Operations {
				c.query(r.Operations[k].Path)
			}
		}
	}
	for i := range c.doc.Exposes {
		for j := range c.doc.Exposes[i].Resources {
			path := c.doc.Exposes[i].Resources[j].Path
			if bare := strings.TrimRight(path.Value, "/"); bare != path.Value && bare != "" {
				c.warnf(CodePathSlash, ending(path), "the path ends with a slash, which callers would have to write, too").WithHint("write %s", clip(bare))
			}
		}
	}
}

func (c *checker) query(path spec.Text) {
	before, query, has := strings.Cut(path.Value, "?")
	if !has {
		return
	}
	name, _, _ := strings.Cut(query, "=")
	c.warnf(CodePathQuery, path.Span.Sub(utf8.RuneCountInString(before), utf8.RuneCountInString(query)+1), "the path has a query string").
		WithHint("declare %s in inputParameters, with in: query and a value", clip(name))
}
