package page

import (
	"cmp"
	"fmt"
	"net/url"
	"path"
	"strings"

	"patchbay/internal/diag"
	"patchbay/internal/expose/rest"
	"patchbay/internal/plan"
)

// overviewView is the page for people.
type overviewView struct {
	Label, Description, Version string
	Namespace, BaseURL          string
	Sandbox                     bool
	Guard                       guard
	Upstreams                   []upstreamView
	Operations                  []operationView
	// More counts the operations that are not listed.
	More     int
	Adapters []adapterView
	Disabled []disabledView
	File     string
	Lines    []string
	// Cut reports that the file is longer than what is shown.
	Cut                               bool
	OpenAPI, Problems, CapabilityFile string
	Mount                             string
	// Catalogue is the page of all adapters, "" where there are no others.
	Catalogue string
}

type upstreamView struct{ Namespace, Address, Auth string }

type disabledView struct{ Kind, Name, Reason string }

type operationView struct {
	ID, Name, Method, Path, Summary, Description string
	// Safe reports that nothing changes upstream.
	Safe   bool
	Calls  []string
	Fields []*field
	Body   *bodyView
	Curl   string
}

type bodyView struct {
	ID, Description, Example, Schema string
	Required                         bool
	Properties                       []property
}

// maxListed bounds the operations, and the tools of an adapter, that the page
// lists; the description has them all.
const maxListed = 300

// viewer makes the views.
type viewer struct {
	info     *Info
	examples map[string]string
	ids      map[string]bool
}

func overview(info *Info, file []byte) (rest.Page, error) {
	v := &viewer{info: info, examples: map[string]string{}, ids: map[string]bool{}}
	for name, value := range info.Examples {
		v.examples[diag.Fold(name)] = value
	}
	p := info.Bound.Plan
	view := overviewView{
		Label: labelOf(info), Description: cmp.Or(p.Document.Info.Description.Value, info.Adapter.Description), Version: info.Version,
		Namespace: info.Adapter.Namespace, BaseURL: strings.TrimRight(info.BaseURL, "/"), Sandbox: info.Sandbox,
		Guard: shownGuard(info.guards()), File: path.Base(p.Document.File),
		OpenAPI: info.Directory + path.Base(descriptionPath), Problems: problemsPath, CapabilityFile: info.Directory + path.Base(capabilityPath),
		Mount: info.Mount,
	}
	if info.Directory != Root {
		view.Catalogue = Root
	}
	for _, u := range p.Upstreams {
		view.Upstreams = append(view.Upstreams, upstreamView{u.Namespace, address(u), u.Auth()})
	}
	view.Operations = v.operations()
	view.More = len(info.Adapter.Operations) - len(view.Operations)
	view.Adapters = v.adapters()
	for _, d := range p.Disabled {
		view.Disabled = append(view.Disabled, disabledView{d.Kind, d.Name, d.Reason})
	}
	view.Lines, view.Cut = numbered(file)
	return render("overview", overviewTemplate, &view, true)
}

func labelOf(info *Info) string {
	return cmp.Or(info.Bound.Plan.Document.Info.Label.Value, info.Adapter.Namespace)
}

// address is an upstream's address as the file has it, without credentials.
func address(u *plan.Upstream) string {
	parsed, err := url.Parse(u.BaseURI)
	if err != nil || parsed.User == nil {
		return u.BaseURI
	}
	parsed.User = nil
	return parsed.String()
}

// numbered splits a file into lines, as many as a page can carry.
func numbered(file []byte) (lines []string, cut bool) {
	const most = 256 << 10
	text := string(file)
	if len(text) > most {
		text, cut = strings.ToValidUTF8(text[:most], ""), true
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n"), cut
}

func (v *viewer) operations() []operationView {
	var out []operationView
	listed := v.info.Adapter.Operations
	for _, op := range listed[:min(len(listed), maxListed)] {
		_, item := newPathItem(v.info.Mount + op.Path)
		id := unique("op-"+operationID(op.Name), v.ids)
		o := operationView{
			ID: id, Name: op.Name, Method: op.Method, Path: item.template, Summary: summary(op.Operation), Description: unlessSaid(describe(op.Operation), summary(op.Operation)),
			Safe: op.Safe(), Calls: callLines(op.Operation), Fields: v.fields(item, op, id),
		}
		request := call{method: op.Method, base: strings.TrimRight(v.info.BaseURL, "/"), path: item.template, fields: o.Fields, guard: shownGuard(v.info.guards())}
		if b := bodyOf(op.Operation); b != nil {
			o.Body = newBodyView(b, id)
			request.body = o.Body.Example
		}
		o.Curl = request.curl()
		out = append(out, o)
	}
	return out
}

// unlessSaid is a description, unless it only repeats the summary beside it.
func unlessSaid(text, said string) string {
	if strings.TrimSuffix(text, ".") == said {
		return ""
	}
	return text
}

func newBodyView(b *body, id string) *bodyView {
	out := &bodyView{ID: id + ":body", Description: b.description, Required: b.required, Schema: indented(&b.schema), Properties: propertiesOf(&b.schema, 1)}
	if b.example != nil {
		out.Example = indented(b.example)
	} else {
		start := skeleton(&b.schema, 1)
		out.Example = indented(&start)
	}
	return out
}

// callLines says what an operation calls.
func callLines(op *plan.Operation) []string {
	var out []string
	for _, c := range op.Calls() {
		line := fmt.Sprintf("%s %s%s", c.Method, strings.TrimRight(address(c.Upstream), "/"), c.Path)
		if c.Body != "" {
			line += " as " + c.Body
		}
		out = append(out, line)
	}
	return out
}
