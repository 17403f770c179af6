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

// Described is an adapter that a description covers.
type Described struct {
	Plan    *plan.Plan
	Adapter *plan.RESTAdapter
	// Mount is the path under which the adapter's routes stand, or "".
	Mount string
	// Verifier checks the callers; nil is what the file declares. Limited reports
	// that the number of their requests is bounded, Keys that requests may carry an
	// Idempotency-Key.
	Verifier *auth.Verifier
	Limited  bool
	Keys     bool
}

// OpenAPI describes the REST adapters of one address in OpenAPI 3.1: every
// operation that is routed and nothing else, as indented JSON that depends on
// its arguments only. server is the address; version stands in where the file
// gives the capability neither a version nor a date.
func OpenAPI(members []Described, server, version string) ([]byte, error) {
	d := newDescriber(members)
	d.components.put("schemas", "Problem", problemSchema())
	for _, h := range headerParts() {
		d.components.put("headers", h.Name, h.Value)
	}
	d.keyParts()
	paths := d.paths()
	var out object
	out.text("openapi", "3.1.0")
	out.object("info", d.info(version))
	out.put("servers", list(d.server(server)))
	for i := range d.schemes {
		d.components.put("securitySchemes", d.schemes[i].name, d.schemes[i].value())
	}
	if !d.whole.IsAbsent() {
		out.put("security", d.whole)
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
		return nil, fmt.Errorf("the OpenAPI description of %s cannot be written: %w", members[0].Adapter.Namespace, err)
	}
	return append(text, '\n'), nil
}

// describer collects what the operations of the adapters have in common.
type describer struct {
	members []Described
	// member is the one that is being described; plan and adapter are its own.
	member  *Described
	plan    *plan.Plan
	adapter *plan.RESTAdapter
	ids     map[string]bool
	// twice holds the names that several operations have.
	twice      map[string]bool
	tags       map[string]string
	components components
	// schemes are the different ways in which callers prove who they are.
	schemes []securityScheme
	// whole is the requirement of all operations, absent where they differ.
	whole jsonvalue.Value
}

func newDescriber(members []Described) *describer {
	d := &describer{members: members, ids: map[string]bool{}, twice: map[string]bool{}, tags: map[string]string{}}
	seen := map[string]bool{}
	for i := range members {
		for _, op := range members[i].Adapter.Operations {
			d.twice[op.Name], seen[op.Name] = seen[op.Name], true
		}
		d.collect(members[i].guards())
	}
	d.whole = d.common()
	d.describe(0)
	return d
}

// describe turns to a member.
func (d *describer) describe(member int) {
	d.member = &d.members[member]
	d.plan, d.adapter = d.member.Plan, d.member.Adapter
}

// many reports whether the document is about more than one adapter.
func (d *describer) many() bool { return len(d.members) > 1 }

// aboutErrors ends the description of every adapter: it is what a caller has to
// know and what no status says.
const aboutErrors = "Answers carry the header `Patchbay-Source`: `upstream` for an answer of the upstream API, whose errors pass through with " +
	"their own status and body, and `gateway` for a problem (RFC 9457) that the gateway itself reports. The member `outcome` of a problem says " +
	"whether the upstream may have processed the request."

func (d *describer) info(version string) object {
	if d.many() {
		return d.infoOfMany(version)
	}
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

// maxNamed bounds the APIs that the description of many names.
const maxNamed = 200

func (d *describer) infoOfMany(version string) object {
	var names strings.Builder
	for i := range d.members {
		if i == maxNamed {
			fmt.Fprintf(&names, "\n- and %d more", len(d.members)-i)
			break
		}
		m := &d.members[i]
		fmt.Fprintf(&names, "\n- %s (%s)", cmp.Or(m.Plan.Document.Info.Label.Value, m.Adapter.Namespace), m.Adapter.Namespace)
	}
	var out, contact object
	out.text("title", fmt.Sprintf("Patchbay: %d APIs", len(d.members)))
	out.text("description", markdown(join("The APIs that one gateway serves at this address:\n"+names.String(), aboutErrors)))
	out.text("version", cmp.Or(version, "0.0.0"))
	contact.text("name", "The operator of this gateway")
	out.object("contact", contact)
	return out
}

func (d *describer) server(address string) jsonvalue.Value {
	if trimmed := strings.TrimRight(address, "/"); trimmed != "" {
		address = trimmed
	}
	var out object
	out.text("url", cmp.Or(address, "/"))
	text := "Where the adapter " + d.adapter.Namespace + " listens."
	if d.many() {
		text = "Where the adapters listen."
	}
	out.text("description", text)
	return out.value()
}

// documentation leads to the provider's own pages.
func (d *describer) documentation() object {
	if d.many() {
		return nil
	}
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
	if d.many() { // of many APIs, each is one group
		add(strings.TrimSuffix(d.adapter.Namespace, "-rest"), d.plan.Document.Info.Label.Value)
		return names
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
		add(cmp.Or(op.Resource, d.adapter.Namespace), op.ResourceText)
	}
	return names
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
