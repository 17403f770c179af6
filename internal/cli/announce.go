package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"patchbay/internal/bind"
	"patchbay/internal/diag"
	"patchbay/internal/engine"
	"patchbay/internal/expose/page"
	"patchbay/internal/plan"
	"patchbay/internal/sandbox"
)

func seedInteraction() string { return sandbox.SeedInteraction }

// few is how many capabilities are told about one by one.
const few = 3

// announce says what is being served, and gives a line to try it with.
func (c *command) announce(s *session, served []engine.Listening) {
	var w io.Writer = printable{c.Out}
	loaded := s.deploy.Loaded
	if n := len(s.deploy.Bound); n > few {
		tell(w, "Patchbay %s serves %d capabilities\n", Version(), n)
	} else {
		for _, b := range s.deploy.Bound {
			doc := b.Plan.Document
			name := doc.File
			if loaded.Embedded {
				name = "embedded " + name
			}
			tell(w, "Patchbay %s serves %s (%s)\n", Version(), doc.Info.Label.Value, name)
		}
	}
	for i := range loaded.Skipped {
		skipped := &loaded.Skipped[i]
		tell(w, "Skipped   %s: %s\n", skipped.File, skipped.Reason())
	}
	curl := ""
	for i := range served {
		at := &served[i]
		announceREST(w, at)
		announceMCP(w, at)
		for j := range at.REST {
			if curl == "" {
				curl = example(&at.REST[j], s.sandboxURL != "")
			}
		}
	}
	fmt.Fprintln(w)
	announceUpstreams(w, s)
	if s.controlURL != "" {
		fmt.Fprintf(w, "Control   %s/\n", s.controlURL)
	}
	for _, b := range s.deploy.Bound[:min(most, len(s.deploy.Bound))] {
		for _, d := range b.Plan.Disabled {
			tell(w, "Not run   %s %s: %s\n", d.Kind, d.Name, d.Reason)
		}
	}
	for _, at := range served {
		if len(at.REST) > 0 {
			tell(w, "Page      %s/.patchbay/\n", at.URL)
		}
	}
	if curl != "" {
		tell(w, "\nTry it:\n\n  %s\n", curl)
	}
	fmt.Fprintln(w, "\nStop with Ctrl-C.")
}

// tell prints with texts from files in one line each: a name with a line end
// must not look like a line of ours.
func tell(w io.Writer, format string, args ...any) {
	for i, arg := range args {
		if text, ok := arg.(string); ok {
			args[i] = diag.Printable(text)
		}
	}
	fmt.Fprintf(w, format, args...)
}

// announceUpstreams says where calls go, once for each address.
func announceUpstreams(w io.Writer, s *session) {
	var lines []string
	seen := map[string]bool{}
	for _, b := range s.deploy.Bound {
		for _, u := range b.Plan.Upstreams {
			line := b.Client(u).BaseURL()
			switch {
			case s.sandboxURL != "":
				line = fmt.Sprintf("the sandbox, %s, in place of %s", s.sandboxURL, u.BaseURI)
			case line == "":
				line = fmt.Sprintf("none: give --upstream %s=https://host/path", u.Namespace)
			}
			if !seen[line] {
				seen[line] = true
				lines = append(lines, line)
			}
		}
	}
	for i, line := range lines {
		if i == most {
			tell(w, "Upstream  … and %d more\n", len(lines)-most)
			break
		}
		tell(w, "Upstream  %s\n", line)
	}
}

// most bounds the lines that one adapter, or one list of adapters, gets.
const most = 40

func announceREST(w io.Writer, at *engine.Listening) {
	if len(at.REST) == 0 {
		return
	}
	if len(at.REST) == 1 {
		tell(w, "\nREST  %s  (%s)\n", at.REST[0].URL, at.REST[0].Adapter.Namespace)
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for i, op := range at.REST[0].Adapter.Operations {
			if i == most {
				tell(t, "  … and %d more\n", len(at.REST[0].Adapter.Operations)-most)
				break
			}
			tell(t, "  %s\t%s\t%s\n", op.Method, op.Path, op.Name)
		}
		_ = t.Flush()
		return
	}
	total := 0
	for i := range at.REST {
		total += len(at.REST[i].Adapter.Operations)
	}
	tell(w, "\nREST  %s  (%d adapters, %d operations)\n", at.URL, len(at.REST), total)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i := range at.REST {
		if i == most {
			tell(t, "  … and %d more\n", len(at.REST)-most)
			break
		}
		a := &at.REST[i]
		tell(t, "  %s\t%s\t%s\n", a.Adapter.Namespace, counted(len(a.Adapter.Operations), "operation"), a.Mount)
	}
	_ = t.Flush()
}

func announceMCP(w io.Writer, at *engine.Listening) {
	if len(at.MCP) == 0 {
		return
	}
	if len(at.MCP) == 1 {
		announceTools(w, &at.MCP[0])
		return
	}
	tools, all := 0, 0
	for i := range at.MCP {
		tools += len(at.MCP[i].Tools)
		all += len(at.MCP[i].Adapter.Tools)
	}
	tell(w, "\nMCP   %s  (%d adapters, %d tools)\n", at.URL, len(at.MCP), tools)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i := range at.MCP {
		if i == most {
			tell(t, "  … and %d more\n", len(at.MCP)-most)
			break
		}
		a := &at.MCP[i]
		tell(t, "  %s\t%s\t%s\n", a.Adapter.Namespace, counted(len(a.Tools), "tool"), a.URL)
	}
	_ = t.Flush()
	announceHidden(w, all-tools, all)
}

func announceTools(w io.Writer, a *engine.ServedMCP) {
	tell(w, "\nMCP   %s  (%s)\n", a.URL, a.Adapter.Namespace)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i, tool := range a.Tools {
		if i == most {
			tell(t, "  … and %d more\n", len(a.Tools)-most)
			break
		}
		hint := ""
		if tool.ReadOnly != nil && *tool.ReadOnly {
			hint = "read-only"
		}
		if hint == "" {
			tell(t, "  %s\n", tool.Name)
			continue
		}
		tell(t, "  %s\t%s\n", tool.Name, hint)
	}
	_ = t.Flush()
	for _, r := range a.Adapter.Resources[:min(most, len(a.Adapter.Resources))] {
		tell(w, "  resource %s\n", r.URI)
	}
	for _, p := range a.Adapter.Prompts[:min(most, len(a.Adapter.Prompts))] {
		tell(w, "  prompt %s\n", p.Name)
	}
	announceHidden(w, len(a.Adapter.Tools)-len(a.Tools), len(a.Adapter.Tools))
}

func announceHidden(w io.Writer, hidden, all int) {
	if hidden > 0 {
		tell(w, "  (%d of %d tools are not offered: --read-only, --tool or --tag)\n", hidden, all)
	}
}

// example is a line that works when it is pasted: a read of the simulator's
// seeded interaction, or a read whose identifiers have to be filled in.
func example(a *engine.ServedREST, simulated bool) string {
	for _, op := range a.Adapter.Operations {
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
		return "curl -s " + page.ShellWord(a.URL+path)
	}
	return ""
}

// refuseBound prints why the documents cannot be served with the values at
// hand; for credentials, what the operator seems to have and how to use it.
func (c *command) refuseBound(a *attempt) error {
	errs := without(without(a.found, diag.Note), diag.Warning)
	if err := c.printDiagnostics(c.Err, errs, a.source(a.loaded)); err != nil {
		return err
	}
	fmt.Fprintln(c.Err)
	var advised []string
	for _, p := range a.loaded.Plans {
		for _, u := range p.Upstreams {
			if !a.opts.Sandbox.Enabled {
				c.adviseCredentials(p, u, a.env.For(engine.Namespaces(p)...), &advised)
			}
		}
	}
	fmt.Fprintf(c.Err, "patchbay: nothing runs: %s\n", diag.Summary(errs))
	return silentError{}
}

// adviseCredentials says, once for the same lack, where values can come from.
func (c *command) adviseCredentials(p *plan.Plan, u *plan.Upstream, env *bind.Environment, advised *[]string) {
	fields := p.Credentials(u)
	var missing []string
	for _, field := range []string{"username", "password", "token", "value"} {
		for _, v := range fields[field] {
			if s, _, ok := env.Lookup(v.Key); v.Location == "" && (!ok || s.Reveal() == "") {
				missing = append(missing, v.Key)
			}
		}
	}
	lack := strings.Join(missing, " ")
	if len(missing) == 0 || slices.Contains(*advised, lack) {
		return
	}
	*advised = append(*advised, lack)
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
