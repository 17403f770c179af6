package plan

import (
	"slices"
	"strings"

	"patchbay/internal/diag"
	"patchbay/internal/spec"
	"patchbay/internal/template"
)

// This file has what is said about names that are nearly right, where finding
// the right one takes more than a look at a list.

// nearCall is the advice about a call whose namespace is none, or which has no
// namespace at all. It is "" where nothing is near.
func (c *compiler) nearCall(call string) string {
	namespace, name, qualified := strings.Cut(call, ".")
	if !qualified {
		namespace, name = "", call
	}
	if near := diag.Nearest(namespace, c.upstreamNames()); qualified && near != "" {
		return "did you mean " + near + "." + clip(name) + "?"
	}
	var all []string
	for _, u := range c.plan.Upstreams {
		for _, op := range u.operations {
			if op.name == name {
				return "did you mean " + u.Namespace + "." + op.name + "?"
			}
			all = append(all, u.Namespace+"."+op.name)
		}
	}
	if !qualified {
		// Only the part behind the dot can be compared.
		names := make([]string, len(all))
		for i, full := range all {
			_, names[i], _ = strings.Cut(full, ".")
		}
		if at := slices.Index(names, diag.Nearest(name, names)); at >= 0 {
			return "did you mean " + all[at] + "?"
		}
	}
	if names := c.upstreamNames(); len(names) > 0 && len(names) <= 6 {
		return "write NAMESPACE.OPERATION; consumed is " + strings.Join(names, ", ")
	}
	return ""
}

// nearKey is the variable of a binding that is spelled nearly like a name, or "".
func nearKey(name string, in *spec.Bind) string {
	if in == nil {
		return ""
	}
	var names []string
	for _, k := range in.Keys {
		names = append(names, k.Name.Value)
	}
	return diag.Nearest(name, names)
}

// inputPlaces are the words that a parameter's place may have.
func inputPlaces() []string { return []string{"path", "query", "header", "cookie", "body"} }

// stepTypes are the types that steps have.
func stepTypes() []string { return []string{"call", "lookup", "script"} }

// nearStepType is the advice about a step whose type is none of the format's.
func nearStepType(run *spec.Run) string {
	types := stepTypes()
	for i := range run.Steps {
		kind := run.Steps[i].Type.Value
		if slices.Contains(types, kind) {
			continue
		}
		if near := diag.Nearest(kind, types); near != "" {
			return "did you mean " + near + "?"
		}
	}
	return ""
}

// nearPlaceholder is the advice about a path parameter that no placeholder has:
// a placeholder that is no other parameter's.
func (op *consumed) nearPlaceholder(name string, text *template.Template) string {
	var names []string
	for _, ph := range text.Placeholders() {
		if !slices.ContainsFunc(op.params, func(p param) bool { return p.name == ph.Name && p.declared != nil }) {
			names = append(names, ph.Name)
		}
	}
	if near := diag.Nearest(name, names); near != "" {
		return "did you mean {" + near + "}?"
	}
	return ""
}

// nearReference is the advice about a placeholder of the route that nothing
// uses: a reference that means an input of nearly that name.
func (b *builder) nearReference(name string) string {
	var names []string
	for i := range b.inputs {
		if b.facts[i].origin == referenced {
			names = append(names, b.inputs[i].Name)
		}
	}
	if near := diag.Nearest(name, names); near != "" {
		return "with refers to " + clip(near) + "; did you mean " + clip(name) + "?"
	}
	return ""
}

// nearInput is the advice about a name that is none of the operation's inputs.
func (b *builder) nearInput(name string) string {
	names := slices.Clone(b.pathNames)
	for i := range b.inputs {
		names = append(names, b.inputs[i].Name)
	}
	if near := diag.Nearest(name, names); near != "" {
		return "did you mean " + clip(near) + "?"
	}
	return ""
}

// nearTemplateScope warns about a placeholder whose first part is almost a
// scope: the whole of it is taken for the name of an input.
func (b *builder) nearTemplateScope(name string, at diag.Span) {
	first, rest, ok := strings.Cut(name, ".")
	if !ok || rest == "" || b.unscoped(name) != name || b.isInput(name) || slices.Contains(b.pathNames, name) || slices.Contains(b.allSteps, first) {
		return
	}
	near := b.scopeMeant(first)
	if near == "" {
		return
	}
	b.diags.Warnf(CodeScopeNearMiss, at, "%q is taken for the name of an input", clip(name)).WithHint("did you mean %s.%s?", near, clip(rest))
}

// scopeMeant is the scope that a word probably means, or "": one that is spelled
// nearly like it, or the adapter's own where the word is another adapter's.
func (b *builder) scopeMeant(word string) string {
	if slices.ContainsFunc(b.doc.Exposes, func(e spec.Exposes) bool { return e.Namespace.Value == word }) {
		return b.scopes()[0]
	}
	return diag.Nearest(word, b.scopes())
}
