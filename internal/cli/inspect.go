package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"patchbay/internal/deploy"
	"patchbay/internal/diag"
	"patchbay/internal/engine"
	"patchbay/internal/expose/mcp"
	"patchbay/internal/expose/page"
	"patchbay/internal/plan"
)

func (c *command) inspect() *cobra.Command {
	var format string
	var contracts bool
	cmd := &cobra.Command{
		Use:   "inspect [FILE...]",
		Short: "Show what a capability compiles to",
		Long: `Prints the compiled plan: adapters, routes and tools with their inputs, the
upstream calls they make, and every variable by name with the host that its
value is sent to. Values are never shown, and none is needed.

With --contracts it prints, for each operation that is called, which OpenAPI
document describes it, what the document adds or changes, and where documents
disagree with each other or with the file.`,
		Example: `  patchbay inspect
  patchbay inspect --format json my-capability.yaml
  patchbay inspect --contracts --contract openapi/ my-capability.yaml`,
	}
	f := c.newFlags(cmd)
	cmd.Flags().BoolVar(&contracts, "contracts", false, "show what the contracts say instead: joins, changes, conflicts, what is left")
	cmd.Flags().StringVar(&format, "format", "text", "form of the output: `text|json`")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		a, err := c.compileFor(f, args)
		if err != nil {
			return err
		}
		loaded := a.loaded
		if contracts {
			v := viewContracts(loaded)
			return c.show(format, v, v.print)
		}
		views := make([]planView, 0, len(loaded.Plans))
		for _, p := range loaded.Plans {
			views = append(views, view(p))
		}
		return c.show(format, views, func(w io.Writer) error {
			for i := range views {
				if err := views[i].print(w); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return cmd
}

// show writes a view in the form that was asked for; text writes it for people.
func (c *command) show(format string, v any, text func(io.Writer) error) error {
	switch format {
	case "json":
		enc := json.NewEncoder(c.Out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	case "text":
		return text(printable{c.Out})
	default:
		return wantOneOf("--format", format, "text", "json")
	}
}

// compileFor compiles files, without values, and refuses those with errors.
func (c *command) compileFor(f *flags, files []string) (*attempt, error) {
	d, err := c.decide(f, files, false)
	if err != nil {
		return nil, err
	}
	a, err := compile(d, nil)
	if err != nil {
		return nil, err
	}
	if a.unbound {
		return nil, c.refuse(a)
	}
	return a, nil
}

// planView is a plan as inspect shows it. The JSON form is stable.
type planView struct {
	File      string         `json:"file"`
	Label     string         `json:"label"`
	Upstreams []upstreamView `json:"upstreams"`
	REST      []restView     `json:"rest"`
	MCP       []mcpView      `json:"mcp"`
	Variables []variableView `json:"variables"`
	NotRun    []notRunView   `json:"notRun,omitempty"`
}

type upstreamView struct {
	Namespace string `json:"namespace"`
	BaseURI   string `json:"baseUri"`
	Auth      string `json:"authentication,omitempty"`
	Profile   string `json:"profile,omitempty"`
}

type restView struct {
	Namespace  string          `json:"namespace"`
	Port       int             `json:"port"`
	Operations []operationView `json:"operations"`
}

type mcpView struct {
	Namespace string          `json:"namespace"`
	Port      int             `json:"port,omitempty"`
	Stdio     bool            `json:"stdio,omitempty"`
	Tools     []operationView `json:"tools"`
	Resources []resourceView  `json:"resources,omitempty"`
	Prompts   []promptView    `json:"prompts,omitempty"`
}

type resourceView struct {
	Name      string         `json:"name"`
	URI       string         `json:"uri"`
	Folder    string         `json:"folder,omitempty"`
	Operation *operationView `json:"operation,omitempty"`
}

type promptView struct {
	Name      string   `json:"name"`
	Arguments []string `json:"arguments,omitempty"`
	File      string   `json:"file,omitempty"`
}

type operationView struct {
	Name string `json:"name"`
	// OfferedAs is the name of a tool where hosts do not take its own.
	OfferedAs string      `json:"offeredAs,omitempty"`
	Method    string      `json:"method,omitempty"`
	Path      string      `json:"path,omitempty"`
	Hints     []string    `json:"hints,omitempty"`
	Inputs    []inputView `json:"inputs"`
	Calls     []callView  `json:"calls"`
	Output    string      `json:"output"`
}

type inputView struct {
	Name      string          `json:"name"`
	OfferedAs string          `json:"offeredAs,omitempty"`
	In        string          `json:"in"`
	Required  bool            `json:"required"`
	Schema    json.RawMessage `json:"schema"`
}

type callView struct {
	Step      string `json:"step,omitempty"`
	Upstream  string `json:"upstream"`
	Operation string `json:"operation"`
	Method    string `json:"method"`
	Path      string `json:"path"`
	Body      string `json:"body,omitempty"`
	Contract  string `json:"contract,omitempty"`
}

type variableView struct {
	Name     string `json:"name"`
	Source   string `json:"source"`
	Declared bool   `json:"declared"`
	SentTo   string `json:"sentTo,omitempty"`
	Guards   bool   `json:"guardsAnAdapter,omitempty"`
	Place    string `json:"place"`
}

type notRunView struct {
	Kind   string    `json:"kind"`
	Name   string    `json:"name"`
	Reason string    `json:"reason"`
	Span   diag.Span `json:"span"`
}

func view(p *plan.Plan) planView {
	v := planView{
		File: p.Document.File, Label: p.Document.Info.Label.Value,
		Upstreams: []upstreamView{}, REST: []restView{}, MCP: []mcpView{}, Variables: []variableView{},
	}
	for _, u := range p.Upstreams {
		uv := upstreamView{Namespace: u.Namespace, BaseURI: u.BaseURI, Auth: u.Auth()}
		if u.Profile != nil {
			uv.Profile = u.Profile.Name
		}
		v.Upstreams = append(v.Upstreams, uv)
	}
	for _, a := range p.REST {
		rv := restView{Namespace: a.Namespace, Port: a.Port}
		for _, op := range a.Operations {
			ov := viewOperation(op.Operation)
			ov.Method, ov.Path = op.Method, op.Path
			rv.Operations = append(rv.Operations, ov)
		}
		v.REST = append(v.REST, rv)
	}
	for _, a := range p.MCP {
		mv := mcpView{Namespace: a.Namespace, Port: a.Port, Stdio: a.Stdio}
		offered := mcp.OfferedNames(a)
		for at, t := range a.Tools {
			ov := viewOperation(t.Operation)
			ov.Hints = hints(t)
			if name := offered[at].Tool; name != ov.Name {
				ov.OfferedAs = name
			}
			for i := range ov.Inputs {
				ov.Inputs[i].In = "argument"
				if name := offered[at].Arguments[i]; name != ov.Inputs[i].Name {
					ov.Inputs[i].OfferedAs = name
				}
			}
			if t.Content != nil {
				ov.Output = "content of the file"
			}
			mv.Tools = append(mv.Tools, ov)
		}
		mv.Resources, mv.Prompts = viewResources(a), viewPrompts(a)
		v.MCP = append(v.MCP, mv)
	}
	for _, x := range p.Variables {
		source := "environment variable " + x.Key
		if x.Location != "" {
			source = x.Key + " in " + x.Location
		}
		name := x.Name
		if x.Namespace != "" {
			name = x.Namespace + "." + x.Name
		}
		v.Variables = append(v.Variables, variableView{Name: name, Source: source, Declared: x.Declared, SentTo: sentTo(x), Guards: x.Inbound, Place: x.Span.String()})
	}
	for _, d := range p.Disabled {
		v.NotRun = append(v.NotRun, notRunView{Kind: d.Kind, Name: d.Name, Reason: d.Reason, Span: d.Span})
	}
	return v
}

// sentTo names the hosts that get a variable's value.
func sentTo(v *plan.Variable) string {
	hosts := slices.Clone(v.Hosts)
	for i := range hosts {
		hosts[i] = cmp.Or(hosts[i], "no fixed address")
	}
	return strings.Join(hosts, ", ")
}

func viewResources(a *plan.MCPAdapter) []resourceView {
	var out []resourceView
	for _, r := range a.Resources {
		rv := resourceView{Name: r.Name, URI: r.URI, Folder: r.Folder}
		if r.Operation != nil {
			ov := viewOperation(r.Operation)
			rv.Operation = &ov
		}
		out = append(out, rv)
	}
	return out
}

func viewPrompts(a *plan.MCPAdapter) []promptView {
	var out []promptView
	for _, p := range a.Prompts {
		pv := promptView{Name: p.Name, File: p.File}
		for i := range p.Arguments {
			pv.Arguments = append(pv.Arguments, p.Arguments[i].Name)
		}
		out = append(out, pv)
	}
	return out
}

func hints(t *plan.Tool) []string {
	var out []string
	for _, h := range []struct {
		name string
		set  *bool
	}{{"readOnly", t.ReadOnly}, {"destructive", t.Destructive}, {"idempotent", t.Idempotent}, {"openWorld", t.OpenWorld}} {
		if h.set != nil {
			out = append(out, fmt.Sprintf("%s=%v", h.name, *h.set))
		}
	}
	return out
}

func viewOperation(op *plan.Operation) operationView {
	v := operationView{Name: op.Name, Inputs: []inputView{}, Output: "the upstream's answer, unchanged"}
	switch {
	case op.Mock():
		v.Output = "mock, from the file"
	case !op.Identity():
		v.Output = "mapped"
	}
	for i := range op.Inputs {
		in := &op.Inputs[i]
		v.Inputs = append(v.Inputs, inputView{Name: in.Name, In: in.Location.String(), Required: in.Required, Schema: in.Schema.Append(nil)})
	}
	for _, call := range op.Calls() {
		cv := callView{Step: call.Step, Upstream: call.Upstream.Namespace, Operation: call.Operation, Method: call.Method, Path: call.Path, Body: call.Body}
		if call.Contract != nil {
			cv.Contract = call.Contract.Document
		}
		v.Calls = append(v.Calls, cv)
	}
	return v
}

func (v *planView) print(w io.Writer) error {
	fmt.Fprintf(w, "%s: %s\n", v.File, v.Label)
	for _, u := range v.Upstreams {
		fmt.Fprintf(w, "\nconsumes %s at %s", u.Namespace, u.BaseURI)
		if u.Auth != "" {
			fmt.Fprintf(w, ", %s authentication", u.Auth)
		}
		if u.Profile != "" {
			fmt.Fprintf(w, ", conventions of %s", u.Profile)
		}
		fmt.Fprintln(w)
	}
	for _, a := range v.REST {
		fmt.Fprintf(w, "\nREST %s, port %d\n", a.Namespace, a.Port)
		for i := range a.Operations {
			a.Operations[i].print(w)
		}
	}
	for _, a := range v.MCP {
		where := fmt.Sprintf("port %d", a.Port)
		if a.Stdio {
			where = "stdio"
		}
		fmt.Fprintf(w, "\nMCP %s, %s\n", a.Namespace, where)
		for i := range a.Tools {
			a.Tools[i].print(w)
		}
		for _, r := range a.Resources {
			fmt.Fprintf(w, "  resource %s\n", r.URI)
			if r.Folder != "" {
				fmt.Fprintf(w, "    files  %s\n", r.Folder)
				continue
			}
			r.Operation.printBody(w)
		}
		for _, p := range a.Prompts {
			fmt.Fprintf(w, "  prompt %s(%s)\n", p.Name, strings.Join(p.Arguments, ", "))
		}
	}
	if len(v.Variables) > 0 {
		fmt.Fprintln(w, "\nvariables")
		t := tabwriter.NewWriter(w, 2, 0, 2, ' ', 0)
		for _, x := range v.Variables {
			to := "sent to " + x.SentTo
			if x.Guards {
				to = "guards an adapter"
			}
			if !x.Declared {
				to += ", not declared in binds"
			}
			fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", x.Name, x.Source, to, x.Place)
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	for _, d := range v.NotRun {
		fmt.Fprintf(w, "\nnot run: %s %s: %s (%s)\n", d.Kind, d.Name, d.Reason, d.Span)
	}
	return nil
}

func (v *operationView) print(w io.Writer) {
	title := offeredAs(v.Name, v.OfferedAs)
	if v.Method != "" {
		title = fmt.Sprintf("%s %s  (%s)", v.Method, v.Path, v.Name)
	}
	if len(v.Hints) > 0 {
		title += "  [" + strings.Join(v.Hints, " ") + "]"
	}
	fmt.Fprintf(w, "  %s\n", title)
	v.printBody(w)
}

// offeredAs adds to a name the one that takes its place for hosts.
func offeredAs(name, other string) string {
	if other == "" {
		return name
	}
	return name + ", offered as " + other
}

func (v *operationView) printBody(w io.Writer) {
	for _, in := range v.Inputs {
		required := ""
		if in.Required {
			required = ", required"
		}
		fmt.Fprintf(w, "    input  %s (%s%s)\n", offeredAs(in.Name, in.OfferedAs), in.In, required)
	}
	for _, call := range v.Calls {
		verb := "calls "
		if call.Step != "" {
			verb = "step   " + call.Step + ":"
		}
		fmt.Fprintf(w, "    %s %s %s %s", verb, call.Method, call.Upstream, call.Path)
		if call.Body != "" {
			fmt.Fprintf(w, ", body %s", call.Body)
		}
		if call.Contract != "" {
			fmt.Fprintf(w, ", contract %s", call.Contract)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "    gives  %s\n", v.Output)
}

func (c *command) export() *cobra.Command {
	cmd := &cobra.Command{
		Use: "export", Short: "Export descriptions of a capability", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var adapter, base string
	sub := &cobra.Command{
		Use:   "openapi [FILE|DIR...]",
		Short: "Print OpenAPI 3.1 of REST adapters",
		Long: `Prints the OpenAPI 3.1 description of exactly what the REST adapters of a
capability route. Of several files it describes all that share the address of
the first one, as serve would serve them.`,
		Example: `  patchbay export openapi > openapi.json
  patchbay export openapi my-capability.yaml --server https://gateway.example
  patchbay export openapi capabilities/ --mount-all > openapi.json`,
	}
	f := c.newFlags(sub)
	f.mountFlags(sub)
	sub.Flags().StringVar(&adapter, "adapter", "", "only the adapter with this `NAMESPACE`")
	sub.Flags().StringVar(&base, "server", "", "the `URL` under which the adapters are reached (default the file's own port on this machine)")
	sub.RunE = func(_ *cobra.Command, args []string) error {
		a, err := c.compileFor(f, args)
		if err != nil {
			return err
		}
		loaded, opts := a.loaded, a.opts
		clashes, err := engine.Clashes(loaded, opts)
		if err != nil {
			return usageError{err}
		}
		if adapter == "" && clashes.HasErrors() {
			a.found = clashes
			return c.refuse(a)
		}
		members, port, err := described(loaded, opts, adapter)
		if err != nil {
			return err
		}
		if base == "" {
			base = fmt.Sprintf("http://127.0.0.1:%d", port)
		}
		document, err := page.OpenAPI(members, base, Version())
		if err != nil {
			return err
		}
		_, err = c.Out.Write(document)
		return err
	}
	cmd.AddCommand(sub)
	return cmd
}

// described are the REST adapters that one description covers: those with the
// port of the first one, or the one that is asked for.
func described(loaded *engine.Loaded, opts *deploy.Options, adapter string) ([]page.Described, int, error) {
	var members []page.Described
	var names []string
	port := 0
	for _, p := range loaded.Plans {
		for _, a := range p.REST {
			names = append(names, a.Namespace)
			if adapter != "" && a.Namespace != adapter || len(members) > 0 && a.Port != port {
				continue
			}
			port = a.Port
			members = append(members, page.Described{Plan: p, Adapter: a, Mount: opts.Adapter(a.Namespace).Mount, Keys: !opts.Idempotency.Off})
		}
	}
	if len(members) > 0 {
		return members, port, nil
	}
	if near := diag.Nearest(adapter, names); near != "" {
		return nil, 0, usageError{fmt.Errorf("there is no REST adapter %q; did you mean %s?", clipArg(adapter), near)}
	}
	return nil, 0, usageError{fmt.Errorf("there is no REST adapter %q", clipArg(adapter))}
}
