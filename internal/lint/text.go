package lint

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"patchbay/internal/spec"
)

// texts judges what people read. The format allows Markdown there.
func (c *checker) texts() {
	var code *regexp.Regexp // most documents never need it
	each := func(list ...spec.Text) {
		for _, t := range list {
			if !strings.Contains(t.Value, "<") && !(strings.Contains(t.Value, "(") && strings.Contains(strings.ToLower(t.Value), "eval")) {
				continue
			}
			if code == nil {
				code = regexp.MustCompile(`(?i)<\s*script\b|\beval\s*\(`)
			}
			if at := code.FindStringIndex(t.Value); at != nil {
				found := t.Value[at[0]:at[1]]
				span := t.Span.Sub(utf8.RuneCountInString(t.Value[:at[0]]), utf8.RuneCountInString(found))
				c.warnf(CodeScriptInText, span, "the text holds %q, which a page that shows it might run", found).WithHint("say it in words")
			}
		}
	}
	var parameters func(list []spec.Parameter)
	parameters = func(list []spec.Parameter) {
		for i := range list {
			each(list[i].Label, list[i].Description)
			parameters(list[i].Properties)
			for items := list[i].Items; items != nil; items = items.Items {
				each(items.Label, items.Description)
				parameters(items.Properties)
			}
		}
	}
	var outputs func(list []spec.Output)
	outputs = func(list []spec.Output) {
		for i := range list {
			each(list[i].Description)
			outputs(list[i].Properties)
			for items := list[i].Items; items != nil; items = items.Items {
				each(items.Description)
				outputs(items.Properties)
			}
		}
	}
	each(c.doc.Info.Label, c.doc.Info.Description)
	for i := range c.doc.Binds {
		each(c.doc.Binds[i].Description)
	}
	for i := range c.doc.Consumes {
		api := &c.doc.Consumes[i]
		each(api.Description)
		parameters(api.Inputs)
		for j := range api.Resources {
			r := &api.Resources[j]
			each(r.Label, r.Description)
			parameters(r.Inputs)
			for k := range r.Operations {
				op := &r.Operations[k]
				each(op.Label, op.Description)
				parameters(op.Inputs)
				outputs(op.Outputs)
			}
		}
	}
	for i := range c.doc.Exposes {
		e := &c.doc.Exposes[i]
		each(e.Description)
		parameters(e.Inputs)
		for j := range e.Resources {
			r := &e.Resources[j]
			each(r.Label, r.Description)
			parameters(r.Inputs)
			for k := range r.Operations {
				each(r.Operations[k].Label, r.Operations[k].Description)
				parameters(r.Operations[k].Inputs)
			}
		}
		for j := range e.Tools {
			each(e.Tools[j].Label, e.Tools[j].Description)
			parameters(e.Tools[j].Inputs)
		}
		for j := range e.MCPResources {
			each(e.MCPResources[j].Label, e.MCPResources[j].Description)
		}
		for j := range e.Prompts {
			each(e.Prompts[j].Label, e.Prompts[j].Description)
			parameters(e.Prompts[j].Arguments)
		}
		for j := range e.Skills {
			each(text(&e.Skills[j], "description"))
		}
	}
	for i := range c.doc.Aggregates {
		a := &c.doc.Aggregates[i]
		each(a.Label, a.Description)
		for j := range a.Functions {
			each(a.Functions[j].Label, a.Functions[j].Description)
			parameters(a.Functions[j].Inputs)
		}
	}
	c.runs(func(r run) { outputs(r.Outputs) })
}
