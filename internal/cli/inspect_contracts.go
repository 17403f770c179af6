package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"patchbay/internal/contract"
	"patchbay/internal/engine"
	"patchbay/internal/plan"
)

// contractsView is what inspect --contracts shows. The JSON form is stable.
type contractsView struct {
	Documents []documentView     `json:"documents"`
	Files     []contractFileView `json:"files"`
	// Operations counts the operations that are called, Joined those that a
	// document describes, Conflicts those about which documents disagree, and
	// Elsewhere those that documents have at another server.
	Operations int `json:"operations"`
	Joined     int `json:"joined"`
	Conflicts  int `json:"conflicts"`
	Elsewhere  int `json:"elsewhere"`
}

type documentView struct {
	Document   string `json:"document"`
	OpenAPI    string `json:"openapi"`
	Operations int    `json:"operations"`
	Joined     int    `json:"joined"`
}

type contractFileView struct {
	File      string                 `json:"file"`
	Label     string                 `json:"label"`
	Upstreams []contractUpstreamView `json:"upstreams"`
}

type contractUpstreamView struct {
	Namespace  string         `json:"namespace"`
	BaseURI    string         `json:"baseUri"`
	Operations []contractView `json:"operations"`
}

type contractView struct {
	Name      string              `json:"name"`
	Method    string              `json:"method"`
	Path      string              `json:"path"`
	Place     string              `json:"place"`
	Contract  *joinView           `json:"contract,omitempty"`
	Inputs    []contractInputView `json:"inputs,omitempty"`
	Body      *contractBodyView   `json:"body,omitempty"`
	Answers   []answerView        `json:"answers,omitempty"`
	Conflicts []conflictView      `json:"conflicts,omitempty"`
	Near      []nearView          `json:"near,omitempty"`
	Elsewhere *elsewhereView      `json:"elsewhere,omitempty"`
}

type joinView struct {
	Document  string `json:"document"`
	Operation string `json:"operationId,omitempty"`
	Address   string `json:"address"`
}

type contractInputView struct {
	Name     string   `json:"name"`
	In       string   `json:"in"`
	Added    bool     `json:"added,omitempty"`
	Spelled  string   `json:"spelledInFile,omitempty"`
	Type     string   `json:"type,omitempty"`
	Declared string   `json:"declaredType,omitempty"`
	Required bool     `json:"nowRequired,omitempty"`
	Rules    []string `json:"rules,omitempty"`
	Style    string   `json:"style,omitempty"`
}

type contractBodyView struct {
	MediaType string   `json:"mediaType"`
	Otherwise string   `json:"mediaTypeWithoutContract"`
	Added     bool     `json:"added,omitempty"`
	Schema    string   `json:"schema,omitempty"`
	Fields    int      `json:"fields"`
	Required  []string `json:"required,omitempty"`
}

type answerView struct {
	Status string `json:"status"`
	// Schema is what the document calls the answer's shape; JSON reports that
	// it describes one at all.
	Schema string `json:"schema,omitempty"`
	JSON   bool   `json:"json"`
}

type conflictView struct {
	Document    string   `json:"document"`
	Differences []string `json:"differences"`
}

type nearView struct {
	Differs   string `json:"differs"`
	Document  string `json:"document"`
	Method    string `json:"method"`
	Address   string `json:"address"`
	Operation string `json:"operationId,omitempty"`
}

type elsewhereView struct {
	BaseURI  string `json:"baseUri"`
	Document string `json:"document"`
	Address  string `json:"address,omitempty"`
}

func viewContracts(loaded *engine.Loaded) *contractsView {
	v := &contractsView{Documents: []documentView{}, Files: []contractFileView{}}
	joined := map[string]map[string]bool{}
	for _, p := range loaded.Plans {
		file := contractFileView{File: p.Document.File, Label: p.Document.Info.Label.Value, Upstreams: []contractUpstreamView{}}
		for _, u := range p.Upstreams {
			up := contractUpstreamView{Namespace: u.Namespace, BaseURI: u.BaseURI, Operations: []contractView{}}
			uses := u.Contracts()
			for i := range uses {
				up.Operations = append(up.Operations, v.operation(&uses[i], joined))
			}
			file.Upstreams = append(file.Upstreams, up)
		}
		v.Files = append(v.Files, file)
	}
	for _, d := range loaded.Contracts {
		v.Documents = append(v.Documents, documentView{Document: d.Name, OpenAPI: d.Version, Operations: d.Operations, Joined: len(joined[d.Name])})
	}
	return v
}

// operation counts an operation and returns its view. Two files may join the
// same operation of a document, which counts there once.
func (v *contractsView) operation(use *plan.ContractUse, joined map[string]map[string]bool) contractView {
	out := contractView{Name: use.Name, Method: use.Method, Path: use.Path, Place: use.Span.String()}
	v.Operations++
	if use.Server != "" {
		v.Elsewhere++
		out.Elsewhere = &elsewhereView{BaseURI: use.Server, Document: use.ServerDocument, Address: use.ServerAddress}
	}
	for _, m := range use.Near {
		out.Near = append(out.Near, nearView{Differs: m.Kind.String(), Document: m.Document, Method: m.Method, Address: m.Address, Operation: m.ID})
	}
	c := use.Contract
	if c == nil {
		return out
	}
	v.Joined++
	if joined[c.Document] == nil {
		joined[c.Document] = map[string]bool{}
	}
	joined[c.Document][use.Method+" "+c.Address] = true
	out.Contract = &joinView{Document: c.Document, Operation: c.ID, Address: c.Address}
	for _, in := range use.Inputs {
		out.Inputs = append(out.Inputs, contractInputView(in))
	}
	if b := use.Body; b != nil {
		out.Body = &contractBodyView{MediaType: b.MediaType, Otherwise: b.Otherwise, Added: b.Added, Schema: b.Schema, Fields: b.Fields, Required: b.Required}
	}
	out.Answers = viewAnswers(c)
	if len(c.Conflicts) > 0 {
		v.Conflicts++
	}
	for _, conflict := range c.Conflicts {
		out.Conflicts = append(out.Conflicts, conflictView(conflict))
	}
	return out
}

func viewAnswers(c *contract.Operation) []answerView {
	var out []answerView
	answers := c.Answers()
	for i := range answers {
		a := &answers[i]
		out = append(out, answerView{Status: a.Status, Schema: a.Name, JSON: a.Schema != nil})
	}
	return out
}

func (v *contractsView) print(w io.Writer) error {
	for i := range v.Files {
		f := &v.Files[i]
		fmt.Fprintf(w, "%s: %s\n", f.File, f.Label)
		for _, u := range f.Upstreams {
			fmt.Fprintf(w, "\nconsumes %s at %s\n", u.Namespace, u.BaseURI)
			for j := range u.Operations {
				u.Operations[j].print(w)
			}
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, "contracts")
	t := tabwriter.NewWriter(w, 2, 0, 2, ' ', 0)
	for _, d := range v.Documents {
		fmt.Fprintf(t, "  %s\tOpenAPI %s\t%d of %s joined\n", d.Document, d.OpenAPI, d.Joined, counted(d.Operations, "operation"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%d of %s joined", v.Joined, counted(v.Operations, "operation"))
	if v.Conflicts > 0 {
		fmt.Fprintf(w, ", documents disagree about %d", v.Conflicts)
	}
	if v.Elsewhere > 0 {
		fmt.Fprintf(w, ", documents have %d at another server", v.Elsewhere)
	}
	fmt.Fprintln(w)
	return nil
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (v *contractView) print(w io.Writer) {
	fmt.Fprintf(w, "  %s %s  (%s)\n", v.Method, v.Path, v.Name)
	if c := v.Contract; c != nil {
		fmt.Fprintf(w, "    joined    %s: %s\n", c.Document, strings.TrimSpace(c.Operation+" "+c.Address))
	} else {
		fmt.Fprintln(w, "    not joined")
	}
	for i := range v.Inputs {
		v.Inputs[i].print(w)
	}
	if v.Body != nil {
		v.Body.print(w)
	}
	if len(v.Answers) > 0 {
		texts := make([]string, len(v.Answers))
		for i, a := range v.Answers {
			texts[i] = a.text()
		}
		fmt.Fprintf(w, "    answers   %s\n", strings.Join(texts, ", "))
	}
	for _, c := range v.Conflicts {
		fmt.Fprintf(w, "    conflict  the second is %s: %s\n", c.Document, strings.Join(c.Differences, "; "))
	}
	for _, n := range v.Near {
		fmt.Fprintf(w, "    near      %s: %s %s (%s)\n", n.Document, n.Method, n.Address, n.Differs)
	}
	if e := v.Elsewhere; e != nil {
		without := ""
		if e.Address == "" {
			without = ", without this operation"
		}
		fmt.Fprintf(w, "    server    %s has this API at %s%s\n", e.Document, e.BaseURI, without)
	}
}

func (v *contractInputView) print(w io.Writer) {
	var facts []string
	if v.Added {
		facts = append(facts, "added")
	}
	if v.Spelled != "" {
		facts = append(facts, fmt.Sprintf("spelled %s in the file", v.Spelled))
	}
	switch {
	case v.Type != "" && v.Declared != "" && v.Type != v.Declared:
		facts = append(facts, fmt.Sprintf("%s instead of %s", v.Type, v.Declared))
	case v.Type != "":
		facts = append(facts, v.Type)
	}
	if v.Required {
		facts = append(facts, "required")
	}
	facts = append(facts, v.Rules...)
	if v.Style != "" {
		facts = append(facts, v.Style)
	}
	fmt.Fprintf(w, "    %-9s %s: %s\n", v.In, v.Name, strings.Join(facts, ", "))
}

func (v *contractBodyView) print(w io.Writer) {
	fmt.Fprintf(w, "    body      %s", v.MediaType)
	if v.Otherwise != v.MediaType {
		fmt.Fprintf(w, " instead of %s", v.Otherwise)
	}
	if v.Added {
		fmt.Fprint(w, ", added")
	}
	if v.Schema != "" {
		fmt.Fprintf(w, ", schema %s", v.Schema)
	}
	if v.Fields > 0 {
		fmt.Fprintf(w, ", %s", counted(v.Fields, "field"))
	}
	if len(v.Required) > 0 {
		fmt.Fprintf(w, ", required %s", strings.Join(v.Required, " "))
	}
	fmt.Fprintln(w)
}

func (a *answerView) text() string {
	switch {
	case a.Schema != "":
		return a.Status + " " + a.Schema
	case a.JSON:
		return a.Status
	case a.Status == "204" || a.Status == "304":
		return a.Status + " without body"
	default:
		return a.Status + " without JSON"
	}
}
