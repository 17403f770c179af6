package schema

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"patchbay/internal/jsonvalue"
)

// line writes a violation on one line: pointer, keyword, detail, hint, source.
func line(v Violation) string {
	text := v.Pointer + " " + v.Keyword + ": " + v.Detail
	if v.Hint != "" {
		text += " | " + v.Hint
	}
	if v.Source != "" {
		text += " [" + v.Source + "]"
	}
	return text
}

// violations checks a value and returns the report as lines. It demands that
// Valid and Check agree.
func violations(t *testing.T, s *Schema, value string) []string {
	t.Helper()
	v := parse(t, value)
	var r Report
	ok := s.Check(&v, "", &r)
	if valid := s.Valid(&v); ok != valid || ok != (len(r.Violations) == 0) {
		t.Errorf("%s: Valid %v, Check %v with %v", value, valid, ok, r.Violations)
	}
	var lines []string
	for _, w := range r.Violations {
		lines = append(lines, line(w))
	}
	return lines
}

// compiled compiles a schema that has no problems.
func compiled(t testing.TB, text string, opts Options) *Schema {
	t.Helper()
	root := parse(t, text)
	s, problems := Compile(&root, opts)
	for _, p := range problems {
		t.Errorf("%s: %v", text, p)
	}
	return s
}

func TestKeywordsSayWhatIsWrong(t *testing.T) {
	for _, tt := range []struct {
		schema string
		good   []string
		bad    map[string]string // value to lines
	}{
		{`{"type":"object"}`, []string{`{}`}, map[string]string{
			`"x"`:  ` type: must be an object; got a string`,
			`[]`:   ` type: must be an object; got an array`,
			`"{}"`: ` type: must be an object; got a string | give the JSON itself, not a string that contains it`,
		}},
		{`{"type":["string","null"]}`, []string{`"a"`, `null`}, map[string]string{`5`: ` type: must be a string or null; got a number`}},
		{`{"type":"integer"}`, []string{`1`, `1.0`, `1e3`, `123456789012345678901234567890`}, map[string]string{
			`1.5`:    ` type: must be an integer; got 1.5`,
			`1e-400`: ` type: must be an integer; got 1e-400`,
			`"5"`:    ` type: must be an integer; got a string | give 5 without quotes`,
			`true`:   ` type: must be an integer; got a boolean`,
		}},
		{`{"type":"boolean"}`, []string{`true`}, map[string]string{`"true"`: ` type: must be a boolean; got a string | give true without quotes`}},
		{`{"type":["integer","number","string"]}`, nil, map[string]string{`null`: ` type: must be a string or a number; got null`}},
		{`{"enum":["closed","inactive"]}`, []string{`"closed"`}, map[string]string{
			`"wrapup"`: ` enum: must be one of "closed", "inactive"; got "wrapup"`,
			`"Closed"`: ` enum: must be one of "closed", "inactive"; got "Closed" | did you mean "closed"?`,
			`{}`:       ` enum: must be one of "closed", "inactive"; got an object`,
		}},
		{`{"enum":[1,{"a":[1,2]},null]}`, []string{`1.0`, `{"a":[1,2e0]}`, `null`}, map[string]string{`2`: ` enum: must be one of 1, {"a":[1,2]}, null; got 2`}},
		{`{"enum":["a","b","c","d","e","f","g","h","i","j","k","l"]}`, []string{`"l"`}, map[string]string{
			`"longer"`: ` enum: must be one of "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", … (12 in all); got "longer"`,
		}},
		{`{"const":"api"}`, []string{`"api"`}, map[string]string{`"agent"`: ` const: must be "api"; got "agent"`}},
		{`{"minimum":1,"maximum":10}`, []string{`1`, `10`, `"x"`}, map[string]string{
			`0`: ` minimum: must be at least 1; got 0`, `10.5`: ` maximum: must be at most 10; got 10.5`,
		}},
		{`{"exclusiveMinimum":0,"exclusiveMaximum":0.3}`, []string{`0.1`}, map[string]string{
			`0`: ` exclusiveMinimum: must be greater than 0; got 0`, `0.30`: ` exclusiveMaximum: must be less than 0.3; got 0.30`,
		}},
		{`{"multipleOf":0.01}`, []string{`0.07`, `19.99`, `1e300`, `0`}, map[string]string{`1.005`: ` multipleOf: must be a multiple of 0.01; got 1.005`}},
		{`{"minLength":2,"maxLength":3}`, []string{`"éé"`, `"😀😀😀"`, `5`}, map[string]string{
			`"é"`:    ` minLength: must be at least 2 characters long; has 1`,
			`"abcd"`: ` maxLength: must be at most 3 characters long; has 4`,
		}},
		{`{"minLength":1}`, nil, map[string]string{`""`: ` minLength: must be at least 1 character long; has 0`}},
		{`{"pattern":"^KD[0-9a-fA-F]{32}$"}`, []string{`"KD0123456789abcdef0123456789abcdef"`}, map[string]string{
			`"KE0123456789abcdef0123456789abcdef"`:                 ` pattern: must match ^KD[0-9a-fA-F]{32}$; got "KE0123456789abcdef0123456789abcdef"`,
			`"KE0123456789abcdef0123456789abcdef0123456789abcdef"`: ` pattern: must match ^KD[0-9a-fA-F]{32}$; got "KE0123456789abcdef0123456789abcdef012345…"`,
		}},
		{`{"minItems":1,"maxItems":2}`, []string{`[1]`}, map[string]string{
			`[]`: ` minItems: must have at least 1 item; has 0`, `[1,2,3]`: ` maxItems: must have at most 2 items; has 3`,
		}},
		{`{"uniqueItems":true}`, []string{`[1,"1",true,null]`, `[{"a":1},{"a":2}]`}, map[string]string{
			`[1,2,1.0,1,2]`:                 "/2 uniqueItems: must be unique; equals item 0\n/3 uniqueItems: must be unique; equals item 0\n/4 uniqueItems: must be unique; equals item 1",
			`[{"a":1,"b":2},{"b":2,"a":1}]`: `/1 uniqueItems: must be unique; equals item 0`,
		}},
		{`{"items":{"type":"string"}}`, []string{`["a"]`}, map[string]string{`["a",1,2]`: "/1 type: must be a string; got a number\n/2 type: must be a string; got a number"}},
		{`{"prefixItems":[{"type":"string"}],"items":false}`, []string{`[]`, `["a"]`}, map[string]string{
			`[1,2]`: " items: must have at most 1 item; has 2\n/0 type: must be a string; got a number",
		}},
		{`{"contains":{"const":"a"}}`, []string{`["b","a"]`}, map[string]string{`["b","c"]`: ` contains: at least 1 item must be "a"; 0 of 2 do`}},
		{`{"contains":{"type":"string"},"minContains":2,"maxContains":3}`, []string{`["a","b"]`}, map[string]string{
			`["a",1]`:           ` minContains: at least 2 items must be a string; 1 of 2 do`,
			`["a","b","c","d"]`: ` maxContains: at most 3 items may be a string; 4 of 4 do`,
		}},
		{`{"minProperties":1,"maxProperties":1}`, []string{`{"a":1}`}, map[string]string{
			`{}`: ` minProperties: must have at least 1 field; has 0`, `{"a":1,"b":2}`: ` maxProperties: must have at most 1 field; has 2`,
		}},
		{`{"required":["Routing","a/b~c"]}`, []string{`{"Routing":1,"a/b~c":null}`, `5`}, map[string]string{
			`{}`:                      "/Routing required: is required\n/a~1b~0c required: is required",
			`{"routing":1,"a/b~c":1}`: `/Routing required: is required | "routing" is given; the name is "Routing"`,
		}},
		{`{"dependentRequired":{"a":["b","c"]}}`, []string{`{"b":1}`}, map[string]string{
			`{"a":1}`: "/b dependentRequired: is required when \"a\" is given\n/c dependentRequired: is required when \"a\" is given",
		}},
		{`{"dependentSchemas":{"a":{"required":["b"]}}}`, []string{`{}`}, map[string]string{`{"a":1}`: `/b required: is required`}},
		{`{"properties":{"Channel":{},"Routing":{}},"additionalProperties":false}`, []string{`{"Channel":1}`}, map[string]string{
			`{"channel":1}`:            `/channel additionalProperties: is not a known field | did you mean "Channel"?`,
			`{"zzz":1}`:                `/zzz additionalProperties: is not a known field | known fields: "Channel", "Routing"`,
			`{"Channel":1,"chanel":1}`: `/chanel additionalProperties: is not a known field | known fields: "Channel", "Routing"`,
		}},
		{`{"additionalProperties":{"type":"string"},"properties":{"n":{"type":"integer"}}}`, []string{`{"n":1,"x":"y"}`}, map[string]string{
			`{"n":1,"x":2}`: `/x type: must be a string; got a number`,
		}},
		{`{"patternProperties":{"^x-":{"type":"string"}},"additionalProperties":false}`, []string{`{"x-a":"b"}`}, map[string]string{
			`{"x-a":1,"y":1}`: "/x-a type: must be a string; got a number\n/y additionalProperties: is not a known field",
		}},
		{`{"propertyNames":{"pattern":"^[a-z]+$"}}`, []string{`{"a":1}`}, map[string]string{`{"A":1}`: `/A propertyNames: has a name that must match ^[a-z]+$`}},
		{`{"not":{"required":["sid"]}}`, []string{`{}`}, map[string]string{`{"sid":1}`: ` not: must not have "sid"`}},
		{`{"properties":{"a":false}}`, []string{`{}`}, map[string]string{`{"a":1}`: `/a false: is not allowed`}},
		{`false`, nil, map[string]string{`1`: ` false: is not allowed`}},
		{`true`, []string{`1`}, nil},
		{`{"allOf":[{"required":["a"]},{"required":["a","b"]}]}`, []string{`{"a":1,"b":1}`}, map[string]string{
			`{}`: "/a required: is required\n/b required: is required",
		}},
		{`{"properties":{"a":{}},"allOf":[{"properties":{"b":{}}}],"unevaluatedProperties":false}`, []string{`{"a":1,"b":1}`}, map[string]string{
			`{"a":1,"c":1}`: `/c unevaluatedProperties: is not a known field | known fields: "a", "b"`,
		}},
		{`{"allOf":[{"properties":{"b":{"type":"string"}}}],"unevaluatedProperties":false}`, nil, map[string]string{
			`{"b":1,"c":1}`: "/b type: must be a string; got a number\n/c unevaluatedProperties: is not a known field | known fields: \"b\"",
		}},
		{`{"prefixItems":[{}],"unevaluatedItems":false}`, []string{`[1]`}, map[string]string{`[1,2]`: `/1 unevaluatedItems: is not a known item`}},
		{`{"if":{"required":["a"]},"then":{"required":["b"]},"else":{"required":["c"]}}`, []string{`{"a":1,"b":1}`, `{"c":1}`}, map[string]string{
			`{"a":1}`: `/b required: is required`, `{}`: `/c required: is required`,
		}},
	} {
		s := compiled(t, tt.schema, Options{})
		for _, good := range tt.good {
			if got := violations(t, s, good); got != nil {
				t.Errorf("%s by %s: %v", good, tt.schema, got)
			}
		}
		for bad, want := range tt.bad {
			if diff := cmp.Diff(strings.Split(want, "\n"), violations(t, s, bad)); diff != "" {
				t.Errorf("%s by %s (-want +got):\n%s", bad, tt.schema, diff)
			}
		}
	}
}

func TestUnevaluatedIsWhatNoOtherKeywordSaw(t *testing.T) {
	const (
		properties = `,"unevaluatedProperties":false}`
		items      = `,"unevaluatedItems":false}`
	)
	for _, tt := range []struct {
		schema, good, bad string
	}{
		{`{"if":{"properties":{"a":{"const":1}}},"then":{"properties":{"b":{}}},"else":{"properties":{"c":{}}}` + properties, `{"a":1,"b":1}`, `{"a":1,"c":1}`},
		{`{"if":{"properties":{"a":{"const":1}}},"else":{"properties":{"c":{}}}` + properties, `{"a":1}`, `{"a":2,"c":1}`},
		{`{"dependentSchemas":{"a":{"properties":{"a":{},"b":{}}}}` + properties, `{"a":1,"b":1}`, `{"b":1}`},
		{`{"anyOf":[{"properties":{"a":{}}},{"required":["b"],"properties":{"b":{}}}]` + properties, `{"a":1,"b":1}`, `{"a":1,"c":1}`},
		{`{"oneOf":[{"required":["a"],"properties":{"a":{}}},{"required":["b"],"properties":{"b":{}}}]` + properties, `{"b":1}`, `{"b":1,"c":1}`},
		{`{"$ref":"#/$defs/x","$defs":{"x":{"allOf":[{"patternProperties":{"^a":{}}}]}}` + properties, `{"ab":1}`, `{"b":1}`},
		{`{"not":{"not":{"properties":{"a":{}}}}` + properties, `{}`, `{"a":1}`},
		{`{"allOf":[{"additionalProperties":{"type":"integer"}}]` + properties, `{"a":1}`, `{"a":"x"}`},
		{`{"allOf":[{"unevaluatedProperties":{"type":"integer"}}]` + properties, `{"a":1}`, `{"a":"x"}`},
		{`{"properties":{"a":{"properties":{"b":{}}}}` + properties, `{"a":{"b":1}}`, `{"b":1}`},
		{`{"contains":{"type":"string"}` + items, `["a","b"]`, `["a",1]`},
		{`{"allOf":[{"prefixItems":[{}]}],"anyOf":[{"prefixItems":[{},{"const":2}]},true]` + items, `[1,2]`, `[1,3]`},
		{`{"allOf":[{"items":{"type":"integer"}}]` + items, `[1]`, `["x"]`},
		{`{"allOf":[{"unevaluatedItems":{"type":"integer"}}]` + items, `[1]`, `["x"]`},
	} {
		s := compiled(t, tt.schema, Options{})
		reference, err := oracle(tt.schema)
		if err != nil {
			t.Fatalf("%s: %v", tt.schema, err)
		}
		for text, want := range map[string]bool{tt.good: true, tt.bad: false} {
			doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			if got := reference.Validate(doc) == nil; got != want {
				t.Errorf("%s by %s: the oracle says %v", text, tt.schema, got)
			}
			if got := violations(t, s, text); (got == nil) != want {
				t.Errorf("%s by %s: %v", text, tt.schema, got)
			}
		}
	}
}

func TestAlternatives(t *testing.T) {
	for _, tt := range []struct{ name, schema, value, want string }{
		{"the only branch of the type", `{"anyOf":[{"type":"null"},{"type":"object","required":["a"]}]}`, `{}`, `/a required: is required`},
		{"no branch of the type", `{"anyOf":[{"type":"null"},{"type":"string"}]}`, `5`, ` anyOf: must be a string or null; got a number`},
		{
			"discriminating const", `{"oneOf":[{"properties":{"type":{"const":"web"},"sid":{"type":"string"}}},{"properties":{"type":{"const":"sms"}},"required":["to"]}]}`,
			`{"type":"sms"}`, `/to required: is required`,
		},
		{"discriminating enum behind a reference", `{"$defs":{"w":{"properties":{"type":{"enum":["web","chat"]}},"required":["id"]}},
			"oneOf":[{"$ref":"#/$defs/w"},{"properties":{"type":{"const":"sms"}},"required":["to"]}]}`, `{"type":"chat"}`, `/id required: is required`},
		{
			"discriminator of no branch", `{"oneOf":[{"properties":{"type":{"const":"web"}}},{"properties":{"type":{"enum":["sms","web"]}}}]}`,
			`{"type":"smss"}`, `/type oneOf: must be one of "web", "sms"; got "smss" | did you mean "sms"?`,
		},
		{"mapped discriminator", `{"$defs":{"A":{"required":["a"]},"B":{"required":["b"]}},"oneOf":[{"$ref":"#/$defs/A"},{"$ref":"#/$defs/B"}],
			"discriminator":{"propertyName":"kind","mapping":{"bee":"#/$defs/B"}}}`, `{"kind":"bee"}`, `/b required: is required`},
		{"implied discriminator", `{"$defs":{"A":{"required":["a"]},"B":{"required":["b"]}},"oneOf":[{"$ref":"#/$defs/A"},{"$ref":"#/$defs/B"}],
			"discriminator":{"propertyName":"kind"}}`, `{"kind":"A"}`, `/a required: is required`},
		{"required of either", `{"anyOf":[{"required":["sid"]},{"required":["type","by"]}]}`, `{"type":1}`, ` anyOf: must have "sid"; or have "type" and "by"`},
		{
			"patterns of either", `{"anyOf":[{"type":"string","pattern":"^A"},{"type":"string","pattern":"^B"},{"type":"integer"}]}`, `"C"`,
			` anyOf: must be a string, match ^A; or be a string, match ^B; or be an integer; got "C"`,
		},
		{
			"many", `{"anyOf":[{"minimum":1},{"minimum":2},{"minimum":3},{"minimum":4},{"minimum":5},{"title":"six","minProperties":1,"not":{}}]}`, `0`,
			` anyOf: must be at least 1; or be at least 2; or be at least 3; or be at least 4; or be at least 5; or … (6 in all); got 0`,
		},
		{"nothing but a title", `{"not":{"title":"Six","minProperties":1}}`, `{"a":1}`, ` not: must not match "Six"`},
		{"values of either", `{"anyOf":[{"const":"a"},{"enum":["b","c"]}]}`, `"d"`, ` anyOf: must be one of "a", "b", "c"; got "d"`},
		{"both of two", `{"oneOf":[{"required":["a"]},{"required":["b"]}]}`, `{"a":1,"b":1}`, ` oneOf: must not do more than one of these: have "a"; have "b"`},
		{"nested places", `{"properties":{"x":{"items":{"oneOf":[{"type":"null"},{"type":"integer","minimum":3}]}}}}`, `{"x":[null,1]}`, `/x/1 minimum: must be at least 3; got 1`},
	} {
		s := compiled(t, tt.schema, Options{})
		if diff := cmp.Diff([]string{tt.want}, violations(t, s, tt.value)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestHints(t *testing.T) {
	const status = `{"$defs":{"status":{"enum":["closed","inactive"]}},"properties":{
		"a":{"enum":["closed","inactive"],"x-patchbay-hints":{"wrapup":"wrapup belongs to a participant","*":"see the guide"}},
		"b":{"$ref":"#/$defs/status","x-patchbay-hints":{"wrapup":"from beside the reference"}},
		"c":{"type":"integer","x-patchbay-hints":{"ten":"write 10","true":"write 1","null":"write 0"}},
		"d":{"pattern":"^KD","x-patchbay-hints":{"*":"SIDs of interactions begin with KD"}},
		"e":{"x-patchbay-hints":{"*":"of the object"},"properties":{"f":{"const":1}}}}}`
	s := compiled(t, status, Options{})
	for value, want := range map[string]string{
		`{"a":"wrapup"}`:  `/a enum: must be one of "closed", "inactive"; got "wrapup" | wrapup belongs to a participant`,
		`{"a":"closd"}`:   `/a enum: must be one of "closed", "inactive"; got "closd" | did you mean "closed"?`,
		`{"a":[1]}`:       `/a enum: must be one of "closed", "inactive"; got an array | see the guide`,
		`{"b":"wrapup"}`:  `/b enum: must be one of "closed", "inactive"; got "wrapup" | from beside the reference`,
		`{"c":"ten"}`:     `/c type: must be an integer; got a string | write 10`,
		`{"c":true}`:      `/c type: must be an integer; got a boolean | write 1`,
		`{"c":null}`:      `/c type: must be an integer; got null | write 0`,
		`{"d":"CH1"}`:     `/d pattern: must match ^KD; got "CH1" | SIDs of interactions begin with KD`,
		`{"e":{"f":"x"}}`: `/e/f const: must be 1; got "x"`,
	} {
		if diff := cmp.Diff([]string{want}, violations(t, s, value)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", value, diff)
		}
	}
}

func TestSourcesAreThoseOfTheInnermostSchema(t *testing.T) {
	s := compiled(t, `{"x-patchbay-source":"D","required":["a"],
		"$defs":{"inherits":{"type":"string"},"own":{"x-patchbay-source":"O","type":"string"}},
		"properties":{
			"b":{"type":"string"},
			"c":{"x-patchbay-source":"I","properties":{"d":{"const":1}}},
			"e":{"x-patchbay-source":"T","$ref":"#/$defs/inherits"},
			"f":{"$ref":"#/$defs/inherits"},
			"g":{"$ref":"#/$defs/own"}}}`, Options{DefaultSource: "unused"})
	want := []string{
		"/a required: is required [D]",
		"/b type: must be a string; got a number [D]",
		"/c/d const: must be 1; got 2 [I]",
		"/e type: must be a string; got a number [T]",
		"/f type: must be a string; got a number [D]",
		"/g type: must be a string; got a number [O]",
	}
	if diff := cmp.Diff(want, violations(t, s, `{"b":1,"c":{"d":2},"e":1,"f":1,"g":1}`)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s = compiled(t, `{"allOf":[{"x-patchbay-source":"D","required":["a"]},{"x-patchbay-source":"I","required":["a"]},{"x-patchbay-source":"I","required":["a"]}]}`, Options{})
	if diff := cmp.Diff([]string{"/a required: is required [D]", "/a required: is required [I]"}, violations(t, s, `{}`)); diff != "" {
		t.Errorf("one fault by two sources (-want +got):\n%s", diff)
	}
	s = compiled(t, `{"required":["a"]}`, Options{DefaultSource: "D"})
	if diff := cmp.Diff([]string{"/a required: is required [D]"}, violations(t, s, `{}`)); diff != "" {
		t.Errorf("default source (-want +got):\n%s", diff)
	}
}

func TestReasonsExplainRules(t *testing.T) {
	s := compiled(t, createSchema, Options{DefaultSource: "D"})
	want := []string{
		`/Channel/properties/from required: is required | email needs from and from_name [D]`,
		`/Routing required: is required | Routing is required unless Channel.sid is given [I]`,
	}
	got := violations(t, s, `{"Channel":{"type":"email","initiated_by":"agent","properties":{"from_name":"x"}}}`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s = compiled(t, `{"x-patchbay-reason":"email needs from and from_name","properties":{"a":{"enum":["agent"]}}}`, Options{})
	got = violations(t, s, `{"a":"agnt"}`)
	if diff := cmp.Diff([]string{`/a enum: must be "agent"; got "agnt" | did you mean "agent"? email needs from and from_name`}, got); diff != "" {
		t.Errorf("near miss and reason (-want +got):\n%s", diff)
	}
}

// createSchema has the shape of the request that opens an interaction.
const createSchema = `{
	"type": "object",
	"required": ["Channel"],
	"additionalProperties": false,
	"properties": {
		"Channel": {
			"type": "object",
			"required": ["type", "initiated_by"],
			"properties": {
				"sid": {"type": "string", "pattern": "^UO[0-9a-fA-F]{32}$"},
				"type": {"enum": ["web", "sms", "email", "chat", "whatsapp", "voice"]},
				"initiated_by": {"enum": ["customer", "agent", "api"]},
				"properties": {"type": "object", "properties": {
					"media_channel_sid": {"type": "string", "pattern": "^CH[0-9a-fA-F]{32}$"},
					"from": {"type": "string", "maxLength": 320},
					"from_name": {"type": "string", "minLength": 1}}},
				"participants": {"type": "array", "maxItems": 10, "items": {"type": "object", "minProperties": 1}}
			},
			"allOf": [{
				"if": {"properties": {"type": {"const": "email"}}, "required": ["type"]},
				"then": {"x-patchbay-reason": "email needs from and from_name",
					"required": ["properties"], "properties": {"properties": {"required": ["from", "from_name"]}}}
			}]
		},
		"Routing": {"type": "object", "properties": {"properties": {"type": "object", "required": ["workspace_sid"], "properties": {
			"workspace_sid": {"$ref": "#/$defs/workspace"},
			"priority": {"type": "integer", "minimum": 0},
			"timeout": {"oneOf": [{"type": "integer", "minimum": 1, "maximum": 1209600}, {"type": "null"}]}}}}},
		"WebhookTtid": {"type": "string"}
	},
	"$defs": {"workspace": {"type": "string", "pattern": "^WS[0-9a-fA-F]{32}$"}},
	"if": {"not": {"properties": {"Channel": {"required": ["sid"]}}, "required": ["Channel"]}},
	"then": {"x-patchbay-source": "I", "x-patchbay-reason": "Routing is required unless Channel.sid is given", "required": ["Routing"]}
}`

// createBody satisfies createSchema.
const createBody = `{"Channel":{"type":"email","initiated_by":"agent","properties":{"from":"a@example.com","from_name":"A"},
	"participants":[{"address":"b@example.com","level":"to"}]},
	"Routing":{"properties":{"workspace_sid":"WS0123456789abcdef0123456789abcdef","priority":3,"timeout":600}}}`

func TestReasonFollowsAHint(t *testing.T) {
	s := compiled(t, `{"x-patchbay-reason":"a rule","properties":{"a":{"const":1,"x-patchbay-hints":{"*":"write 1"}},
		"b":{"const":1,"x-patchbay-reason":"a closer rule"}}}`, Options{})
	want := []string{`/a const: must be 1; got 2 | write 1; a rule`, `/b const: must be 1; got 2 | a closer rule`}
	if diff := cmp.Diff(want, violations(t, s, `{"a":2,"b":2}`)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEveryFaultIsNamedAtOnce(t *testing.T) {
	s := compiled(t, createSchema, Options{})
	value := parse(t, `{"Chanel":1,"Channel":{"sid":"UO1","type":"emial","properties":{"from":5,"media_channel_sid":"x"},"participants":[{},1]},
		"Routing":{"properties":{"priority":-1,"timeout":0}},"WebhookTtid":null}`)
	var r Report
	r.Violations = append(r.Violations, Violation{Pointer: "/query/x"})
	s.Check(&value, "/body", &r)
	var got []string
	for _, v := range r.Violations[1:] {
		got = append(got, line(v))
	}
	want := []string{
		`/body/Chanel additionalProperties: is not a known field | known fields: "Channel", "Routing", "WebhookTtid"`,
		`/body/Channel/initiated_by required: is required`,
		`/body/Channel/sid pattern: must match ^UO[0-9a-fA-F]{32}$; got "UO1"`,
		`/body/Channel/type enum: must be one of "web", "sms", "email", "chat", "whatsapp", "voice"; got "emial" | did you mean "email"?`,
		`/body/Channel/properties/from type: must be a string; got a number`,
		`/body/Channel/properties/media_channel_sid pattern: must match ^CH[0-9a-fA-F]{32}$; got "x"`,
		`/body/Channel/participants/0 minProperties: must have at least 1 field; has 0`,
		`/body/Channel/participants/1 type: must be an object; got a number`,
		`/body/Routing/properties/workspace_sid required: is required`,
		`/body/Routing/properties/priority minimum: must be at least 0; got -1`,
		`/body/Routing/properties/timeout minimum: must be at least 1; got 0`,
		`/body/WebhookTtid type: must be a string; got null`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAbsentMembersAreNotThere(t *testing.T) {
	s := compiled(t, `{"required":["a"],"maxProperties":1,"properties":{"b":{"type":"string"}},"additionalProperties":false}`, Options{})
	v := jsonvalue.ObjectOf([]jsonvalue.Member{{Name: "a"}, {Name: "b", Value: jsonvalue.StringOf("x")}, {Name: "c"}})
	var r Report
	s.Check(&v, "", &r)
	if want := []Violation{{Pointer: "/a", Keyword: "required", Detail: "is required"}}; !cmp.Equal(want, r.Violations) {
		t.Errorf("got %v", r.Violations)
	}
}

func TestAbsentViolatesNothing(t *testing.T) {
	s := compiled(t, `{"type":"object","required":["a"]}`, Options{})
	var r Report
	if !s.Valid(nil) || !s.Check(nil, "", &r) || len(r.Violations) > 0 {
		t.Errorf("a value that was not given violates %v", r.Violations)
	}
	var none *Schema
	if v := parse(t, `1`); !none.Valid(&v) || !none.Check(&v, "", &r) {
		t.Error("a nil schema refuses a value")
	}
}
