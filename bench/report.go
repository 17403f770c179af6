//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"patchbay-bench/internal/stats"
)

// A report is all that was measured, and what follows from it.
type report struct {
	Time     time.Time     `json:"time"`
	Machine  machine       `json:"machine"`
	Plan     plan          `json:"plan"`
	Rounds   int           `json:"rounds_done"`
	Groups   []groupReport `json:"groups"`
	Targets  []verdict     `json:"targets"`
	Failures []string      `json:"failures,omitempty"`
}

type groupReport struct {
	Name  string       `json:"name"`
	Title string       `json:"title"`
	Rows  []*rowReport `json:"rows"`
}

type rowReport struct {
	Name    string    `json:"name"` // GROUP/PEER
	Peer    string    `json:"peer"`
	Note    string    `json:"note,omitempty"`
	Skipped string    `json:"skipped,omitempty"` // why it was not measured
	Median  figures   `json:"median,omitempty"`
	Ratio   figures   `json:"product_to_this,omitempty"` // the product's figure through this one's
	Rounds  []figures `json:"rounds,omitempty"`          // one that failed is empty

	row  row
	work work
}

func newReport(b *bench, chosen []group) *report {
	r := &report{Time: time.Now().UTC().Truncate(time.Second), Machine: describe(b), Plan: b.plan}
	for _, g := range chosen {
		out := groupReport{Name: g.name, Title: g.title}
		for _, row := range g.rows {
			out.Rows = append(out.Rows, &rowReport{Name: g.name + "/" + row.peer, Peer: row.peer, Note: row.note, row: row, work: g.work})
		}
		r.Groups = append(r.Groups, out)
	}
	return r
}

// rows returns the rows of all groups.
func (r *report) rows() []*rowReport {
	var out []*rowReport
	for _, g := range r.Groups {
		out = append(out, g.Rows...)
	}
	return out
}

// row returns a row by its peer, or nil.
func (g groupReport) row(peer string) *rowReport {
	for _, row := range g.Rows {
		if row.Peer == peer {
			return row
		}
	}
	return nil
}

// values returns a metric of all rounds, NaN where one has none.
func (r *rowReport) values(m metric) []float64 {
	out := make([]float64, len(r.Rounds))
	for i, f := range r.Rounds {
		value, ok := f[m]
		if !ok {
			value = math.NaN()
		}
		out[i] = value
	}
	return out
}

// finish reduces the rounds to medians and ratios, and judges the targets.
func (r *report) finish() {
	for _, g := range r.Groups {
		ours := g.row(product)
		for _, row := range g.Rows {
			row.Median, row.Ratio = figures{}, figures{}
			for _, m := range metrics() {
				values := row.values(m)
				row.Median.set(m, stats.Median(withoutNaN(values)))
				if ours != nil && row != ours {
					row.Ratio.set(m, stats.MedianRatio(ours.values(m), values))
				}
			}
		}
	}
	r.Targets = judge(r)
}

// set leaves out what is no number: JSON has none of these.
func (f figures) set(m metric, value float64) {
	if !math.IsNaN(value) && !math.IsInf(value, 0) {
		f[m] = value
	}
}

func withoutNaN(values []float64) []float64 {
	var out []float64
	for _, value := range values {
		if !math.IsNaN(value) {
			out = append(out, value)
		}
	}
	return out
}

// save writes the report as text and as JSON.
func (r *report) save(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	encoded, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "bench.json"), append(encoded, '\n'), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "bench.txt"), []byte(r.text()), 0o644); err != nil {
		return fmt.Errorf("the report as text: %w", err)
	}
	return nil
}
