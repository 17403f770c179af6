// Package spec reads a capability file into a typed document in which every
// scalar keeps its place. It is the first stage of the compiler: it judges the
// shape of the file and nothing else; names are resolved by package plan.
//
// All documents of `naftiko: 1.0.0-alpha1` to `-alpha3` and `ikanos:
// 1.0.0-alpha3` to `-beta4` read into the same types: lists and keyed maps, and
// the field names of either generation (label and display, functions and flows,
// targetName and target, location and from), are one thing here. What the
// published schema would refuse and we accept is a diagnostic, never a refusal.
package spec

import "patchbay/internal/diag"

// Text is a string scalar and its place. A number or boolean where a string is
// due is taken with the text it was written with. The zero Text is absent.
type Text struct {
	Value string
	Span  diag.Span
}

// Set reports whether the scalar was written in the file (possibly empty).
func (t Text) Set() bool { return !t.Span.IsZero() }

// Int is an integer scalar and its place.
type Int struct {
	Value int
	Span  diag.Span
}

// Set reports whether the scalar was written in the file.
func (i Int) Set() bool { return !i.Span.IsZero() }

// Bool is a boolean scalar and its place.
type Bool struct {
	Value bool
	Span  diag.Span
}

// Set reports whether the scalar was written in the file.
func (b Bool) Set() bool { return !b.Span.IsZero() }

// Document is one capability file. It is immutable once loaded.
type Document struct {
	Header
	// Source is the file's bytes.
	Source     []byte
	Consumes   []Consumes
	Exposes    []Exposes
	Aggregates []Aggregate
}

// Header is what a document says of itself and where its values come from: what
// is left of it once it is compiled.
type Header struct {
	// File is the name under which diagnostics speak of it.
	File string
	// Version is the value of the version key, VersionKey the key itself
	// ("naftiko" or "ikanos").
	Version    Text
	VersionKey Text
	Info       Info
	// Binds holds the root's bindings and then the capability's.
	Binds []Bind
}

// Info describes the capability to people.
type Info struct {
	Span        diag.Span
	Label       Text
	Description Text
	Version     Text
	Tags        []Text
	Created     Text
	Modified    Text
	// Stakeholders are the people behind the capability.
	Stakeholders []Stakeholder
}

// Stakeholder is a person who answers for the capability.
type Stakeholder struct {
	Span     diag.Span
	Role     Text
	FullName Text
	Email    Text
}

// Bind declares a namespace of named values.
type Bind struct {
	Span        diag.Span
	Namespace   Text
	Description Text
	// Location is where the values come from; absent means the environment.
	Location Text
	// Keys maps a variable (Name) to the key at the source (Value).
	Keys []Entry
	// Import is set when the entry stands for another file's.
	Import *Import
}

// Entry is one pair of a mapping from name to scalar.
type Entry struct {
	Name  Text
	Value Text
	// Tag says how YAML read the value, as in [Node]: it tells the number 5
	// from the text '5'.
	Tag string
	// Data is set for a value of with that is a list or a mapping.
	Data *Node
}

// Consumes is an HTTP API that the capability calls.
type Consumes struct {
	Span        diag.Span
	Namespace   Text
	Type        Text
	BaseURI     Text
	Description Text
	Inputs      []Parameter
	// Headers are fixed headers of every call (an unofficial form of Inputs).
	Headers        []Entry
	Authentication *Authentication
	Resources      []ConsumedResource
	// Tunnel is the transport under the API; only placed so far.
	Tunnel *Node
	// Import is set when the entry stands for another file's. Namespace is then
	// the alias or, without one, the name at the source.
	Import *Import
}

// Import names something declared in another file.
type Import struct {
	Span      diag.Span
	Location  Text
	Namespace Text
	As        Text
}

// ConsumedResource is a path of a consumed API.
type ConsumedResource struct {
	Span        diag.Span
	Name        Text
	Label       Text
	Description Text
	Tags        []Text
	Path        Text
	Inputs      []Parameter
	Operations  []ConsumedOperation
}

// ConsumedOperation is one method on a resource.
type ConsumedOperation struct {
	Span        diag.Span
	Name        Text
	Label       Text
	Description Text
	Tags        []Text
	Method      Text
	// Path is an unofficial addition or replacement of the resource's path.
	Path            Text
	Inputs          []Parameter
	Outputs         []Output
	OutputRawFormat Text
	OutputSchema    Text
	OutputMediaType Text
	MaxBinarySize   Text
	Body            *Body
}

// Parameter is an input of a consumed or exposed operation, of a tool or of a
// prompt.
type Parameter struct {
	Span diag.Span
	Name Text
	// Label is the display name of a prompt's argument.
	Label       Text
	In          Text
	Type        Text
	Description Text
	Required    Bool
	// Value is a fixed value, a template, or a JSONPath into the body.
	Value   Text
	Mapping Text
	Pattern Text
	Default Text
	Enum    []Text
	Items   *Parameter
	// Properties are the named parts of an object parameter.
	Properties []Parameter
	// Header mirrors a tool argument into a request header (x-mcp-header).
	Header Text
}

// Body is the request body that a consumed operation declares.
type Body struct {
	Span diag.Span
	// Type is json, text, xml, sparql, formUrlEncoded, multipartForm or what
	// older files say for them; absent for a plain string.
	Type Text
	Data Node
}

// Node is a YAML value whose structure belongs to the user: request body data,
// raw schemas. Scalars keep their place and their YAML type.
type Node struct {
	Span diag.Span
	Kind NodeKind
	// Text is the scalar's text; Tag says how YAML resolved it.
	Text Text
	Tag  string
	// Members are the pairs of a mapping in order; Elements those of a sequence.
	Members  []NodeMember
	Elements []Node
}

// NodeMember is one pair of a mapping.
type NodeMember struct {
	Name  Text
	Value Node
}

// NodeKind is the YAML kind of a [Node].
type NodeKind uint8

// The node kinds; the zero Node is absent.
const (
	NoNode NodeKind = iota
	Scalar
	Mapping
	Sequence
)

// Authentication is a scheme with its fields as they were written. It is used
// on both sides: to sign consumed calls and to verify exposed ones.
type Authentication struct {
	Span diag.Span
	Type Text
	// Username and Password belong to basic and digest.
	Username Text
	Password Text
	// Token belongs to bearer.
	Token Text
	// Key, Value and Placement belong to apikey; Key is the header's or
	// parameter's name.
	Key       Text
	Value     Text
	Placement Text
	// Headers are the further headers of an apikey that is written as a map of
	// several; the first one is Key and Value.
	Headers []Entry
	// Other holds the remaining fields of schemes not run yet, by name. A list
	// is one entry for each element, a nested field has a dotted name.
	Other []Entry
}

// Output shapes an answer: of a consumed operation, an exposed one or a mock.
type Output struct {
	Span        diag.Span
	Name        Text
	Type        Text
	Description Text
	// Value is a JSONPath (consumed), a fixed text or a template.
	Value Text
	// Mapping is a JSONPath or, in some files, a template.
	Mapping    Text
	Properties []Output
	Items      *Output
	// HasProperties tells an empty properties from an absent one.
	HasProperties bool
	MaxLength     Int
}

// Exposes is an adapter that the capability offers.
type Exposes struct {
	Span           diag.Span
	Type           Text
	Namespace      Text
	Description    Text
	Address        Text
	Port           Int
	Transport      Text
	Authentication *Authentication
	Inputs         []Parameter
	// Resources belong to type rest.
	Resources []ExposedResource
	// Tools, MCPResources and Prompts belong to type mcp.
	Tools        []Tool
	MCPResources []MCPResource
	Prompts      []Prompt
	// Skills belong to type skill; they are only placed, not read, so far. The
	// key of the keyed form is the member "name".
	Skills []Node
	// Control is the whole adapter of type control; only placed so far.
	Control Node
	Import  *Import
	// TTL and CacheScope are the MCP caching hints of later revisions.
	TTL        Int
	CacheScope Text
	// MaxBinarySize bounds binary answers, as in "10MiB".
	MaxBinarySize Text
}

// ExposedResource is a path of a REST adapter.
type ExposedResource struct {
	Span        diag.Span
	Path        Text
	Name        Text
	Label       Text
	Description Text
	Tags        []Text
	Inputs      []Parameter
	Operations  []ExposedOperation
	Forward     *Node
}

// ExposedOperation is one method on an exposed path.
type ExposedOperation struct {
	Span        diag.Span
	Method      Text
	Name        Text
	Label       Text
	Description Text
	Tags        []Text
	Inputs      []Parameter
	Run         Run
	// Responses and ResponseBinary document the answers; only placed so far.
	Responses      *Node
	ResponseBinary *Node
}

// Run is what an exposed operation, a tool, a dynamic resource or an aggregate
// function does: exactly one of Ref, Call, Steps or mock outputs.
type Run struct {
	Ref      Text
	Call     Text
	With     []Entry
	HasWith  bool
	Steps    []Step
	Mappings []StepMapping
	Outputs  []Output
	// Flow is the key of a description of the run that no version of the format
	// has: workflow or orchestration.
	Flow Text
}

// Step is one part of an orchestrated run.
type Step struct {
	Span    diag.Span
	Type    Text
	Name    Text
	Call    Text
	With    []Entry
	HasWith bool
	// Rest holds the fields of lookup and script steps, by name.
	Rest []NodeMember
}

// StepMapping puts a step's value into the result.
type StepMapping struct {
	Span   diag.Span
	Target Text
	Value  Text
}

// Tool is an MCP tool.
type Tool struct {
	Span        diag.Span
	Name        Text
	Label       Text
	Description Text
	Tags        []Text
	Inputs      []Parameter
	Hints       Hints
	Run         Run
	// InputSchema is a raw JSON Schema (an extension of the format).
	InputSchema *Node
	// Content is a list of content blocks (an extension of the format).
	Content *Node
	// RequiresClientCapabilities is an extension of the format.
	RequiresClientCapabilities []Text
}

// Hints are the MCP annotations that the file states; absent ones are not sent.
type Hints struct {
	Span        diag.Span
	ReadOnly    Bool
	Destructive Bool
	Idempotent  Bool
	OpenWorld   Bool
}

// MCPResource is an MCP resource or, with placeholders in URI, a template.
type MCPResource struct {
	Span        diag.Span
	Name        Text
	Label       Text
	Description Text
	Tags        []Text
	URI         Text
	MimeType    Text
	Location    Text
	Binary      Bool
	Run         Run
}

// Prompt is an MCP prompt.
type Prompt struct {
	Span        diag.Span
	Name        Text
	Label       Text
	Description Text
	Arguments   []Parameter
	// Template holds the messages; Location a file instead.
	Template []PromptMessage
	Location Text
}

// PromptMessage is one message of an inline prompt.
type PromptMessage struct {
	Span    diag.Span
	Role    Text
	Content Node
}

// Aggregate is a named group of reusable functions.
type Aggregate struct {
	Span        diag.Span
	Namespace   Text
	Label       Text
	Description Text
	Functions   []Function
	Import      *Import
}

// Function is a reusable run of an aggregate.
type Function struct {
	Span            diag.Span
	Name            Text
	Label           Text
	Description     Text
	Tags            []Text
	Inputs          []Parameter
	Safe            Bool
	Idempotent      Bool
	Cacheable       Bool
	OutputMediaType Text
	Run             Run
}
