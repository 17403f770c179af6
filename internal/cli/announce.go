package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"patchbay/internal/bind"
	"patchbay/internal/diag"
	"patchbay/internal/engine"
	"patchbay/internal/plan"
	"patchbay/internal/sandbox"
)

func seedInteraction() string { return sandbox.SeedInteraction }

// announce says what is being served, and gives a line to try it with.
func (c *command) announce(s *session, served []engine.Served) {
	var w io.Writer = printable{c.Out}
	for _, b := range s.deploy.Bound {
		doc := b.Plan.Document
		name := doc.File
		if s.deploy.Loaded.Embedded {
			name = "embedded " + name
		}
		fmt.Fprintf(w, "Patchbay %s serves %s (%s)\n", Version(), doc.Info.Label.Value, name)
	}
	curl := ""
	for _, a := range served {
		if a.REST != nil {
			announceREST(w, &a)
			if curl == "" {
				curl = example(&a, s.sandboxURL != "")
			}
			continue
		}
		announceMCP(w, &a)
	}
	fmt.Fprintln(w)
	for _, b := range s.deploy.Bound {
		for _, u := range b.Plan.Upstreams {
			if s.sandboxURL != "" {
				fmt.Fprintf(w, "Upstream  the sandbox, %s, in place of %s\n", s.sandboxURL, u.BaseURI)
				continue
			}
			if b.Client(u).BaseURL() == "" {
				fmt.Fprintf(w, "Upstream  none: give --upstream %s=https://host/path\n", u.Namespace)
				continue
			}
			fmt.Fprintf(w, "Upstream  %s\n", b.Client(u).BaseURL())
		}
		for _, d := range b.Plan.Disabled {
			fmt.Fprintf(w, "Not run   %s %s: %s\n", d.Kind, d.Name, d.Reason)
		}
	}
	for _, a := range served {
		if a.REST != nil {
			fmt.Fprintf(w, "Page      %s/.patchbay/\n", a.URL)
		}
	}
	if curl != "" {
		fmt.Fprintf(w, "\nTry it:\n\n  %s\n", curl)
	}
	fmt.Fprintln(w, "\nStop with Ctrl-C.")
}

// most bounds the lines that one adapter gets.
const most = 40

func announceREST(w io.Writer, a *engine.Served) {
	fmt.Fprintf(w, "\nREST  %s  (%s)\n", a.URL, a.Namespace)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i, op := range a.REST.Operations {
		if i == most {
			fmt.Fprintf(t, "  … and %d more\n", len(a.REST.Operations)-most)
			break
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\n", op.Method, op.Path, op.Name)
	}
	_ = t.Flush()
}

func announceMCP(w io.Writer, a *engine.Served) {
	fmt.Fprintf(w, "\nMCP   %s  (%s)\n", a.URL, a.Namespace)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i, tool := range a.Tools {
		if i == most {
			fmt.Fprintf(t, "  … and %d more\n", len(a.Tools)-most)
			break
		}
		hint := ""
		if tool.ReadOnly != nil && *tool.ReadOnly {
			hint = "read-only"
		}
		if hint == "" {
			fmt.Fprintf(t, "  %s\n", tool.Name)
			continue
		}
		fmt.Fprintf(t, "  %s\t%s\n", tool.Name, hint)
	}
	_ = t.Flush()
	for _, r := range a.MCP.Resources[:min(most, len(a.MCP.Resources))] {
		fmt.Fprintf(w, "  resource %s\n", r.URI)
	}
	for _, p := range a.MCP.Prompts[:min(most, len(a.MCP.Prompts))] {
		fmt.Fprintf(w, "  prompt %s\n", p.Name)
	}
	if hidden := len(a.MCP.Tools) - len(a.Tools); hidden > 0 {
		fmt.Fprintf(w, "  (%d of %d tools are not offered: --read-only, --tool or --tag)\n", hidden, len(a.MCP.Tools))
	}
}

// example is a line that works when it is pasted: a read of the simulator's
// seeded interaction, or a read whose identifiers have to be filled in.
func example(a *engine.Served, simulated bool) string {
	for _, op := range a.REST.Operations {
		if op.Method != "GET" || len(op.PathNames) == 0 && simulated {
			continue
		}
		path := op.Path
		for i, name := range op.PathNames {
			value := "<" + name + ">"
			if simulated {
				value = []string{sandbox.SeedInteraction, sandbox.SeedChannel}[min(i, 1)]
			}
			path = strings.Replace(path, "{"+name+"}", value, 1)
		}
		if simulated {
			return "curl -s " + a.URL + path
		}
		return "curl -s '" + a.URL + path + "'"
	}
	return "curl -s " + a.URL + "/.patchbay/openapi.json"
}

// refuseBound prints why the documents cannot be served with the values at
// hand; for credentials, what the operator seems to have and how to use it.
func (c *command) refuseBound(list diag.List, loaded *engine.Loaded, env *bind.Environment, simulated bool) error {
	var errs diag.List
	for _, d := range list {
		if d.Severity == diag.Error {
			errs = append(errs, d)
		}
	}
	if err := c.printDiagnostics(c.Err, errs, loaded.Source); err != nil {
		return err
	}
	fmt.Fprintln(c.Err)
	for _, p := range loaded.Plans {
		for _, u := range p.Upstreams {
			if !simulated {
				c.adviseCredentials(p, u, env)
			}
		}
	}
	fmt.Fprintf(c.Err, "patchbay: nothing runs: %s\n", diag.Summary(errs))
	return silentError{}
}

func (c *command) adviseCredentials(p *plan.Plan, u *plan.Upstream, env *bind.Environment) {
	fields := p.Credentials(u)
	var missing []string
	for _, field := range []string{"username", "password", "token", "value"} {
		for _, v := range fields[field] {
			if s, _, ok := env.Lookup(v.Key); v.Location == "" && (!ok || s.Reveal() == "") {
				missing = append(missing, v.Key)
			}
		}
	}
	if len(missing) == 0 {
		return
	}
	fmt.Fprintf(c.Err, "%s wants %s authentication, and %s not set.\n", u.Host, u.Auth(), listing(missing))
	found := false
	if u.Profile != nil {
		for _, usual := range u.Profile.Credentials {
			found = c.adviseUsual(fields, usual.Username, usual.Password, usual.Token, env) || found
		}
		if !found {
			var names []string
			for _, usual := range u.Profile.Credentials {
				for _, n := range []string{usual.Username, usual.Password, usual.Token} {
					if n != "" {
						names = append(names, n)
					}
				}
			}
			fmt.Fprintf(c.Err, "  None of the usual variables is set either (%s).\n", strings.Join(names, ", "))
		}
	}
	fmt.Fprintf(c.Err, "  From a file:      --env-file FILE, with lines such as %s=…\n", missing[0])
	fmt.Fprintf(c.Err, "  From other names: --map-env %s=OTHER_NAME\n", missing[0])
	if engine.Simulated(u.Host) {
		fmt.Fprintln(c.Err, "  To try it without credentials: patchbay serve --sandbox")
	}
	fmt.Fprintln(c.Err)
}

// adviseUsual names a pair of the provider's usual variables that is set, and
// the flags that would use it.
func (c *command) adviseUsual(fields map[string][]*plan.Variable, username, password, token string, env *bind.Environment) bool {
	var set, options []string
	for _, usual := range []struct{ field, name string }{{"username", username}, {"password", password}, {"token", token}} {
		if usual.name == "" {
			continue
		}
		if env.Has(usual.name) {
			set = append(set, usual.name)
		}
		if len(fields[usual.field]) == 1 {
			options = append(options, fmt.Sprintf("--map-env %s=%s", fields[usual.field][0].Key, usual.name))
		}
	}
	if len(set) == 0 {
		return false
	}
	want := 0
	for _, n := range []string{username, password, token} {
		if n != "" {
			want++
		}
	}
	if len(set) < want {
		fmt.Fprintf(c.Err, "  Of the usual variables only %s is set.\n", strings.Join(set, ", "))
		return true
	}
	fmt.Fprintf(c.Err, "  Set already: %s. To use them:\n    %s\n", strings.Join(set, ", "), strings.Join(options, " "))
	return true
}

func listing(names []string) string {
	if len(names) == 1 {
		return names[0] + " is"
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1] + " are"
}
