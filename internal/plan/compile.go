package plan

import (
	"net/url"
	"slices"
	"strings"

	"patchbay/internal/contract"
	"patchbay/internal/diag"
	"patchbay/internal/profile"
	"patchbay/internal/spec"
)

// Options are what compiling needs besides the document.
type Options struct {
	Contracts *contract.Set
	Profiles  *profile.Set
	// BodyTypes says for a consumed namespace how bodies are encoded, form or
	// json, in the place of the provider's profile.
	BodyTypes map[string]string
	// Guarded reports adapters, by namespace, whose callers are checked although the
	// file may not say so; nil is none.
	Guarded func(namespace string) bool
}

// Compile turns a document into a plan. It always returns a plan; whether it
// may run is for the diagnostics to say: none of them is an error.
func Compile(doc *spec.Document, opts Options) (*Plan, diag.List) {
	c := &compiler{
		doc: doc, plan: &Plan{Document: new(spec.Header)}, opts: opts, upstreams: map[string]*Upstream{}, absent: map[string]bool{},
		environment: map[string]bool{}, contractNotes: map[string]bool{},
	}
	c.namespaces()
	c.environmentInputs()
	c.consumes()
	c.exposes()
	c.unusedBinds()
	c.settle()
	return c.plan, c.diags
}

// settle lets go of the document. Nothing in a plan refers to a part of it from
// here on, so that it is garbage once its findings are reported.
func (c *compiler) settle() {
	*c.plan.Document = c.doc.Header
	for _, u := range c.plan.Upstreams {
		for _, op := range u.operations {
			op.declared = nil
			op.params = slices.Clip(op.params)
			for i := range op.params {
				p := &op.params[i]
				if d := p.declared; d != nil && (op.contract != nil || p.in == inBody) {
					p.told = &declaration{d.Name.Value, d.Type.Value, d.Required.Value}
				}
				p.declared = nil
			}
		}
	}
}

type compiler struct {
	doc       *spec.Document
	plan      *Plan
	opts      Options
	diags     diag.List
	upstreams map[string]*Upstream
	// absent holds the consumed namespaces that are not run at all.
	absent map[string]bool
	// environment holds the variables that inputs with `in: environment` declare.
	environment map[string]bool
	// contractNotes keeps a document's problem from being repeated.
	contractNotes map[string]bool
}

// disable records that a part of the document does not run, as one diagnostic
// at its place.
func (c *compiler) disable(code diag.Code, kind, name string, span diag.Span, reason, hint string) *diag.Diagnostic {
	c.plan.Disabled = append(c.plan.Disabled, Disabled{Kind: kind, Name: name, Reason: reason, Span: span})
	d := c.diags.Warnf(code, span, "%s %q does not run: %s", kind, name, reason)
	if hint != "" {
		d.WithHint("%s", hint)
	}
	return d
}

// namespaces reports names that are used twice where they must differ.
func (c *compiler) namespaces() {
	seen := map[string]spec.Text{}
	for _, kind := range []string{"consumes", "exposes"} {
		clear(seen)
		each := func(ns spec.Text) {
			if ns.Value == "" {
				return
			}
			if before, twice := seen[ns.Value]; twice {
				c.diags.Errorf(CodeNamespaceTwice, ns.Span, "the namespace %q is used twice in %s", ns.Value, kind).WithRelated(before.Span, "first used here")
				return
			}
			seen[ns.Value] = ns
		}
		if kind == "consumes" {
			for i := range c.doc.Consumes {
				each(c.doc.Consumes[i].Namespace)
			}
			continue
		}
		for i := range c.doc.Exposes {
			each(c.doc.Exposes[i].Namespace)
		}
	}
}

// unusedBinds warns about declared variables that nothing reads.
func (c *compiler) unusedBinds() {
	for i := range c.doc.Binds {
		b := &c.doc.Binds[i]
		if b.Import != nil {
			c.disable(CodeUnsupported, "import", b.Namespace.Value, b.Span, "imports are not read yet", "copy the binding into this file")
		}
		for _, k := range b.Keys {
			used := slices.ContainsFunc(c.plan.Variables, func(v *Variable) bool {
				return v.Namespace == b.Namespace.Value && v.Name == k.Name.Value
			})
			if !used {
				c.diags.Warnf(CodeBindUnusedKey, k.Name.Span, "%s.%s is declared and never used", b.Namespace.Value, k.Name.Value).
					WithHint("remove it, or use it where the credential is named")
			}
		}
	}
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}
