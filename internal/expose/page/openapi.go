package page

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"patchbay/internal/auth"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/plan"
)

// OpenAPI describes a REST adapter in OpenAPI 3.1: every operation that is
// routed and nothing else, as indented JSON that depends on its arguments only.
// server is the address of the adapter; version stands in where the file gives
// the capability neither a version nor a date.
func OpenAPI(p *plan.Plan, a *plan.RESTAdapter, server, version string) ([]byte, error) {
	d := &describer{plan: p, adapter: a, ids: map[string]bool{}, tags: map[string]string{}}
	d.components.put("schemas", "Problem", problemSchema())
	for _, h := range headerParts() {
		d.components.put("headers", h.Name, h.Value)
	}
	paths := d.paths()
	var out object
	out.text("openapi", "3.1.0")
	out.object("info", d.info(version))
	out.put("servers", list(d.server(server)))
	if scheme := d.securityScheme(); scheme != nil {
		d.components.put("securitySchemes", securityName, scheme.value())
		out.put("security", list(jsonvalue.ObjectOf([]jsonvalue.Member{{Name: securityName, Value: list()}})))
	}
	out.put("tags", d.tagList())
	out.object("paths", paths)
	out.put("components", d.components.value())
	if docs := d.documentation(); docs != nil {
		out.object("externalDocs", docs)
	}
	root := out.value()
	text := jsontext.Value(root.Append(nil))
	if err := text.Indent(jsontext.WithIndent("  ")); err != nil {
		return nil, fmt.Errorf("the OpenAPI description of %s cannot be written: %w", a.Namespace, err)
	}
	return append(text, '\n'), nil
}

// describer collects what the operations of an adapter have in common.
type describer struct {
	plan       *plan.Plan
	adapter    *plan.RESTAdapter
	ids        map[string]bool
	tags       map[string]string
	components components
}

// aboutErrors ends the description of every adapter: it is what a caller has to
// know and what no status says.
const aboutErrors = "Answers carry the header `Patchbay-Source`: `upstream` for an answer of the upstream API, whose errors pass through with " +
	"their own status and body, and `gateway` for a problem (RFC 9457) that the gateway itself reports. The member `outcome` of a problem says " +
	"whether the upstream may have processed the request."

func (d *describer) info(version string) object {
	doc := &d.plan.Document.Info
	var out object
	out.text("title", markdown(cmp.Or(doc.Label.Value, d.adapter.Namespace)))
	text := cmp.Or(doc.Description.Value, d.adapter.Description)
	out.text("description", markdown(join(text, aboutErrors)))
	out.text("version", cmp.Or(doc.Version.Value, doc.Modified.Value, version, "0.0.0"))
	var contact object
	for _, s := range doc.Stakeholders {
		if s.FullName.Value != "" || s.Email.Value != "" {
			contact.text("name", s.FullName.Value)
			contact.text("email", s.Email.Value)
			break
		}
	}
	if contact == nil {
		contact.text("name", "The operator of this gateway")
	}
	out.object("contact", contact)
	return out
}

func (d *describer) server(address string) jsonvalue.Value {
	if trimmed := strings.TrimRight(address, "/"); trimmed != "" {
		address = trimmed
	}
	var out object
	out.text("url", cmp.Or(address, "/"))
	out.text("description", "Where the adapter "+d.adapter.Namespace+" listens.")
	return out.value()
}

// documentation leads to the provider's own pages.
func (d *describer) documentation() object {
	for _, u := range d.plan.Upstreams {
		if u.Profile != nil && u.Profile.Documentation != "" {
			var out object
			out.text("description", "Documentation of the provider, "+u.Profile.Name+".")
			out.text("url", u.Profile.Documentation)
			return out
		}
	}
	return nil
}

// securityName is how the document calls the adapter's only scheme.
const securityName = "caller"

// securityScheme describes how callers prove who they are, or is nil.
func (d *describer) securityScheme() object {
	scheme, name, place := d.adapter.Guard()
	var out object
	switch scheme {
	case "basic", "bearer":
		out.text("type", "http")
		out.text("scheme", scheme)
	case "apikey":
		out.text("type", "apiKey")
		out.text("name", cmp.Or(name, "name-set-by-the-operator"))
		out.text("in", placeName(place))
	default:
		return nil
	}
	out.text("description", "Credentials of this gateway, given by its operator. They never reach the upstream.")
	return out
}

func placeName(p auth.Placement) string {
	switch p {
	case auth.InQuery:
		return "query"
	case auth.InCookie:
		return "cookie"
	default:
		return "header"
	}
}

// tagsOf names the groups of an operation: those of the file, else those of the
// provider's document, else its resource.
func (d *describer) tagsOf(op *plan.RESTOperation) []string {
	var names []string
	add := func(name, text string) {
		if name == "" || slices.Contains(names, name) {
			return
		}
		names = append(names, name)
		d.tags[name] = cmp.Or(d.tags[name], text)
	}
	for _, name := range op.Tags {
		add(name, "")
	}
	if c := op.Contract(); c != nil && names == nil {
		for _, t := range c.Tags() {
			add(t.Name, t.Description)
		}
	}
	if names == nil {
		add(cmp.Or(op.Resource, d.adapter.Namespace), d.resourceText(op.Resource))
	}
	return names
}

func (d *describer) resourceText(name string) string {
	for i := range d.plan.Document.Exposes {
		e := &d.plan.Document.Exposes[i]
		if e.Namespace.Value != d.adapter.Namespace {
			continue
		}
		for j := range e.Resources {
			if r := &e.Resources[j]; r.Name.Value == name {
				return r.Description.Value
			}
		}
	}
	return ""
}

// tagList describes the groups that occur, sorted by name.
func (d *describer) tagList() jsonvalue.Value {
	names := make([]string, 0, len(d.tags))
	for name := range d.tags {
		names = append(names, name)
	}
	slices.Sort(names)
	tags := make([]jsonvalue.Value, len(names))
	for i, name := range names {
		var tag object
		tag.text("name", name)
		tag.text("description", markdown(cmp.Or(d.tags[name], "Operations on "+name+".")))
		tags[i] = tag.value()
	}
	return list(tags...)
}

// join puts texts that are not empty into paragraphs.
func join(paragraphs ...string) string {
	var out []string
	for _, p := range paragraphs {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, "\n\n")
}

// markdown keeps a text of the file or contract from becoming a script where a
// viewer renders descriptions as CommonMark with HTML in it, in the two forms
// that checkers of documents look for. Everything else stays as it was written.
func markdown(s string) string {
	const tag = "<script"
	for from := 0; ; {
		at := strings.Index(strings.ToLower(s[from:]), tag)
		if at < 0 {
			break
		}
		from += at
		s = s[:from] + "&lt;" + s[from+1:]
	}
	return strings.ReplaceAll(s, "eval(", "eval (")
}
