package plan

import (
	"slices"
	"strings"
	"unicode/utf8"

	"patchbay/internal/diag"
	"patchbay/internal/spec"
	"patchbay/internal/template"
)

// textUse says what a text over variables is for.
type textUse struct {
	// authentication admits undeclared names, which are read from the environment.
	authentication bool
	inbound        bool
}

// variableText compiles a text that may hold variables and nothing else.
func (c *compiler) variableText(at spec.Text, text *template.Template, host string, use textUse) *template.Bound {
	slots := map[string]int{}
	for _, ph := range text.Placeholders() {
		slots[ph.Name] = c.variable(ph.Name, nameSpan(at, &ph), host, use)
	}
	return text.Bind(slotsOf(slots))
}

// variable registers a use of {{namespace.NAME}} or {{NAME}} and returns the
// variable's index, or -1 when the name cannot be one.
func (c *compiler) variable(ref string, span diag.Span, host string, use textUse) int {
	namespace, name, qualified := strings.Cut(ref, ".")
	if !qualified {
		namespace, name = "", ref
	}
	v := &Variable{Namespace: namespace, Name: name, Key: name, Span: span, Inbound: use.inbound}
	if !use.inbound {
		v.Hosts = []string{host}
	}
	bound := c.declaration(v, qualified)
	if !qualified && c.environment[name] {
		v.Declared = true // an input with `in: environment` declares it
	}
	if !v.Declared {
		if !use.authentication {
			d := c.diags.Errorf(CodeBindUnknownNamespace, span, "%s is not declared in binds", ref)
			if near := diag.Nearest(ref, c.declaredNames()); near != "" {
				d.WithHint("did you mean %s?", near)
			}
			return -1
		}
		d := c.diags.Warnf(CodeBindUndeclaredKey, span, "%s is not declared in binds", ref)
		switch near := nearKey(name, bound); {
		case near != "":
			d.WithHint("did you mean %s.%s? The environment variable %s is read all the same", namespace, near, name)
		case bound != nil && len(bound.Keys) > 0:
			d.WithHint("binds %q declares %s (line %d); the environment variable %s is read all the same", bound.Namespace.Value, keyNames(bound), bound.Keys[0].Name.Span.Line, name)
		default:
			d.WithHint("the environment variable %s is read all the same", name)
		}
	}
	for i, have := range c.plan.Variables {
		if have.Namespace != v.Namespace || have.Name != v.Name {
			continue
		}
		if !use.inbound && !slices.Contains(have.Hosts, host) {
			have.Hosts = append(have.Hosts, host)
		}
		return i
	}
	c.plan.Variables = append(c.plan.Variables, v)
	return len(c.plan.Variables) - 1
}

// declaration looks the variable up in binds. It returns the binding of its
// namespace even where that does not declare it.
func (c *compiler) declaration(v *Variable, qualified bool) *spec.Bind {
	var inNamespace *spec.Bind
	for i := range c.doc.Binds {
		b := &c.doc.Binds[i]
		if qualified && b.Namespace.Value != v.Namespace {
			continue
		}
		if qualified {
			inNamespace = b
		}
		for _, k := range b.Keys {
			if k.Name.Value == v.Name {
				v.Namespace, v.Key, v.Location, v.Declared = b.Namespace.Value, k.Value.Value, b.Location.Value, true
				if v.Key == "" {
					v.Key = v.Name
				}
				return b
			}
		}
	}
	return inNamespace
}

func (c *compiler) declaredNames() []string {
	var out []string
	for i := range c.doc.Binds {
		for _, k := range c.doc.Binds[i].Keys {
			out = append(out, c.doc.Binds[i].Namespace.Value+"."+k.Name.Value)
		}
	}
	return out
}

func keyNames(b *spec.Bind) string {
	names := make([]string, len(b.Keys))
	for i, k := range b.Keys {
		names[i] = k.Name.Value
	}
	return strings.Join(names, ", ")
}

func (c *compiler) templateError(at spec.Text, err error) {
	span := at.Span
	if te, ok := err.(*template.Error); ok {
		span = at.Span.Sub(te.Col-1, 1)
		c.diags.Errorf(CodeTemplate, span, "%s", te.Message)
		return
	}
	c.diags.Errorf(CodeTemplate, span, "%v", err)
}

// slotsOf resolves the names of a text by a finished table.
func slotsOf(slots map[string]int) func(string, int) (int, bool) {
	return func(name string, _ int) (int, bool) {
		slot, ok := slots[name]
		return slot, ok && slot >= 0
	}
}

// nameSpan is the place of a placeholder's name, without its braces.
func nameSpan(at spec.Text, ph *template.Placeholder) diag.Span {
	n := utf8.RuneCountInString(ph.Name)
	return at.Span.Sub(ph.Offset+(ph.Length-n)/2, n)
}
