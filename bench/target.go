//go:build linux

package main

import (
	"fmt"
	"math"
)

// A target is what the product is meant to cost at most.
type target struct {
	group, peer string // peer: "" if the figure itself is bounded
	metric      metric
	most        float64 // the ratio to the peer, or the figure
}

// targets are those that the project has set itself. A ratio holds for the
// median of the rounds' ratios.
func targets() []target {
	out := []target{
		{"rest-fetch", "handwritten", cpuPerRequest, 1.15},
		{"rest-fetch", "caddy", cpuPerRequest, 0.75},
		{"rest-create", "handwritten", cpuPerRequest, 1.2},
		{"rest-create", "caddy", cpuPerRequest, 0.85},
		{"rest-fetch", "caddy", p99, 1},
		{"rest-create", "caddy", p99, 1},
	}
	for _, group := range []string{"mcp-legacy", "mcp-modern", "stdio-legacy", "stdio-modern"} {
		out = append(out, target{group, "mcp-go", cpuPerRequest, 0.75})
	}
	out = append(
		out,
		target{"mcp-legacy", "go-sdk-sessions", cpuPerRequest, 0.3},
		target{"mcp-legacy", "go-sdk-stateless", cpuPerRequest, 0.3},
		target{"mcp-modern", "go-sdk-stateless", cpuPerRequest, 0.3},
		target{"stdio-legacy", "go-sdk", cpuPerRequest, 0.3},
		target{"stdio-modern", "go-sdk", cpuPerRequest, 0.3},
	)
	for _, group := range []string{"rest-fetch", "rest-create", "mcp-legacy", "mcp-modern"} {
		out = append(
			out,
			target{group, "", startCPU, 25},
			target{group, "", idleMemory, 20},
			target{group, "", peakMemory, 40},
			target{group, "", manyMemory, 60},
		)
	}
	return append(out, target{"rest-fetch", "", binarySize, 30})
}

// A verdict is a target with what was measured.
type verdict struct {
	What     string  `json:"what"`
	Most     float64 `json:"most"`
	Measured float64 `json:"measured"`
	Met      bool    `json:"met"`
}

// judge leaves out targets about what was not measured.
func judge(r *report) []verdict {
	var out []verdict
	for _, t := range targets() {
		what := fmt.Sprintf("%s: %s", t.group, t.metric.title())
		if t.peer != "" {
			what += " to " + t.peer
		}
		if measured := t.measured(r); !math.IsNaN(measured) {
			out = append(out, verdict{what, t.most, measured, measured <= t.most})
		}
	}
	return out
}

func (t target) measured(r *report) float64 {
	for _, g := range r.Groups {
		if g.Name != t.group {
			continue
		}
		if t.peer != "" {
			if row := g.row(t.peer); row != nil {
				if ratio, ok := row.Ratio[t.metric]; ok {
					return ratio
				}
			}
			return math.NaN()
		}
		if ours := g.row(product); ours != nil {
			if value, ok := ours.Median[t.metric]; ok {
				return value
			}
		}
	}
	return math.NaN()
}
