// Package schema checks JSON values against the schemas of contracts: JSON
// Schema 2020-12 as OpenAPI 3.1 uses it, and the dialect of OpenAPI 3.0. In a
// request's path it stands between reading the inputs and the first upstream
// call, and before an MCP tool runs; sandbox and plan read the same compiled
// schemas through their accessors.
//
// Why not a general library: a request may spend only a handful of
// allocations, so a check of a valid value must spend none; and the answer to
// a wrong one has to name every fault at once, in words a person or a model can
// act on, each with the provenance of the rule it breaks. santhosh-tekuri's
// validator, which allocates per keyword, is the oracle of the tests.
//
// # Extension keywords
//
// Any schema object may carry
//
//   - x-patchbay-source: where its rules come from ("D" documented, "O"
//     observed, "I" inferred, …); holds for its subschemas, and for what they
//     refer to, until one of them says otherwise;
//   - x-patchbay-hints: an object from the text of a wrong instance to advice,
//     "*" for any text; for violations of type, enum, const, pattern, format,
//     not, anyOf and oneOf, by this schema or one it refers to or includes;
//   - x-patchbay-reason: advice for every violation below that schema,
//     typically the reason of a "then".
//
// # Bounds
//
// A check is bounded in steps and depth, a report in length, a schema in
// subschemas and depth, so that neither a hostile contract nor a hostile body
// can make the gateway work without end.
package schema

import (
	"patchbay/internal/jsonvalue"
)

// Options tell [Compile] how to read a schema.
type Options struct {
	// Resolve finds what a $ref outside of the schema names, such as
	// "#/components/schemas/X". It is asked first, and the schema's own root
	// where it does not know the reference. Nil: references lead into the root.
	// It must return the same pointer for the same reference.
	Resolve func(ref string) (*jsonvalue.Value, bool)

	// OpenAPI30 selects the dialect of OpenAPI 3.0: "nullable: true" admits
	// null whatever the other keywords say, exclusiveMinimum and
	// exclusiveMaximum may be booleans, keywords beside $ref are ignored.
	OpenAPI30 bool

	// Request drops from "required" every name whose property, where the same
	// schema object or one it includes declares it, is readOnly: OpenAPI
	// demands such properties of responses only.
	Request bool

	// AssertFormat makes date-time, date, uri, uuid and email assertions.
	// Without it, and for every other name, format is an annotation.
	AssertFormat bool

	// DefaultSource is the source of rules for which no schema names one.
	DefaultSource string

	// Patterns are shared with other schemas; nil for none.
	Patterns *Patterns
}

// Problem is a keyword that could not be compiled. The keyword is ignored, the
// rest of the schema holds.
type Problem struct {
	// Pointer is the RFC 6901 pointer of the keyword from the root of the
	// schema. Behind a reference that Options.Resolve has followed it begins
	// with that reference, such as "#/components/schemas/X/pattern".
	Pointer string
	// Message is a lower-case clause without place.
	Message string
	// Allowed tells that JSON Schema 2020-12 allows the keyword, or does not
	// know it, and that it is only not checked here. What is not allowed makes
	// other validators refuse the whole schema.
	Allowed bool
}

// String returns place and message.
func (p Problem) String() string {
	if p.Pointer == "" {
		return p.Message
	}
	return p.Pointer + ": " + p.Message
}

// Schema is one compiled schema or subschema. It is immutable and safe for
// concurrent use. A nil *Schema admits every value.
type Schema struct {
	raw     *jsonvalue.Value
	literal literal
	source  string
	reason  string
	hints   *jsonvalue.Value

	nullable bool
	types    TypeSet
	enum     *valueSet
	constant *valueSet
	str      *stringRules
	num      *numberRules
	arr      *arrayRules
	obj      *objectRules
	comb     *applicators
}

// literal tells the boolean schemas from the others.
type literal uint8

const (
	notLiteral literal = iota
	literalTrue
	literalFalse
	literalUnknown // admits everything and evaluates every element: what could not be resolved
)

// stringRules are the assertions on strings; a negative length is none.
type stringRules struct {
	minLength, maxLength int
	pattern              *pattern
	format               *format
}

// numberRules are the assertions on numbers.
type numberRules struct {
	min, max, above, below *decimal
	multiple               *divisor
}

// arrayRules are the assertions on arrays and their items; a negative count is none.
type arrayRules struct {
	minItems, maxItems       int
	unique                   bool
	prefix                   []*Schema
	items                    *Schema
	contains                 *Schema
	minContains, maxContains int
	unevaluated              *Schema
}

// objectRules are the assertions on objects and their members; a negative count is none.
type objectRules struct {
	minProperties, maxProperties int
	properties                   []Property
	index                        map[string]int
	patterns                     []patternProperty
	additional                   *Schema
	names                        *Schema
	required                     []string
	dependentRequired            []dependency
	unevaluated                  *Schema
}

// applicators apply subschemas to the very value the schema is applied to.
type applicators struct {
	ref              *Schema
	allOf            []*Schema
	anyOf            []*Schema
	oneOf            []*Schema
	several          bool // oneOf does not mind several matches; see spreadGaps
	not              *Schema
	when             *Schema
	then             *Schema
	otherwise        *Schema
	dependentSchemas []Property
	discriminator    *discriminator
}

// Property is a named subschema.
type Property struct {
	Name   string
	Schema *Schema
}

type patternProperty struct {
	pattern *pattern
	schema  *Schema
}

type dependency struct {
	name  string
	needs []string
}

// discriminator is OpenAPI's hint at the branch that a value is meant for.
type discriminator struct {
	property string
	branches map[string]int
}

// indexFrom is the number of properties above which a map beats a scan.
const indexFrom = 8

// property returns the subschema declared for a member name, or nil.
func (o *objectRules) property(name string) *Property {
	if o.index != nil {
		if i, ok := o.index[name]; ok {
			return &o.properties[i]
		}
		return nil
	}
	for i := range o.properties {
		if o.properties[i].Name == name {
			return &o.properties[i]
		}
	}
	return nil
}

// Valid reports whether the value satisfies the schema. It does not allocate,
// except for uniqueItems on long arrays and unevaluatedProperties or
// unevaluatedItems on values of more than 64 elements. A value that cannot be
// judged within the bounds is not valid. An absent value, or nil, violates
// nothing.
func (s *Schema) Valid(v *jsonvalue.Value) bool {
	if v == nil {
		return true
	}
	e := eval{root: v, steps: stepBudget}
	return e.check(s, v) && !e.spent
}

// Check appends everything that is wrong with the value to the report, each
// fault at its own place: at, itself a JSON pointer or "", is put before the
// pointers. It returns whether the value is valid, in which case it has
// allocated no more than [Schema.Valid].
//
// A value that cannot be judged within the bounds is one violation of the
// keyword "budget" without a source, since no rule of the provider is broken.
func (s *Schema) Check(v *jsonvalue.Value, at string, report *Report) bool {
	if v == nil {
		return true
	}
	quiet := eval{root: v, steps: stepBudget}
	if quiet.check(s, v) && !quiet.spent {
		return true
	}
	found := len(report.Violations)
	c := &collector{report: report, start: found, path: append(make([]byte, 0, len(at)+64), at...)}
	if !quiet.spent {
		loud := eval{root: v, steps: stepBudget, out: c}
		loud.check(s, v)
		if len(report.Violations) > found {
			report.Truncated = report.Truncated || loud.spent
			return false
		}
	}
	report.Violations = append(report.Violations, Violation{
		Pointer: at, Keyword: "budget", Detail: "too complex to check",
	})
	return false
}
