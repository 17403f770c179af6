// Package plan compiles a capability document into operations and runs them.
// It is the waist of the gateway: adapters above turn their wire into an
// operation's inputs and its output back into their wire; package upstream
// below performs the HTTP calls.
//
// Compiling is pure: it reads no environment and opens no connection. In a
// [Plan] every name is already a pointer or an index, every template, path,
// schema and route compiled. [Bind] adds the operator's values and gives a
// [Bound] plan, which runs. Both are immutable and safe for concurrent use.
package plan

import (
	"time"

	"patchbay/internal/auth"
	"patchbay/internal/contract"
	"patchbay/internal/diag"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/profile"
	"patchbay/internal/schema"
	"patchbay/internal/spec"
	"patchbay/internal/template"
	"patchbay/internal/wire"
)

// Plan is a compiled capability.
type Plan struct {
	// Document is the head of the file. The rest of it is compiled and not kept:
	// it would be most of what a plan takes.
	Document  *spec.Header
	Upstreams []*Upstream
	REST      []*RESTAdapter
	MCP       []*MCPAdapter
	// Variables are the named values that the capability reads, in the order
	// in which the compiler met them; bound texts count on it.
	Variables []*Variable
	// Disabled lists what the document declares and this version cannot run.
	Disabled []Disabled
}

// Disabled is one operation or adapter that does not run, and why.
type Disabled struct {
	Kind   string
	Name   string
	Reason string
	Span   diag.Span
}

// Variable is a value that comes from the operator.
type Variable struct {
	Namespace, Name string
	// Key is the name at the source: the environment variable, or the key in
	// the file at Location.
	Key      string
	Location string
	// Declared reports whether `binds` names the variable.
	Declared bool
	// Span is the place of its first use.
	Span diag.Span
	// Hosts are where its value is sent to, each once; "" stands for an address
	// that the file leaves to variables or to the operator.
	Hosts []string
	// Inbound reports that the value opens one of our own adapters.
	Inbound bool
}

// Upstream is a consumed API.
type Upstream struct {
	Namespace   string
	Description string
	// BaseURI is the address as the file has it; base is compiled from it.
	BaseURI string
	Host    string
	Profile *profile.Profile
	Span    diag.Span

	// at is the index among the plan's upstreams.
	at   int
	base *template.Bound
	// prefix leads the path of every operation: the end of a base address that
	// has a placeholder for the API key.
	prefix string
	// signed reports that the file has an authentication.
	signed     bool
	auth       *authentication
	operations []*consumed
}

// Auth names the scheme with which calls are signed, or "".
func (u *Upstream) Auth() string {
	if u.auth == nil {
		return ""
	}
	return u.auth.scheme
}

// authentication is a scheme whose fields are templates over the variables.
type authentication struct {
	scheme                                 string
	username, password, token, name, value *template.Bound
	place                                  auth.Placement
	// more are further headers of an API key.
	more []keyHeader
	// key is the API key as the file gives it, for a path.
	key  spec.Text
	span diag.Span
}

// keyHeader is a header of an API key beside the first one.
type keyHeader struct{ name, value *template.Bound }

// consumed is a compiled upstream operation. Its arguments are numbered.
type consumed struct {
	upstream *Upstream
	name     string
	method   string
	// path is the path as the file spells it; the segments are its compiled
	// form over the arguments, and query a fixed query string that it carried.
	path   string
	target *template.Bound
	query  string
	params []param
	body   requestBody
	// accept and fixedMedia are fixed values of the headers Accept and
	// Content-Type that the file gives, "" for none.
	accept     []string
	fixedMedia string
	// ignored are the declared parameters that no caller gives.
	ignored  []string
	contract *contract.Operation
	// near are operations of contracts that are nearly this one, where none
	// is; elsewhere is another server at which contracts have it.
	near      []contract.Miss
	elsewhere *contractServer
	// binary reports that answers are bytes of some media type, mediaType that
	// the file says which.
	binary    bool
	mediaType string
	// outputs name the parts of the answer that later steps see; compiled when
	// a step calls the operation.
	outputs []property
	// declared is what the operation is compiled from, gone afterwards.
	declared    *spec.ConsumedOperation
	description string
	label       string
	span        diag.Span
	// disabled says why the operation does not run; broken, that an error does.
	disabled string
	broken   bool
}

// in is where an argument travels.
type in uint8

const (
	inPath in = iota
	inQuery
	inHeader
	inCookie
	inBody
	// inTemplate is an argument of which the declared body is made.
	inTemplate
	inNowhere
)

// param is one argument of an upstream operation.
type param struct {
	name     string
	in       in
	required bool
	style    wire.QueryStyle
	// declared is what the argument is compiled from, nil where the file does
	// not declare it, and gone after compiling; told is what is left of it.
	declared *spec.Parameter
	told     *declaration
	// fixed is a value that the file gives, over variables and arguments.
	fixed *template.Template
	// credential reports that the fixed value is an API key.
	credential bool
	// bytes reports that the value stands for bytes; note says how it is given.
	bytes    bool
	note     string
	contract *contract.Param
	span     diag.Span
}

// declaration is what the file says about an argument that a contract knows
// too.
type declaration struct {
	name, kind string
	required   bool
}

// RESTAdapter is a compiled REST adapter.
type RESTAdapter struct {
	Namespace   string
	Description string
	Address     string
	Port        int
	Span        diag.Span
	// Operations are the routed operations in the document's order.
	Operations []*RESTOperation

	auth *authentication
}

// RESTOperation is an operation at a method and path.
type RESTOperation struct {
	*Operation
	Method string
	Path   string
	// PathInputs holds, for each placeholder of the path, the index of its
	// input; -1 where nothing uses the value.
	PathInputs []int
	// PathNames are the placeholders' names.
	PathNames []string
	// Resource is the name of the operation's resource, ResourceText what the
	// file says about that.
	Resource, ResourceText string
	Tags                   []string
}

// MCPAdapter is a compiled MCP adapter.
type MCPAdapter struct {
	Namespace   string
	Description string
	Address     string
	Port        int
	// Stdio reports that the file wants this adapter on standard input and output.
	Stdio     bool
	Span      diag.Span
	Tools     []*Tool
	Resources []*Resource
	Prompts   []*Prompt
	// TTL and CacheScope are the caching hints of the lists.
	TTL        time.Duration
	CacheScope string

	auth *authentication
}

// Tool is an operation that agents call by name.
type Tool struct {
	*Operation
	// Hints are the annotations that the file states; nil ones are not sent.
	ReadOnly, Destructive, Idempotent, OpenWorld *bool
	// Tags are those of the document and the tool's own.
	Tags                       []string
	RequiresClientCapabilities []string
	// RawSchema is an input schema that the file spells out, or absent.
	RawSchema jsonvalue.Value
	// Content are blocks that the file spells out; they are the tool's result.
	Content []Block
}

// Operation is what runs: inputs in, calls, an output. Adapters share its form.
type Operation struct {
	// Name is the exposed name, unique within its adapter.
	Name        string
	Label       string
	Description string
	Span        diag.Span
	Inputs      []Input

	calls  []call
	output *mapping
	// refs are the values of earlier steps that texts and mappings use,
	// assembly the result that is put together from steps; nil where the last
	// answer is the result.
	refs     []stepRef
	assembly *assembly
	// mock is the answer of an operation that calls nothing.
	mock *mock
}

// Location is where a REST caller puts an input.
type Location uint8

// The locations.
const (
	Query Location = iota
	Path
	Header
	Cookie
	// WholeBody is the request body itself, BodyField a member of it.
	WholeBody
	BodyField
)

// String returns OpenAPI's word for the location.
func (l Location) String() string {
	switch l {
	case Path:
		return "path"
	case Header:
		return "header"
	case Cookie:
		return "cookie"
	case WholeBody, BodyField:
		return "body"
	default:
		return "query"
	}
}

// Input is a value that a caller gives.
type Input struct {
	Name        string
	Description string
	Location    Location
	Required    bool
	// Lost reports that the input exists because the upstream path needs a
	// value that the exposed path does not carry.
	Lost bool
	// Schema is the published JSON Schema of the value (2020-12).
	Schema  jsonvalue.Value
	Example *jsonvalue.Value
	Span    diag.Span

	check *schema.Schema
	// repeats reports that several values of one name are an array.
	repeats bool
}

// Repeats reports whether a REST caller may give the input several times.
func (i *Input) Repeats() bool { return i.repeats }

// call is one upstream call of an operation.
type call struct {
	// step is the step's name; "" where the call is the whole operation.
	step string
	to   *consumed
	// sources holds, for each argument, where its value comes from.
	sources []source
	// fields are members of the body beside the arguments.
	fields []bodyField
}

// bodyField is a member of a body that the operation does not declare and the
// call gives all the same; the path leads to it from the body's root.
type bodyField struct {
	path   []string
	source source
}

// source says where an argument's value comes from.
type source struct {
	kind sourceKind
	// input is the index of the caller's input, or of the step's value.
	input   int
	literal jsonvalue.Value
	text    *template.Bound
	// data is a value with parts.
	data *data
}

type sourceKind uint8

const (
	fromNothing sourceKind = iota
	fromInput
	fromLiteral
	fromText
	fromStep
	fromData
)

// CallInfo describes an upstream call for people.
type CallInfo struct {
	// Safe reports that the method changes nothing (RFC 9110 section 9.2.1).
	Safe bool
	// Step is the step's name, "" where the call is the whole operation.
	Step      string
	Upstream  *Upstream
	Operation string
	Method    string
	// Path is the path as the file spells it.
	Path string
	// Body is the media type of the request body, or "".
	Body     string
	Contract *contract.Operation
}

// Calls describes the operation's upstream calls in their order.
func (op *Operation) Calls() []CallInfo {
	out := make([]CallInfo, len(op.calls))
	for i := range op.calls {
		c := op.calls[i].to
		out[i] = CallInfo{Safe: c.safe(), Step: op.calls[i].step, Upstream: c.upstream, Operation: c.name, Method: c.method, Path: c.path, Body: op.calls[i].media(), Contract: c.contract}
	}
	return out
}

// media is the media type of the call's body, "" where it has none.
func (c *call) media() string {
	if c.to.body.implied && len(c.fields) == 0 {
		return ""
	}
	return c.to.body.media
}

// Safe reports whether every upstream method is safe (RFC 9110 section 9.2.1).
func (op *Operation) Safe() bool {
	for i := range op.calls {
		if !op.calls[i].to.safe() {
			return false
		}
	}
	return true
}

func (op *consumed) safe() bool {
	return op.method == "GET" || op.method == "HEAD" || op.method == "OPTIONS"
}

// Contract returns the contract of an operation with a single call, or nil.
func (op *Operation) Contract() *contract.Operation {
	if len(op.calls) != 1 {
		return nil
	}
	return op.calls[0].to.contract
}

// Body returns the index of the input that is the whole body, or -1.
func (op *Operation) Body() int {
	for i := range op.Inputs {
		if op.Inputs[i].Location == WholeBody {
			return i
		}
	}
	return -1
}

// Identity reports whether the answer is the upstream's, unchanged.
func (op *Operation) Identity() bool { return op.output == nil && op.assembly == nil && op.mock == nil }

// Mock reports whether the file itself gives the answer, without any call.
func (op *Operation) Mock() bool { return op.mock != nil }

// Credentials returns the variables from which the credentials of an upstream
// are made, by the scheme's field: username, password, token or value.
func (p *Plan) Credentials(u *Upstream) map[string][]*Variable {
	out := map[string][]*Variable{}
	if u.auth == nil {
		return out
	}
	add := func(field string, text *template.Bound) {
		if text == nil {
			return
		}
		for _, slot := range text.Slots() {
			if slot >= 0 {
				out[field] = append(out[field], p.Variables[slot])
			}
		}
	}
	add("username", u.auth.username)
	add("password", u.auth.password)
	add("token", u.auth.token)
	add("value", u.auth.value)
	for i := range u.auth.more {
		add("value", u.auth.more[i].value)
	}
	return out
}
