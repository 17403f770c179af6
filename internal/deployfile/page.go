package deployfile

import (
	"fmt"
	"strings"
)

// Page returns the reference of all keys, in Markdown: a table for each kind of
// mapping. It is what docs/configuration.md is made of.
func Page() string {
	var b strings.Builder
	for _, d := range descriptions() {
		fmt.Fprintf(&b, "\n### %s\n\n", sentence(d.title))
		if d.doc != "" {
			fmt.Fprintf(&b, "%s\n\n", d.doc)
		}
		b.WriteString("| key | takes | default | what it decides | flag |\n|---|---|---|---|---|\n")
		for i := range d.infos {
			in := &d.infos[i]
			takes := d.kinds[i].words
			if of := d.kinds[i].of; of != nil {
				about := of.about()
				takes += ": [" + sentence(about.title) + "](#" + anchor(sentence(about.title)) + ")"
			}
			def := in.def
			if in.need {
				def = "required"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", in.key, takes, def, in.doc, flagText(in.flag))
		}
		for i := range d.rules {
			fmt.Fprintf(&b, "\n%s", d.rules[i].text())
		}
		if len(d.rules) > 0 {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func flagText(flag string) string {
	switch {
	case flag == "":
		return ""
	case strings.Contains(flag, " "):
		return flag
	default:
		return "`--" + flag + "`"
	}
}

// text is a rule in words.
func (of *rule) text() string {
	out := "- "
	switch {
	case of.word != "":
		out += fmt.Sprintf("Where `%s` is `%s`: ", of.key, of.word)
	case of.key != "":
		out += fmt.Sprintf("With `%s`: ", of.key)
	}
	var wants []string
	if len(of.need) > 0 {
		wants = append(wants, "`"+strings.Join(of.need, "` or `")+"` has to be there")
	}
	if len(of.forbid) > 0 {
		wants = append(wants, "no `"+strings.Join(of.forbid, "`, no `")+"`")
	}
	return out + strings.Join(wants, ", ") + "; " + of.why + "."
}

// anchor is how a heading is linked to.
func anchor(heading string) string {
	return strings.ToLower(strings.ReplaceAll(heading, " ", "-"))
}
