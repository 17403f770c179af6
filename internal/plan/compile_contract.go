package plan

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"patchbay/internal/auth"
	"patchbay/internal/contract"
	"patchbay/internal/diag"
	"patchbay/internal/openapi"
	"patchbay/internal/spec"
	"patchbay/internal/template"
	"patchbay/internal/upstream"
)

// ContractFindings are what keeps operations of a document from being joined
// with any capability.
func ContractFindings(d *openapi.Document) diag.List {
	var out diag.List
	at := diag.Span{File: d.Name}
	for _, p := range d.Problems {
		out.Notef(CodeContract, at, "%s cannot be used: %s", d.Name, p)
	}
	if contract.Placeless(d) {
		out.Warnf(CodeContractPlaceless, at, "no server of this contract has a host, so that none of its operations can be joined").
			WithHint("give it the address that the capability has as baseUri: servers: [{url: 'https://…'}]")
	}
	return out
}

// join looks for the contract of an operation, and says what of it cannot be
// used and what other documents say otherwise.
func (c *compiler) join(op *consumed, path string) {
	found, problems := c.opts.Contracts.Join(op.method, op.upstream.BaseURI, path)
	for _, p := range problems {
		if !c.contractNotes[p] {
			c.contractNotes[p] = true
			c.diags.Notef(CodeContract, op.span, "%s", p)
		}
	}
	if found == nil {
		op.near = c.opts.Contracts.Near(op.method, op.upstream.BaseURI, path)
		return
	}
	op.contract = found
	for _, conflict := range found.Conflicts {
		c.diags.Notef(CodeContractConflict, op.span, "%s and %s disagree about %s %s: %s", found.Document, conflict.Document,
			op.method, op.path, strings.Join(conflict.Differences, "; ")).
			WithHint("%s holds, because it comes first; give the documents in another order to change that", found.Document)
	}
}

// contradictions reports the operations of an API whose server the contracts
// contradict. An API on the machine itself is a copy for a developer, of which
// no contract speaks.
func (c *compiler) contradictions(u *Upstream, address spec.Text) {
	if base, err := url.Parse(u.BaseURI); err == nil && upstream.IsLoopback(base.Hostname()) {
		return
	}
	asked := make([]contract.Asked, len(u.operations))
	for i, op := range u.operations {
		path, _, _ := strings.Cut(op.path, "?")
		asked[i] = contract.Asked{Method: op.method, Path: path, Joined: op.contract}
	}
	about := u.Namespace + " " + c.doc.Info.Label.Value
	there, ok := c.opts.Contracts.Elsewhere(u.BaseURI, about, asked)
	if !ok {
		return
	}
	for i, op := range u.operations {
		at := there.At[i]
		if at.Document == "" {
			at.Document = there.Document
		}
		op.elsewhere = &contractServer{baseURI: there.BaseURI, document: at.Document, address: at.Address}
		d := c.diags.Warnf(CodeContractServer, op.span, "%s has %s %s at %s, not at %s", at.Document, op.method, op.path, there.BaseURI, u.BaseURI)
		if at.Address == "" {
			d.Message = fmt.Sprintf("%s has the API of %s %s at %s, not at %s, and this operation nowhere", at.Document, op.method, op.path, there.BaseURI, u.BaseURI)
		}
		d.WithRelated(address.Span, "the address is given here").
			WithHint("correct baseUri, or send the calls there: --upstream %s=%s", u.Namespace, there.BaseURI)
	}
}

// contractServer is where the contracts have an operation that the file has at
// another server.
type contractServer struct {
	baseURI, document string
	// address is "" where the document has the API there, not the operation.
	address string
}

// contractParameters attaches what the contract says about declared
// parameters, and adds those that the file lost: what stands in the query,
// headers that are a caller's to set, and cookies without which there is no
// answer.
func (c *compiler) contractParameters(op *consumed) {
	if op.contract == nil {
		return
	}
	for i := range op.params {
		p := &op.params[i]
		switch p.in {
		case inQuery:
			p.contract = contract.Named(op.contract.Query, p.name)
		case inHeader:
			p.contract = contract.Named(op.contract.Header, p.name)
		case inCookie:
			p.contract = contract.Named(op.contract.Cookie, p.name)
		}
		if p.contract != nil && p.in != inPath {
			p.style, p.required = p.contract.Style, p.required || p.contract.Required
			if p.in == inQuery || p.in == inHeader && callersHeader(p.contract) {
				p.name = p.contract.Name // on the wire, the provider's spelling counts
			}
		}
	}
	c.addParameters(op, inQuery, op.contract.Query)
	c.addParameters(op, inHeader, slices.DeleteFunc(slices.Clone(op.contract.Header), func(p *contract.Param) bool { return !callersHeader(p) }))
	c.addParameters(op, inCookie, slices.DeleteFunc(slices.Clone(op.contract.Cookie), func(p *contract.Param) bool { return !p.Required }))
}

// callersHeader reports whether a header that a contract describes can be given
// by a caller.
func callersHeader(p *contract.Param) bool { return headerName(p.Name) && !reservedHeader(p.Name) }

func (c *compiler) addParameters(op *consumed, place in, list []*contract.Param) {
	for _, p := range list {
		if op.upstream.auth.sets(place, p.Name) || slices.ContainsFunc(op.params, func(have param) bool { return have.contract == p }) {
			continue
		}
		op.params = append(op.params, param{name: p.Name, in: place, required: p.Required, style: p.Style, contract: p, span: op.span})
	}
}

// sets reports whether the signer sets a parameter: documents list keys among
// the parameters too, and callers must not be asked for them.
func (a *authentication) sets(place in, name string) bool {
	if a == nil || a.scheme != "apikey" || a.name == nil || len(a.name.Slots()) > 0 {
		return false
	}
	key, _ := a.name.Append(nil, nil, template.None)
	switch a.place {
	case auth.InQuery:
		return place == inQuery && string(key) == name
	case auth.InCookie:
		return place == inCookie && string(key) == name
	default:
		return place == inHeader && strings.EqualFold(string(key), name)
	}
}
