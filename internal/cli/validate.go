package cli

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"patchbay/internal/deployfile"
	"patchbay/internal/diag"
	"patchbay/internal/engine"
	"patchbay/internal/lint"
	"patchbay/internal/plan"
	"patchbay/internal/spec"
)

func (c *command) validate() *cobra.Command {
	var strict, bindToo bool
	v := selection{}
	cmd := &cobra.Command{
		Use:   "validate [DIR|FILE...]",
		Short: "Say what is wrong with capabilities, and where",
		Long: `Compiles capability files and prints every finding with its place. Nothing is
read from the environment and nothing is called. Without FILE it judges the
embedded capability. Of several files, findings stand by file, and a table at the
end counts them by code. The exit code is 0 when all files can be served, 1 when
one cannot, 2 when the command line is wrong; what is not shown counts, too.
With --config it judges a deployment file and the capabilities that it names
together; --bind then also reads the secrets that it refers to.`,
		Example: `  patchbay validate
  patchbay validate --strict my-capability.yaml
  patchbay validate --summary capabilities/
  patchbay validate --code call-unresolved --code route-clash capabilities/
  patchbay validate --format json my-capability.yaml
  patchbay validate --bind --env-file twilio.env my-capability.yaml
  patchbay validate --config patchbay.yaml`,
	}
	f := c.newFlags(cmd)
	set := cmd.Flags()
	set.BoolVar(&strict, "strict", false, "take warnings for errors")
	set.BoolVar(&bindToo, "bind", false, "also look whether every variable has a value and every file that is named can be read")
	set.StringVar(&v.format, "format", "text", "form of the findings: `text|json`")
	set.StringVar(&v.severity, "severity", "note", "least severity that is shown: `error|warning|note`")
	set.StringArrayVar(&v.codes, "code", nil, "show only findings of this `CODE`; repeatable")
	set.BoolVar(&v.summary, "summary", false, "show only the counts by code")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		if err := v.check(); err != nil {
			return err
		}
		d, err := c.decide(f, args, bindToo)
		if err != nil {
			return err
		}
		progress := newProgress(c.Err)
		a, err := compile(d, progress.report)
		progress.end()
		if err != nil {
			return err
		}
		found := a.found
		// What is wrong with the deployment file leaves its values out.
		if bindToo && !d.wrong(found) && a.loaded != nil {
			d, more, err := engine.Bind(a.loaded, a.opts, engine.BindOptions{Environment: a.env, SandboxURL: "http://127.0.0.1", Version: Version()})
			if err != nil {
				return usageError{err}
			}
			defer d.Close()
			found = append(found, more...).Sorted()
			if !found.HasErrors() {
				if err := engine.New(engine.Config{Log: slog.New(slog.DiscardHandler), Version: Version()}).Check(d); err != nil {
					return err
				}
			}
		}
		if strict {
			found = found.Strict()
		}
		return c.printFindings(judge(a, found), a, &v)
	}
	return cmd
}

// selection is which findings are shown, and how.
type selection struct {
	format, severity string
	codes            []string
	summary          bool
	least            diag.Severity
}

// check reads the words of the flags.
func (v *selection) check() error {
	if v.format != "text" && v.format != "json" {
		return wantOneOf("--format", v.format, "text", "json")
	}
	switch v.severity {
	case "note":
		v.least = diag.Note
	case "warning":
		v.least = diag.Warning
	case "error":
		v.least = diag.Error
	default:
		return wantOneOf("--severity", v.severity, "error", "warning", "note")
	}
	var known []string
	for _, info := range slices.Concat(spec.Codes(), lint.Codes(), plan.Codes(), engine.Codes(), deployfile.Codes()) {
		known = append(known, string(info.Code))
	}
	for _, code := range v.codes {
		if slices.Contains(known, code) {
			continue
		}
		if near := diag.Nearest(code, known); near != "" {
			return usageError{fmt.Errorf("--code %s: there is no such code; did you mean %s?", clipArg(code), near)}
		}
		return usageError{fmt.Errorf("--code %s: there is no such code; docs/diagnostics.md lists them", clipArg(code))}
	}
	return nil
}

func (v *selection) shows(d *diag.Diagnostic) bool {
	return d.Severity >= v.least && (len(v.codes) == 0 || slices.Contains(v.codes, string(d.Code)))
}

// filter returns what is shown of a list.
func (v *selection) filter(list diag.List) diag.List {
	out := diag.List{}
	for i := range list {
		if v.shows(&list[i]) {
			out = append(out, list[i])
		}
	}
	return out
}

// verdict is what a run says about all its files. It is also its form in JSON.
type verdict struct {
	// Servable reports that all files can be served.
	Servable bool          `json:"servable"`
	Files    []fileVerdict `json:"files,omitempty"`
	// Summary counts what is shown.
	Summary []diag.CodeCount `json:"summary"`
	all     diag.List
}

// fileVerdict is what a run says about one file.
type fileVerdict struct {
	File     string    `json:"file"`
	Servable bool      `json:"servable"`
	Findings diag.List `json:"findings"`
}

// judge gives the findings to their files, which keep the order in which they
// were named; the deployment file comes first.
func judge(a *attempt, found diag.List) *verdict {
	out := &verdict{Servable: !found.HasErrors(), all: found, Files: []fileVerdict{}}
	by := map[string]diag.List{}
	for _, d := range found {
		by[d.Span.File] = append(by[d.Span.File], d)
	}
	var names []string
	if a.file != nil {
		names = append(names, a.file.Name)
	}
	if a.loaded != nil {
		names = append(names, a.loaded.Files...)
	}
	for _, name := range names {
		list, seen := by[name]
		if !seen {
			list = diag.List{}
		}
		out.Files = append(out.Files, fileVerdict{name, !list.HasErrors(), list})
		delete(by, name)
	}
	for _, name := range slices.Sorted(maps.Keys(by)) { // such as a contract
		out.Files = append(out.Files, fileVerdict{name, !by[name].HasErrors(), by[name]})
	}
	return out
}

func (c *command) printFindings(of *verdict, a *attempt, v *selection) error {
	for i := range of.Files {
		of.Files[i].Findings = v.filter(of.Files[i].Findings)
	}
	shown := v.filter(of.all)
	of.Summary = append([]diag.CodeCount{}, diag.ByCode(shown)...)
	if v.format == "json" {
		enc := json.NewEncoder(c.Out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if v.summary {
			of.Files = nil
		}
		if err := enc.Encode(of); err != nil {
			return err
		}
	} else {
		if err := c.printGroups(of, shown, a, v); err != nil {
			return err
		}
		fmt.Fprintf(c.Err, "patchbay: %s: %s\n", of.sentence(a), diag.Summary(of.all))
	}
	if !of.Servable {
		return silentError{}
	}
	return nil
}

// sentence is the verdict in words.
func (of *verdict) sentence(a *attempt) string {
	failed := 0
	for _, f := range of.Files {
		if !f.Servable {
			failed++
		}
	}
	what := fmt.Sprintf("%d files", len(of.Files))
	switch {
	case a.file == nil && a.loaded.Embedded:
		what = "the embedded capability"
	case len(of.Files) == 1:
		what = of.Files[0].File
	case failed > 0:
		what = fmt.Sprintf("%d of %d files", failed, len(of.Files))
	}
	if of.Servable {
		return diag.Printable(what) + " can be served"
	}
	return diag.Printable(what) + " cannot be served"
}

// mostShown bounds how many findings are printed for people.
const mostShown = 200

// printGroups prints the findings by file and, where there are several files or
// nothing else is wanted, the counts by code.
func (c *command) printGroups(of *verdict, shown diag.List, a *attempt, v *selection) error {
	if len(of.Files) == 1 && !v.summary {
		return c.printDiagnostics(c.Out, shown, a.source(a.loaded))
	}
	out := printable{c.Out}
	if !v.summary {
		chosen, left := diag.Severest(shown, mostShown)
		by := map[string]diag.List{}
		for _, d := range chosen {
			by[d.Span.File] = append(by[d.Span.File], d)
		}
		for _, f := range of.Files {
			list := by[f.File]
			if len(list) == 0 {
				continue
			}
			does := "can be served"
			if !f.Servable {
				does = "cannot be served"
			}
			fmt.Fprintf(out, "%s %s: %s\n", f.File, does, diag.Summary(f.Findings))
			if err := c.printDiagnostics(c.Out, list, a.source(a.loaded)); err != nil {
				return err
			}
			fmt.Fprintln(out)
		}
		if len(left) > 0 {
			fmt.Fprintf(out, "and %s more, which the table counts\n\n", diag.Summary(left))
		}
	}
	if len(of.Summary) == 0 {
		return nil
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SEVERITY\tCODE\tCOUNT\tFILES")
	for _, n := range of.Summary {
		fmt.Fprintf(table, "%s\t%s\t%d\t%d\n", n.Severity, n.Code, n.Count, n.Files)
	}
	return table.Flush()
}
