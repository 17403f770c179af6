package plan

import (
	"strings"

	"patchbay/internal/contract"
	"patchbay/internal/diag"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/wire"
)

// ContractUse is what the contracts know about one consumed operation, and what
// of it comes from them. It is for people; calls do not look at it.
type ContractUse struct {
	Name, Method, Path string
	Span               diag.Span
	// Contract is nil where no document describes the operation; Near then
	// holds operations that are nearly it.
	Contract *contract.Operation
	Near     []contract.Miss
	Inputs   []ContractInput
	Body     *ContractBody
	// Server is the base address at which a document has the operation's API,
	// in contradiction to the file; "" where none does. ServerDocument is the
	// document, ServerAddress where it has the operation, "" if nowhere.
	Server, ServerDocument, ServerAddress string
}

// ContractInput is an argument about which the contract says something.
type ContractInput struct {
	Name, In string
	// Added reports that the file does not have the argument, Spelled how the
	// file spells the name, where that differs.
	Added   bool
	Spelled string
	// Type is the contract's, Declared the file's; either may be "".
	Type, Declared string
	// Required reports that the contract demands the argument and the file does
	// not.
	Required bool
	// Rules are the keywords that restrict the value, such as enum or pattern.
	Rules []string
	// Style says how a list or object is written, "" where it is the usual way.
	Style string
}

// ContractBody is a request body that the contract describes.
type ContractBody struct {
	// Added reports that the file does not have a body.
	Added bool
	// MediaType is the contract's, Otherwise what would be sent without it.
	MediaType, Otherwise string
	// Schema is what the document calls the body's schema, or "".
	Schema string
	Fields int
	// Required are the fields without which the body is refused.
	Required []string
}

// Contracts says for each operation of a consumed API what the contracts know
// about it, in the document's order.
func (u *Upstream) Contracts() []ContractUse {
	out := make([]ContractUse, len(u.operations))
	for i, op := range u.operations {
		use := ContractUse{Name: op.name, Method: op.method, Path: op.path, Span: op.span, Contract: op.contract, Near: op.near}
		if op.elsewhere != nil {
			use.Server, use.ServerDocument, use.ServerAddress = op.elsewhere.baseURI, op.elsewhere.document, op.elsewhere.address
		}
		if op.contract != nil {
			use.Inputs, use.Body = op.contractInputs(), op.contractBody()
		}
		out[i] = use
	}
	return out
}

func (op *consumed) contractInputs() []ContractInput {
	var out []ContractInput
	for i := range op.params {
		p := &op.params[i]
		if p.contract == nil {
			continue
		}
		s := op.contract.Input(p.contract)
		in := ContractInput{Name: p.name, In: p.in.name(), Type: typeText(&s), Rules: rules(&s), Added: p.told == nil && p.in != inPath}
		demanded := p.in == inPath
		if d := p.told; d != nil {
			in.Declared, demanded = d.kind, demanded || d.required
			if d.name != p.contract.Name && p.in != inPath {
				in.Spelled = d.name
			}
		}
		in.Required = p.contract.Required && !demanded
		if kind := p.contract.Schema.Types().Names(); len(kind) > 0 && p.in == inQuery {
			in.Style = styleText(p.style, in.Type)
		}
		out = append(out, in)
	}
	return out
}

func (op *consumed) contractBody() *ContractBody {
	b := op.contract.Body
	if b == nil || op.body.media == "" {
		return nil
	}
	out := &ContractBody{
		Added: true, MediaType: b.MediaType, Schema: op.contract.BodyName(),
		Otherwise: op.upstream.Profile.BodyMedia(op.upstream.BaseURI, op.path),
	}
	if out.Otherwise == "" {
		out.Otherwise = wire.MediaJSON
	}
	for i := range op.params {
		if p := &op.params[i]; p.told != nil && p.in == inBody {
			out.Added = false
		}
	}
	for _, p := range b.Schema.Properties() {
		out.Fields++
		if b.Schema.Required(p.Name) {
			out.Required = append(out.Required, p.Name)
		}
	}
	return out
}

func (in in) name() string {
	switch in {
	case inPath:
		return "path"
	case inQuery:
		return "query"
	case inHeader:
		return "header"
	case inCookie:
		return "cookie"
	case inBody:
		return "body"
	default:
		return "nowhere"
	}
}

// styleText names a style that is not the one that everybody expects.
func styleText(s wire.QueryStyle, kind string) string {
	if kind != "array" && kind != "object" {
		return ""
	}
	switch s {
	case wire.FormJoined:
		return "one value, joined by commas"
	case wire.SpaceDelimited:
		return "one value, joined by spaces"
	case wire.PipeDelimited:
		return "one value, joined by |"
	case wire.DeepObject:
		return "name[key]=value"
	case wire.JSONContent:
		return "JSON text"
	default:
		return ""
	}
}

// typeText is the type that a published schema states, or "".
func typeText(s *jsonvalue.Value) string {
	t := s.Get("type")
	if t == nil {
		return ""
	}
	if t.Kind() == jsonvalue.String {
		return t.Text()
	}
	names := make([]string, t.Len())
	for i := range names {
		names[i] = t.Index(i).Text()
	}
	return strings.Join(names, " or ")
}

// rules are the keywords of a published schema that restrict a value, beside
// its type.
func rules(s *jsonvalue.Value) []string {
	var out []string
	for i := range s.Elems() {
		switch name := s.Elems()[i].Name; name {
		case "enum", "const", "pattern", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
			"multipleOf", "minItems", "maxItems", "uniqueItems", "anyOf", "oneOf", "allOf", "not", "if":
			out = append(out, name)
		}
	}
	return out
}
