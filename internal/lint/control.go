package lint

import (
	"strconv"
	"strings"

	"patchbay/internal/spec"
)

// control judges control adapters. That no other adapter has their port is for
// the next stage.
func (c *checker) control() {
	var first *spec.Exposes
	for i := range c.doc.Exposes {
		e := &c.doc.Exposes[i]
		if e.Type.Value != "control" {
			continue
		}
		if first != nil {
			c.warnf(CodeControlTwice, e.Type.Span, "a second control adapter has no effect").
				WithHint("keep one of them").WithRelated(first.Type.Span, "the first one")
		} else {
			first = e
		}
		if host := e.Address.Value; host != "" && !isLoopback(host) && !isExample(host) && !strings.Contains(host, "{{") {
			c.warnf(CodeControlExposed, e.Address.Span, "whoever reaches %s could change how the capability runs", clip(host)).
				WithHint("write localhost, or leave the address out")
		}
	}
}

// steps judges the steps of everything that runs.
func (c *checker) steps() {
	language, location := c.scriptDefaults()
	c.runs(func(r run) {
		for i := range r.Steps {
			s := &r.Steps[i]
			words := strings.FieldsFunc(s.Name.Value, func(r rune) bool { return !isNameRune(r) })
			if s.Name.Set() && (len(words) != 1 || words[0] != s.Name.Value) {
				better := strings.Trim(strings.Join(words, "-"), "-")
				if better == "" {
					better = "step-" + strconv.Itoa(i+1)
				}
				c.warnf(CodeStepName, s.Name.Span, "%s: the step's name, %q, has more than letters, digits, '-' and '_'", r.what, clip(s.Name.Value)).
					WithHint("call it %s", clip(better))
			}
			if s.Type.Value != "script" {
				continue
			}
			var missing []string
			if !language && member(s.Rest, "language") == nil {
				missing = append(missing, "language")
			}
			if !location && member(s.Rest, "location") == nil {
				missing = append(missing, "location")
			}
			if len(missing) > 0 {
				c.warnf(CodeScriptIncomplete, s.Span, "%s: the script step %q has no %s", r.what, clip(s.Name.Value), strings.Join(missing, " and no ")).
					WithHint("add it, or give all scripts a default in management.scripting of a control adapter")
			}
		}
	})
}

// isNameRune reports whether references of every engine can spell a character.
func isNameRune(r rune) bool {
	return 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '-' || r == '_'
}

// scriptDefaults reports which defaults the control adapter gives to script
// steps. The first one that says anything about scripts decides.
func (c *checker) scriptDefaults() (language, location bool) {
	for i := range c.doc.Exposes {
		e := &c.doc.Exposes[i]
		if e.Type.Value != "control" {
			continue
		}
		management := member(e.Control.Members, "management")
		if management == nil {
			continue
		}
		if scripting := member(management.Members, "scripting"); scripting != nil {
			return member(scripting.Members, "defaultLanguage") != nil, member(scripting.Members, "defaultLocation") != nil
		}
	}
	return false, false
}

// member returns the value of a name, or nil where there is none or it is empty.
func member(members []spec.NodeMember, name string) *spec.Node {
	for i := range members {
		if v := &members[i].Value; members[i].Name.Value == name && v.Tag != "!!null" && (v.Kind != spec.Scalar || v.Text.Value != "") {
			return v
		}
	}
	return nil
}

func text(n *spec.Node, name string) spec.Text {
	if v := member(n.Members, name); v != nil {
		return v.Text
	}
	return spec.Text{}
}
