package page

import (
	"cmp"
	"path"

	"patchbay/internal/auth"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/plan"
)

// adapterView is an MCP adapter: how to connect to it, and its tools.
type adapterView struct {
	ID, Description, URL string
	Tools                []toolView
	// More counts the tools that are not listed.
	More     int
	Snippets []snippet
}

type toolView struct {
	ID, Name, Summary, Description, Schema string
	Badges                                 []badge
	Properties                             []property
}

// badge is a hint to agents. Tone says how it looks: calm, plain or alert.
type badge struct{ Text, Tone string }

// adapters describes the capability's MCP adapters, those included that only
// speak on standard input and output.
func (v *viewer) adapters() []adapterView {
	var out []adapterView
	for i, a := range v.info.Bound.Plan.MCP {
		view := adapterView{ID: unique("mcp-"+operationID(a.Namespace), v.ids), Description: a.Description}
		var verifier *auth.Verifier
		for _, e := range v.info.MCP {
			if e.Adapter == a {
				view.URL, verifier = e.URL, e.Verifier
			}
		}
		for _, t := range a.Tools[:min(len(a.Tools), maxListed)] {
			view.Tools = append(view.Tools, v.tool(t))
		}
		view.More = len(a.Tools) - len(view.Tools)
		view.Snippets = v.snippets(a, verifier, view.URL, i == 0)
		out = append(out, view)
	}
	return out
}

func (v *viewer) tool(t *plan.Tool) toolView {
	schema := argumentSchema(t)
	return toolView{
		ID: unique("tool-"+operationID(t.Name), v.ids), Name: t.Name, Summary: summary(t.Operation), Description: unlessSaid(describe(t.Operation), summary(t.Operation)),
		Schema: indented(&schema), Badges: badges(t), Properties: propertiesOf(&schema, 1),
	}
}

// argumentSchema is the JSON Schema of a tool's arguments.
func argumentSchema(t *plan.Tool) jsonvalue.Value {
	properties := object{}
	var required []string
	for i := range t.Inputs {
		in := &t.Inputs[i]
		properties.put(in.Name, fieldSchema(in))
		if in.Required {
			required = append(required, in.Name)
		}
	}
	out := object{{Name: "type", Value: jsonvalue.StringOf("object")}, {Name: "properties", Value: properties.value()}}
	if required != nil {
		out.put("required", texts(required...))
	}
	return out.value()
}

// badges are the hints that the file states; what it does not state is not shown.
func badges(t *plan.Tool) []badge {
	var out []badge
	add := func(hint *bool, yes, no badge) {
		b := no
		switch {
		case hint == nil:
			return
		case *hint:
			b = yes
		}
		if b.Text != "" {
			out = append(out, b)
		}
	}
	add(t.ReadOnly, badge{"read-only", "calm"}, badge{"writes", "plain"})
	if t.ReadOnly == nil || !*t.ReadOnly {
		add(t.Destructive, badge{"destructive", "alert"}, badge{"not destructive", "plain"})
	}
	add(t.Idempotent, badge{"idempotent", "calm"}, badge{"not idempotent", "plain"})
	add(t.OpenWorld, badge{"open world", "plain"}, badge{"closed world", "plain"})
	return out
}

// snippet is something to paste into an MCP client's configuration.
type snippet struct{ ID, Title, Where, Text string }

// snippets configures common clients. Only a capability's first MCP adapter is
// served on standard input and output.
func (v *viewer) snippets(a *plan.MCPAdapter, verifier *auth.Verifier, url string, first bool) []snippet {
	name := cmp.Or(operationID(a.Namespace), "patchbay")
	var out []snippet
	add := func(title, where, text string) {
		out = append(out, snippet{unique("snippet-"+name, v.ids), title, where, text})
	}
	var header, value string
	// Clients get tokens by themselves, from what a refusal tells them.
	if shown := guardsOf(verifier, a.Guard); len(shown) > 0 && shown[0].Scheme != "jwt" {
		header, value = shownGuard(shown).header()
	}
	if first {
		add("Claude Desktop, Cursor", "claude_desktop_config.json or .cursor/mcp.json: the client starts Patchbay", v.stdioConfig(name))
	}
	if url == "" {
		return out
	}
	command := "claude mcp add --transport http " + ShellWord(name) + " " + ShellWord(url)
	server := object{{Name: "type", Value: jsonvalue.StringOf("http")}, {Name: "url", Value: jsonvalue.StringOf(url)}}
	remote := object{{Name: "url", Value: jsonvalue.StringOf(url)}}
	if header != "" {
		command += " --header " + ShellWord(header+": "+value)
		headers := object{{Name: header, Value: jsonvalue.StringOf(value)}}
		server.object("headers", headers)
		remote.object("headers", headers)
	}
	add("Claude Code", "in a shell", command)
	add("VS Code", ".vscode/mcp.json", config("servers", name, server))
	add("Cursor over HTTP", ".cursor/mcp.json", config("mcpServers", name, remote))
	return out
}

func config(section, name string, server object) string {
	var servers, root object
	servers.object(name, server)
	root.object(section, servers)
	v := root.value()
	return indented(&v)
}

// stdioConfig starts Patchbay as a process of the client. Secrets stand in its
// environment, never among its arguments.
func (v *viewer) stdioConfig(name string) string {
	arguments := []string{"mcp"}
	if !v.info.Embedded {
		// Everybody may read the page: where the file lies is the operator's affair.
		arguments = append(arguments, "/path/to/"+path.Base(v.info.Bound.Plan.Document.File))
	}
	server := object{{Name: "command", Value: jsonvalue.StringOf("patchbay")}}
	if v.info.Sandbox {
		server.put("args", texts(append(arguments, "--sandbox")...))
		return config("mcpServers", name, server)
	}
	server.put("args", texts(arguments...))
	var environment object
	for _, variable := range v.info.Bound.Plan.Variables {
		if variable.Location == "" && !variable.Inbound {
			environment.set(variable.Key, jsonvalue.StringOf("…"))
		}
	}
	if environment != nil {
		server.object("env", environment)
	}
	return config("mcpServers", name, server)
}
