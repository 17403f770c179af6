package page

import (
	"crypto/sha256"
	_ "embed" // for the parts of the pages below
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"patchbay/internal/expose/rest"
	"patchbay/internal/jsonvalue"
)

// The parts of the pages. They are embedded as strings, which nobody can write to.
var (
	//go:embed overview.tmpl
	overviewTemplate string
	//go:embed catalogue.tmpl
	catalogueTemplate string
	//go:embed problems.tmpl
	problemsTemplate string
	//go:embed page.css
	style string
	//go:embed page.js
	script string
)

// render fills a template with a view. Everything in the view is data and is
// escaped for the place where it stands; the style and the script are ours and
// go in as they are.
func render(name, text string, view any, withScript bool) (rest.Page, error) {
	funcs := template.FuncMap{
		"style":      func() template.CSS { return template.CSS(style) },
		"script":     func() template.JS { return template.JS(script) },
		"paragraphs": paragraphs,
		"inline":     inline,
		"members":    members,
		"lines":      func(s string) int { return min(strings.Count(s, "\n")+2, maxRows) },
		"arg":        func(id, what string) copied { return copied{id, what} },
	}
	t, err := template.New(name).Funcs(funcs).Parse(text)
	if err != nil {
		return rest.Page{}, fmt.Errorf("page %s: %w", name, err)
	}
	var out strings.Builder
	if err := t.Execute(&out, view); err != nil {
		return rest.Page{}, fmt.Errorf("page %s: %w", name, err)
	}
	return rest.Page{ContentType: "text/html; charset=utf-8", Data: []byte(out.String()), Policy: policy(withScript)}, nil
}

// maxRows bounds the height of a field for a body, in lines.
const maxRows = 28

// copied names an element whose text a button copies, and what that is.
type copied struct{ ID, What string }

// policy lets a page run its own style and script and talk to its own origin
// (CSP level 3). Nothing else loads, and nobody frames it.
func policy(withScript bool) string {
	p := "default-src 'none'; style-src '" + hash(style) + "'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	if withScript {
		p += "; script-src '" + hash(script) + "'; connect-src 'self'"
	}
	return p
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// paragraphs splits a text at its empty lines.
func paragraphs(s string) []string {
	var out []string
	for p := range strings.SplitSeq(s, "\n\n") {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}

// run is a part of a text; Code marks what stood in backticks.
type run struct {
	Text string
	Code bool
}

// inline reads the markup that descriptions of operations and fields commonly
// hold: backticks, and links, of which the words stay.
func inline(s string) []run {
	s = unlinked(s)
	parts := strings.Split(s, "`")
	if len(parts)%2 == 0 {
		return []run{{Text: s}}
	}
	out := make([]run, 0, len(parts))
	for i, part := range parts {
		if part != "" {
			out = append(out, run{part, i%2 == 1})
		}
	}
	return out
}

// unlinked leaves of links, as in [words](https://address), the words: the page
// leads nowhere else, and the description has the addresses.
func unlinked(s string) string {
	var out strings.Builder
	for {
		middle := strings.Index(s, "](http")
		if middle < 0 {
			break
		}
		open, end := strings.LastIndexByte(s[:middle], '['), strings.IndexByte(s[middle:], ')')
		if open < 0 || end < 0 {
			break
		}
		out.WriteString(s[:open])
		out.WriteString(s[open+1 : middle])
		s = s[middle+end+1:]
	}
	out.WriteString(s)
	return out.String()
}

// members names the members of an object, the first few of many.
func members(list []property) string {
	const most = 5
	var names []string
	for i, p := range list {
		if i == most {
			names = append(names, "…")
			break
		}
		names = append(names, p.Name)
	}
	if len(list) == 1 {
		return "1 member: " + names[0]
	}
	return fmt.Sprintf("%d members: %s", len(list), strings.Join(names, ", "))
}

// indented is a value as JSON for people.
func indented(v *jsonvalue.Value) string {
	text := jsontext.Value(v.Append(nil))
	if err := text.Indent(jsontext.WithIndent("  ")); err != nil {
		return string(v.Append(nil))
	}
	return string(text)
}
