package spec

import (
	"encoding/json"
	"slices"
	"strings"
)

// JSONSchema returns the schema of capability files, for editors: what is
// completed and checked while somebody writes. It is made from the tables of
// fields, which the reader's hints come from as well, and is as tolerant: what
// it refuses is what [Load] reports as an error or warning, besides values that
// only a later stage can judge.
//
// It is JSON Schema 2020-12 and keeps to keywords that draft-07 has, too, because
// that is what many editors implement. markdownDescription,
// deprecationMessage, doNotSuggest and errorMessage are what editors add.
//
// The error is there for the encoder's sake; it does not occur.
func JSONSchema() ([]byte, error) {
	root := rootShape.schema()
	root.Schema = "https://json-schema.org/draft/2020-12/schema"
	root.Title = "Capability file"
	root.AllOf = append(root.AllOf,
		&schema{OneOf: []*schema{required("naftiko"), required("ikanos")}},
		&schema{AnyOf: []*schema{required("capability"), required("consumes"), required("exposes"), required("aggregates"), required("binds")}},
	)
	root.Defs = map[string]*schema{
		"text": textSchema(), "boolean": booleanSchema(), "scalar": {If: &schema{Type: types("boolean", "null")}, Else: &schema{Type: types("string", "number"), ErrorMessage: "Text is due here."}},
		"some":   {If: &schema{Type: "null"}, Then: never(), ErrorMessage: "A value is due here."},
		"names":  {AnyOf: []*schema{{Type: "array", Items: ref("scalar")}, ref("text")}},
		"texts":  {Type: "object", AdditionalProperties: ref("text")},
		"values": {Type: "object", AdditionalProperties: &schema{AnyOf: []*schema{ref("text"), {Type: "object"}, {Type: "array"}}}},
	}
	root.Defs["bindings"] = &schema{AnyOf: []*schema{ref("texts"), {Type: "array", Items: ref("scalar")}}}
	for s := rootShape + 1; s < shapeCount; s++ {
		root.Defs[s.id()] = s.schema()
	}
	root.Defs["consumes"] = consumesSchema()
	root.Defs["exposes"] = adapterSchema()
	root.Defs["step"] = stepSchema()
	root.Defs[authenticationShape.id()] = authenticationSchema()
	out, err := json.MarshalIndent(root, "", "  ")
	return append(out, '\n'), err
}

// schema is a JSON Schema in the keywords that are used here. Type is a string
// or []string; AdditionalProperties and Then are *schema or false.
type schema struct {
	Schema               string             `json:"$schema,omitempty"`
	Ref                  string             `json:"$ref,omitempty"`
	Title                string             `json:"title,omitempty"`
	Description          string             `json:"description,omitempty"`
	MarkdownDescription  string             `json:"markdownDescription,omitempty"`
	Deprecated           bool               `json:"deprecated,omitempty"`
	DeprecationMessage   string             `json:"deprecationMessage,omitempty"`
	DoNotSuggest         bool               `json:"doNotSuggest,omitempty"`
	ErrorMessage         string             `json:"errorMessage,omitempty"`
	Type                 any                `json:"type,omitempty"`
	Const                string             `json:"const,omitempty"`
	Enum                 []string           `json:"enum,omitempty"`
	Pattern              string             `json:"pattern,omitempty"`
	MinLength            int                `json:"minLength,omitempty"`
	Minimum              *int               `json:"minimum,omitempty"`
	Maximum              *int               `json:"maximum,omitempty"`
	MinItems             int                `json:"minItems,omitempty"`
	Items                *schema            `json:"items,omitempty"`
	Required             []string           `json:"required,omitempty"`
	Properties           map[string]*schema `json:"properties,omitempty"`
	PatternProperties    map[string]*schema `json:"patternProperties,omitempty"`
	AdditionalProperties any                `json:"additionalProperties,omitempty"`
	AllOf                []*schema          `json:"allOf,omitempty"`
	AnyOf                []*schema          `json:"anyOf,omitempty"`
	OneOf                []*schema          `json:"oneOf,omitempty"`
	If                   *schema            `json:"if,omitempty"`
	Then                 any                `json:"then,omitempty"`
	Else                 *schema            `json:"else,omitempty"`
	Defs                 map[string]*schema `json:"$defs,omitempty"`
}

func ref(name string) *schema         { return &schema{Ref: "#/$defs/" + name} }
func required(keys ...string) *schema { return &schema{Required: keys} }
func types(names ...string) []string  { return names }

// never is the schema that nothing satisfies, in a form that has no words of
// its own in an editor.
func never() any { return false }

// textSchema takes any scalar but null. Its first part is what editors go by:
// one that took booleans there would complete them wherever text is due.
func textSchema() *schema {
	return &schema{AnyOf: []*schema{
		{Type: types("string", "number"), ErrorMessage: "Text is due here."},
		{If: &schema{Type: "boolean"}, Else: &schema{Type: "string"}},
	}}
}

// booleanSchema takes a boolean, also in the words and quotes that older files
// have.
func booleanSchema() *schema {
	return &schema{AnyOf: []*schema{
		{Type: "boolean", ErrorMessage: "true or false is due here."},
		{Type: "string", Pattern: anyCase("true", "false", "yes", "no", "on", "off")},
	}}
}

// anyCase is a pattern for words in any letter case. Patterns in an editor
// have no flags.
func anyCase(words ...string) string {
	var out strings.Builder
	out.WriteString("^(?:")
	for i, word := range words {
		if i > 0 {
			out.WriteByte('|')
		}
		for _, r := range word {
			lower, upper := strings.ToLower(string(r)), strings.ToUpper(string(r))
			if lower == upper {
				out.WriteString(lower)
				continue
			}
			out.WriteString("[" + upper + lower + "]")
		}
	}
	out.WriteString(")$")
	return out.String()
}

// schema is that of one mapping of the shape, without what its place adds.
func (s shape) schema() *schema {
	out := &schema{Type: "object", Title: s.title(), Properties: map[string]*schema{}}
	for _, f := range s.fields() {
		out.Properties[f.key] = f.schema()
	}
	switch {
	case s == managementShape || s == scriptingShape || s == forwardShape:
		out.Type = nil // whatever stands there is kept
	case !s.isOpen():
		out.PatternProperties = map[string]*schema{"^x-": {}}
		out.AdditionalProperties = false
	}
	if key, ok := s.importNeeds(); ok {
		out.AllOf = append(out.AllOf, s.importSchema(key))
	}
	if s == consumedResourceShape {
		out.AllOf = append(out.AllOf, &schema{AnyOf: []*schema{required("path"), ownPaths()}})
	}
	return out
}

// title is the shape's name without its article.
func (s shape) title() string {
	name := s.String()
	for _, article := range []string{"a ", "an "} {
		name = strings.TrimPrefix(name, article)
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// id is the shape's name below $defs.
func (s shape) id() string { return strings.ReplaceAll(strings.ToLower(s.title()), " ", "-") }

// importSchema asks an import for its file and everything else for a key.
func (s shape) importSchema(key string) *schema {
	out := &schema{If: &schema{}, Then: &schema{AnyOf: []*schema{required("from"), required("location")}}}
	for _, k := range importKeys() {
		if s != bindShape || k != "location" { // a binding has a location of its own
			out.If.AnyOf = append(out.If.AnyOf, required(k))
		}
	}
	if key != "" {
		out.Else = required(key)
	}
	return out
}

// ownPaths is a consumed resource whose operations all have paths.
func ownPaths() *schema {
	return &schema{Properties: map[string]*schema{"operations": {
		Items: required("path"), AdditionalProperties: &schema{Type: "object", Required: []string{"path"}},
	}}}
}

// entry is one mapping of the shape as an element of a list, or as the value of
// a name.
func (s shape) entry(named bool) *schema {
	out := ref(s.id())
	switch s {
	case consumesShape:
		out = ref("consumes")
	case adapterShape:
		out = ref("exposes")
	case callStepShape:
		out = ref("step")
	}
	needs := s.needs(named)
	if len(needs) > 0 {
		out = &schema{AllOf: []*schema{out}}
	}
	for _, group := range needs {
		if len(group) == 1 {
			out.Required = append(out.Required, group[0])
			continue
		}
		either := &schema{}
		for _, key := range group {
			either.AnyOf = append(either.AnyOf, required(key))
		}
		out.AllOf = append(out.AllOf, either)
	}
	if named && len(needs) == 0 {
		return &schema{AnyOf: []*schema{out, {Type: "null"}}}
	}
	return out
}

// schema is that of the field's value, with the words about its key.
func (f *field) schema() *schema {
	out := f.value()
	out.Description, out.MarkdownDescription = strings.ReplaceAll(f.doc, "`", ""), f.doc
	switch f.state {
	case older:
		out.Deprecated = true
	case unofficial:
		if name, ok := strings.CutPrefix(out.Description, "Write "); ok {
			out.Deprecated, out.DoNotSuggest = true, true
			out.DeprecationMessage = f.key + " is no key of the format: write " + name
		}
	case idle:
		out.Deprecated, out.DoNotSuggest = true, true
	case current:
	}
	return out
}

// value is the schema of the field's value.
func (f *field) value() *schema {
	switch f.form {
	case textForm:
		return ref("text")
	case wordForm:
		return &schema{Enum: f.words}
	case foldedForm:
		return &schema{AnyOf: []*schema{{Enum: f.words}, {Type: "string", Pattern: anyCase(f.words...)}}}
	case exampleForm:
		return &schema{AnyOf: []*schema{ref("text"), {Enum: f.words}}}
	case integerForm:
		return &schema{AnyOf: []*schema{
			{Type: "integer", Minimum: &f.low, Maximum: &f.high},
			{Type: "string", Pattern: "^[0-9][0-9_]*$"},
		}}
	case booleanForm:
		return ref("boolean")
	case textsForm:
		return ref("names")
	case entriesForm:
		return ref("texts")
	case withForm:
		return ref("values")
	case bindKeysForm:
		return ref("bindings")
	case requiredForm:
		return &schema{AnyOf: []*schema{ref("boolean"), {Type: "array", Items: ref("scalar")}}}
	case mappingForm:
		return f.of.entry(false)
	case oneForm:
		return &schema{AnyOf: []*schema{ref(f.of.id()), {Type: "array", Items: ref(f.of.id()), MinItems: 1}}}
	case listForm:
		return f.listSchema()
	case partsForm:
		part := ref(f.of.id())
		return &schema{AnyOf: []*schema{{Type: "array", Items: part}, {Type: "object", AdditionalProperties: &schema{AnyOf: []*schema{part, {Type: "null"}}}}}}
	case listOnlyForm:
		return &schema{AnyOf: []*schema{{Type: "array", Items: f.of.entry(false)}, f.of.entry(false)}}
	case outputsForm:
		scalar := &schema{AnyOf: []*schema{{Type: "string", MinLength: 1}, {Type: types("number", "boolean")}}}
		alone := &schema{Type: "object", AnyOf: []*schema{
			{Required: []string{"type"}, Properties: map[string]*schema{"type": scalar}},
			{Required: []string{"mapping"}, Properties: map[string]*schema{"mapping": scalar}},
		}}
		return &schema{If: alone, Then: ref(f.of.id()), Else: f.listSchema()}
	case messagesForm:
		return &schema{AnyOf: []*schema{{Type: "array", Items: f.of.entry(false)}, f.of.entry(false), ref("text")}}
	case authenticationForm:
		return &schema{AnyOf: []*schema{ref(f.of.id()), ref("text")}}
	case bodyForm:
		return bodySchema()
	case anyForm:
		if f.of != rootShape {
			return &schema{AllOf: []*schema{ref("some"), {Properties: f.of.schema().Properties}}}
		}
		return ref("some")
	default: // freeForm
		if len(f.words) > 0 {
			return &schema{AnyOf: []*schema{{}, {Enum: f.words}}}
		}
		return &schema{}
	}
}

func (f *field) listSchema() *schema {
	return &schema{AnyOf: []*schema{
		{Type: "array", Items: f.of.entry(false)},
		{Type: "object", AdditionalProperties: f.of.entry(true)},
	}}
}

// bodySchema is that of a request body. With data, a mapping is type and data;
// without, it is the data itself, and type may be a field of it.
func bodySchema() *schema {
	full := bodyShape.schema()
	full.PatternProperties = map[string]*schema{"^x-": {}}
	full.AdditionalProperties = false
	data := bodyShape.schema()
	data.Type = nil
	data.Properties["type"].AnyOf = append(data.Properties["type"].AnyOf, &schema{})
	return &schema{If: &schema{Type: "object", Required: []string{"data"}}, Then: full, Else: &schema{AllOf: []*schema{ref("some"), data}}}
}

// typed chooses a schema by a mapping's type: the first of the kinds that
// matches, or else the last schema.
func typed(kinds []kind, other *schema) *schema {
	out := other
	for _, k := range slices.Backward(kinds) {
		is := &schema{Required: []string{"type"}, Properties: map[string]*schema{"type": k.is}}
		out = &schema{If: is, Then: k.then, Else: out}
	}
	return out
}

// kind is one alternative of [typed].
type kind struct {
	is, then *schema
}

// is matches a word exactly.
func is(word string) *schema { return &schema{Const: word} }

// isFolded matches words in any letter case.
func isFolded(words ...string) *schema { return &schema{Type: "string", Pattern: anyCase(words...)} }

// consumesSchema is that of a consumed API. The keys of types that are not
// called are not known.
func consumesSchema() *schema {
	known := ref(consumesShape.id())
	out := typed([]kind{{is("http"), known}}, &schema{If: required("type"), Then: &schema{Properties: map[string]*schema{"type": {Enum: []string{"http"}}}}, Else: known})
	out.Type = "object"
	return out
}

// adapterSchema is that of an adapter: its type decides which keys it has.
func adapterSchema() *schema {
	out := typed([]kind{
		{is("rest"), ref(restShape.id())}, {is("mcp"), ref(mcpShape.id())}, {is("skill"), ref(skillShape.id())}, {is("control"), ref(controlShape.id())},
	}, ref(adapterShape.id()))
	out.Type = "object"
	return out
}

// stepSchema is that of a step; one without a type is a call.
func stepSchema() *schema {
	kinds := make([]kind, 0, 3)
	words := []string{}
	for _, s := range []shape{callStepShape, lookupStepShape, scriptStepShape} {
		word := strings.TrimSuffix(s.id(), "-step")
		words = append(words, word)
		kinds = append(kinds, kind{is(word), ref(s.id())})
	}
	out := typed(kinds, &schema{If: required("type"), Then: &schema{Properties: map[string]*schema{"type": {Enum: words}}}, Else: ref(callStepShape.id())})
	out.Type = "object"
	return out
}

// authenticationSchema is that of a scheme with its fields.
func authenticationSchema() *schema {
	whole := authenticationShape.schema()
	scheme := whole.Properties["type"]
	scheme.AnyOf = append(scheme.AnyOf, isFolded("api-key", "api_key"))
	some := func(keys ...string) *schema {
		part := &schema{Type: "object", Properties: map[string]*schema{}, PatternProperties: map[string]*schema{"^x-": {}}, AdditionalProperties: false}
		for _, key := range keys {
			part.Properties[key] = whole.Properties[key]
		}
		return part
	}
	oauth := some("type")
	oauth.AdditionalProperties = nil
	for _, f := range oauthFields() {
		oauth.Properties[f.key] = f.schema()
	}
	out := typed([]kind{
		{isFolded("basic", "digest"), some("type", "username", "password")},
		{isFolded("bearer"), some("type", "token")},
		{isFolded("apikey", "api-key", "api_key"), some("type", "key", "value", "placement", "name", "in", "header", "headers", "token")},
		{isFolded("oauth2"), oauth},
	}, &schema{Properties: whole.Properties})
	out.Type, out.Required = "object", []string{"type"}
	return out
}
