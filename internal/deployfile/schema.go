package deployfile

import (
	"encoding/json"
	"slices"
	"strings"
)

// JSONSchema returns the schema of deployment files, for editors. It is made
// from the fields that the reader goes by, and refuses what the reader refuses,
// besides what only a look at other places can judge: files, secrets, namespaces,
// and what excludes each other across the file.
//
// It is JSON Schema 2020-12 and keeps to keywords that draft-07 has, too. The
// error is there for the encoder's sake; it does not occur.
func JSONSchema() ([]byte, error) {
	parts := descriptions()
	root := parts[0].schema()
	root.Schema, root.Title = "https://json-schema.org/draft/2020-12/schema", "Deployment file"
	root.Defs = map[string]*schema{}
	for i := range parts[1:] {
		root.Defs[parts[i+1].id] = parts[i+1].schema()
	}
	out, err := json.MarshalIndent(root, "", "  ")
	return append(out, '\n'), err
}

// descriptions returns the shapes, the whole file first, then each where it is
// first used.
func descriptions() []description {
	out := []description{rootShape().about()}
	add := func(d description) {
		if !slices.ContainsFunc(out, func(have description) bool { return have.id == d.id }) {
			out = append(out, d)
		}
	}
	for i := 0; i < len(out); i++ {
		for _, k := range out[i].kinds {
			if k.of == nil {
				continue
			}
			d := k.of.about()
			switch d.id {
			case "upstream":
				add(upstreamShape(true).about())
			case "adapter":
				add(adapterShape(true).about())
			}
			add(d)
		}
	}
	return out
}

// schema is a JSON Schema in the keywords that are used here.
type schema struct {
	Schema               string             `json:"$schema,omitempty"`
	Ref                  string             `json:"$ref,omitempty"`
	Title                string             `json:"title,omitempty"`
	Description          string             `json:"description,omitempty"`
	MarkdownDescription  string             `json:"markdownDescription,omitempty"`
	ErrorMessage         string             `json:"errorMessage,omitempty"`
	Type                 string             `json:"type,omitempty"`
	Const                string             `json:"const,omitempty"`
	Enum                 []string           `json:"enum,omitempty"`
	Pattern              string             `json:"pattern,omitempty"`
	Minimum              *float64           `json:"minimum,omitempty"`
	Maximum              *float64           `json:"maximum,omitempty"`
	MinItems             int                `json:"minItems,omitempty"`
	Items                *schema            `json:"items,omitempty"`
	Required             []string           `json:"required,omitempty"`
	Properties           map[string]*schema `json:"properties,omitempty"`
	PropertyNames        *schema            `json:"propertyNames,omitempty"`
	PatternProperties    map[string]*schema `json:"patternProperties,omitempty"`
	AdditionalProperties any                `json:"additionalProperties,omitempty"`
	AllOf                []*schema          `json:"allOf,omitempty"`
	AnyOf                []*schema          `json:"anyOf,omitempty"`
	Not                  *schema            `json:"not,omitempty"`
	If                   *schema            `json:"if,omitempty"`
	Then                 *schema            `json:"then,omitempty"`
	Defs                 map[string]*schema `json:"$defs,omitempty"`
}

func ref(id string) *schema { return &schema{Ref: "#/$defs/" + id} }

func float[N int | int64 | float64](n N) *float64 {
	f := float64(n)
	return &f
}

// schema is that of one mapping of the shape.
func (d *description) schema() *schema {
	out := &schema{
		Type: "object", Title: sentence(d.title), Description: plainText(d.doc), Properties: map[string]*schema{},
		PatternProperties: map[string]*schema{"^x-": {}}, AdditionalProperties: false,
	}
	for i := range d.infos {
		in := &d.infos[i]
		value := *d.kinds[i].schema
		if value.Ref != "" {
			// Words beside $ref are not read in draft-07.
			value = schema{AllOf: []*schema{d.kinds[i].schema}}
		}
		value.Description, value.MarkdownDescription = plainText(in.doc), in.doc
		out.Properties[in.key] = &value
		if in.need {
			out.Required = append(out.Required, in.key)
		}
	}
	for i := range d.rules {
		out.AllOf = append(out.AllOf, d.rules[i].schemas()...)
	}
	return out
}

// schemas are what a rule asks for.
func (of *rule) schemas() []*schema {
	var wants []*schema
	if len(of.need) > 0 {
		want := &schema{}
		for _, key := range of.need {
			want.AnyOf = append(want.AnyOf, &schema{Required: []string{key}})
		}
		wants = append(wants, want)
	}
	for _, key := range of.forbid {
		wants = append(wants, &schema{Not: &schema{Required: []string{key}}})
	}
	if of.key == "" {
		return wants
	}
	when := &schema{Required: []string{of.key}}
	if of.word != "" {
		when.Properties = map[string]*schema{of.key: {Const: of.word}}
	}
	return []*schema{{If: when, Then: &schema{AllOf: wants}}}
}

// plainText is a text without code spans.
func plainText(s string) string { return strings.ReplaceAll(s, "`", "") }

// sentence is a title with a capital and without its article.
func sentence(s string) string {
	for _, article := range []string{"an ", "a ", "the "} {
		s = strings.TrimPrefix(s, article)
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
