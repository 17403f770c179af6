//go:build linux

// Bench compares Patchbay with what somebody would use instead: a gateway or an
// MCP server written by hand, the standard library's proxy, Caddy, nginx, and
// two MCP libraries. Everything runs on this machine and on loopback: the server
// that is measured on one core, the load and the stub upstream on another.
//
// It builds what it compares, starts and stops it, row by row and round by
// round, prints a table, and writes it with all that was measured to a file of
// JSON. docs/performance.md says what the figures mean.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"syscall"
	"time"
)

// A plan is how much is measured.
type plan struct {
	Rounds int `json:"rounds"`
	// Warm, Saturate and Steady are how long each phase takes.
	Warm     time.Duration `json:"warm_ns"`
	Saturate time.Duration `json:"saturate_ns"`
	Steady   time.Duration `json:"steady_ns"`
	// Rate is that of Steady, in requests per second.
	Rate float64 `json:"rate"`
	// Connections make the load; Many are held open at the end.
	Connections int `json:"connections"`
	Many        int `json:"many_connections"`
	// Limit is the time after which no other round begins.
	Limit time.Duration `json:"limit_ns"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if err := compare(ctx, args, stdout, stderr); err != nil {
		if err != flag.ErrHelp {
			fmt.Fprintln(stderr, "bench:", err)
		}
		return 1
	}
	return 0
}

func compare(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	full := plan{
		Rounds: 5, Warm: 300 * time.Millisecond, Saturate: 1200 * time.Millisecond, Steady: 1500 * time.Millisecond,
		Rate: 1000, Connections: 16, Many: 1000, Limit: 11 * time.Minute,
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	p := full
	quick := flags.Bool("quick", false, "one short round: whether it works, not how fast it is")
	flags.IntVar(&p.Rounds, "rounds", full.Rounds, "how often each row is measured")
	flags.DurationVar(&p.Warm, "warm", full.Warm, "time to warm up")
	flags.DurationVar(&p.Saturate, "duration", full.Saturate, "time at saturation")
	flags.DurationVar(&p.Steady, "steady", full.Steady, "time at the fixed rate")
	flags.Float64Var(&p.Rate, "rate", full.Rate, "requests per second of the fixed rate")
	flags.IntVar(&p.Connections, "connections", full.Connections, "connections that make the load; over stdio, calls under way")
	flags.IntVar(&p.Many, "many", full.Many, "connections that are held open at the end")
	flags.DurationVar(&p.Limit, "limit", full.Limit, "time after which no other round begins")
	rows := flags.String("rows", "", "`REGEXP`: only rows whose group/peer matches, such as rest-fetch/ or /(patchbay|caddy)$")
	list := flags.Bool("list", false, "list the rows and measure nothing")
	results := flags.String("results", "results", "`DIR` for the report as text and JSON")
	docs := flags.String("update-docs", "", "write the table into this `FILE`, between its markers")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is no flag; bench -h lists them", flags.Arg(0))
	}
	if *quick {
		if err := shorten(flags); err != nil {
			return err
		}
	}
	if p.Rounds < 1 || p.Rate <= 0 || p.Connections < 1 || p.Many < p.Connections {
		return fmt.Errorf("rounds, rate and connections have to be positive, and -many at least -connections (%d)", p.Connections)
	}
	chosen, err := choose(groups(), *rows)
	if err != nil {
		return err
	}
	if *list {
		for _, g := range chosen {
			for _, r := range g.rows {
				fmt.Fprintf(stdout, "%s/%s\n", g.name, r.peer)
			}
		}
		return nil
	}
	b, err := prepare(ctx, p, chosen, stderr)
	if err != nil {
		return err
	}
	defer b.close()
	report, err := b.rounds(ctx, chosen)
	if err != nil {
		return err
	}
	fmt.Fprint(stdout, report.text())
	if err := report.save(*results); err != nil {
		return err
	}
	if *docs != "" {
		if err := updateDocs(*docs, report); err != nil {
			return err
		}
	}
	if len(report.Failures) > 0 {
		return fmt.Errorf("%d measurements failed", len(report.Failures))
	}
	return nil
}

// shorten makes quick what the command line leaves open.
func shorten(flags *flag.FlagSet) error {
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for name, value := range map[string]string{"rounds": "1", "warm": "100ms", "duration": "400ms", "steady": "500ms"} {
		if !given[name] {
			if err := flags.Set(name, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// choose leaves the rows that an expression matches, and groups with rows.
func choose(all []group, expression string) ([]group, error) {
	match, err := regexp.Compile(expression)
	if err != nil {
		return nil, fmt.Errorf("-rows: %w", err)
	}
	var out []group
	for _, g := range all {
		var rows []row
		for _, r := range g.rows {
			if match.MatchString(g.name + "/" + r.peer) {
				rows = append(rows, r)
			}
		}
		if g.rows = rows; len(rows) > 0 {
			out = append(out, g)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("-rows %s: no row matches; -list shows them", expression)
	}
	return out, nil
}

// useOneCore keeps the load generator from using more of the machine than its
// core, and gives the thread that paces requests one that is not waited for.
func useOneCore() { runtime.GOMAXPROCS(4) }
