//go:build linux

package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

// text is the report for people.
func (r *report) text() string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "Medians of %d rounds: %v at saturation over %d connections, %v at %.0f requests/s; then %d connections held open.\n",
		r.Rounds, r.Plan.Saturate, r.Plan.Connections, r.Plan.Steady, r.Plan.Rate, r.Plan.Many)
	m := r.Machine
	fmt.Fprintf(&b, "%s, %s, Linux %s; servers on core %d with GOMAXPROCS=1, load and upstream on core %d.\n", m.CPU, m.Go, m.Kernel, m.Server, m.LoadCore)
	var versions []string
	for _, name := range slices.Sorted(maps.Keys(m.Versions)) {
		versions = append(versions, name+" "+m.Versions[name])
	}
	if len(versions) > 0 {
		fmt.Fprintf(&b, "%s.\n", strings.Join(versions, ", "))
	}
	for _, g := range r.Groups {
		fmt.Fprintf(&b, "\n%s (%s)\n\n", g.Title, g.Name)
		table(&b, g.Rows, func(row *rowReport) figures { return row.Median }, func(m metric, value float64) string { return m.format(value) })
		if ours := g.row(product); ours == nil || len(ours.Median) == 0 || len(g.Rows) == 1 {
			continue
		}
		fmt.Fprintf(&b, "\n%s's figures through those of\n\n", product)
		table(&b, slices.DeleteFunc(slices.Clone(g.Rows), func(row *rowReport) bool { return row.Peer == product || row.Skipped != "" }),
			func(row *rowReport) figures { return row.Ratio }, func(_ metric, value float64) string { return fmt.Sprintf("%.2f", value) })
	}
	if len(r.Targets) > 0 {
		fmt.Fprint(&b, "\nTargets\n\n")
		w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		for _, t := range r.Targets {
			met := "met"
			if !t.Met {
				met = "NOT MET"
			}
			fmt.Fprintf(w, "  %s\t%.2f\tat most %.4g\t%s\n", t.What, t.Measured, t.Most, met)
		}
		w.Flush()
	}
	for _, failure := range r.Failures {
		fmt.Fprintf(&b, "\nFAILED: %s\n", failure)
	}
	return b.String()
}

// table prints rows with the columns that at least one of them has.
func table(out io.Writer, rows []*rowReport, of func(*rowReport) figures, format func(metric, float64) string) {
	var columns []metric
	for _, m := range metrics() {
		if slices.ContainsFunc(rows, func(row *rowReport) bool { _, ok := of(row)[m]; return ok }) {
			columns = append(columns, m)
		}
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "\t")
	for _, m := range columns {
		fmt.Fprintf(w, "%s\t", m.title())
	}
	fmt.Fprintln(w)
	for _, row := range rows {
		if row.Skipped != "" {
			continue
		}
		fmt.Fprintf(w, "%s\t", row.Peer)
		for _, m := range columns {
			cell := "-"
			if value, ok := of(row)[m]; ok {
				cell = format(m, value)
			}
			fmt.Fprintf(w, "%s\t", cell)
		}
		fmt.Fprintln(w, "  "+row.Note)
	}
	w.Flush()
	for _, row := range rows {
		if row.Skipped != "" {
			fmt.Fprintf(out, "  without %s: %s\n", row.Peer, row.Skipped)
		}
	}
}

// The table in a document stands between these lines.
const (
	docsBegin = "<!-- Figures: make bench BENCH_FLAGS=\"-update-docs ../docs/performance.md\" -->\n"
	docsEnd   = "<!-- End of the figures -->\n"
)

// updateDocs puts the report between the markers of a document.
func updateDocs(name string, r *report) error {
	content, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	updated, err := insert(string(content), r.text())
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return os.WriteFile(name, []byte(updated), 0o644)
}

func insert(document, text string) (string, error) {
	before, rest, begins := strings.Cut(document, docsBegin)
	_, after, ends := strings.Cut(rest, docsEnd)
	if !begins || !ends {
		return "", fmt.Errorf("it has no place for figures: the lines %q and %q", docsBegin, docsEnd)
	}
	return before + docsBegin + "\n```text\n" + text + "```\n\n" + docsEnd + after, nil
}
