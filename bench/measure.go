//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"patchbay-bench/internal/kernel"
	"patchbay-bench/internal/load"
	"patchbay-bench/internal/stats"
	"patchbay-bench/internal/stub"
)

// A bench is what all rows share: binaries, cores, the stub upstream.
type bench struct {
	plan     plan
	binaries map[string]string
	sizes    map[string]int64 // of binaries, by path
	dir      string
	core     int // of the server that is measured
	loadCore int // of load and stub; the same one where there is no other
	stub     *process
	address  string // the stub's
	log      io.Writer
	counts   http.Client
}

// prepare builds everything and starts the stub.
func prepare(ctx context.Context, p plan, chosen []group, log io.Writer) (*bench, error) {
	dir, err := os.MkdirTemp("", "patchbay-bench.")
	if err != nil {
		return nil, err
	}
	b := &bench{plan: p, dir: dir, log: log, sizes: map[string]int64{}}
	if err := b.prepare(ctx, chosen); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func (b *bench) prepare(ctx context.Context, chosen []group) error {
	bin := filepath.Join(b.dir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		return err
	}
	var err error
	// All cores build; only then this program goes to its own.
	if b.binaries, err = build(ctx, bin, chosen, b.log); err != nil {
		return err
	}
	cores, err := kernel.Cores()
	if err != nil {
		return err
	}
	b.core, b.loadCore = cores[0], cores[min(1, len(cores)-1)]
	if b.core == b.loadCore {
		fmt.Fprintln(b.log, "bench: there is one core only: servers and load share it, and requests per second mean little")
	}
	useOneCore()
	if err := kernel.PinSelf(b.loadCore); err != nil {
		return err
	}
	if b.address, err = freeAddress(); err != nil {
		return err
	}
	b.stub, err = start(ctx, b.loadCore, []string{b.binaries["upstream"], b.address}, append(environment(b.dir), "GOGC=400"), false)
	if err != nil {
		return err
	}
	return b.stub.await(ctx, b.address)
}

// close ends the stub and removes what was built.
func (b *bench) close() {
	if b.stub != nil {
		b.stub.stop()
	}
	if err := os.RemoveAll(b.dir); err != nil {
		fmt.Fprintln(b.log, "bench:", err)
	}
}

// rounds measures all rows as often as planned, the rows of each round next to
// each other. Every second round goes backwards, so that what drifts does not
// favour anybody.
func (b *bench) rounds(ctx context.Context, chosen []group) (*report, error) {
	began := time.Now()
	r := newReport(b, chosen)
	for round := range b.plan.Rounds {
		if round > 0 && time.Since(began) > b.plan.Limit {
			fmt.Fprintf(b.log, "bench: %v are over: %d rounds of %d\n", b.plan.Limit, round, b.plan.Rounds)
			break
		}
		r.Rounds = round + 1
		for _, cell := range order(r.rows(), round) {
			if cell.Skipped != "" {
				continue
			}
			f, err := b.measure(ctx, cell.work, cell.row)
			switch {
			case ctx.Err() != nil:
				return nil, context.Cause(ctx)
			case errors.Is(err, errAbsent):
				cell.Skipped = err.Error()
				continue
			case err != nil:
				f = figures{}
				failure := fmt.Sprintf("round %d, %s: %v", round+1, cell.Name, err)
				r.Failures = append(r.Failures, failure)
				fmt.Fprintln(b.log, "bench:", failure)
			}
			for len(cell.Rounds) < round {
				cell.Rounds = append(cell.Rounds, figures{})
			}
			cell.Rounds = append(cell.Rounds, f)
			fmt.Fprintf(b.log, "bench: round %d, %s: %s\n", round+1, cell.Name, f)
		}
	}
	r.finish()
	return r, nil
}

func order(rows []*rowReport, round int) []*rowReport {
	rows = slices.Clone(rows)
	if round%2 == 1 {
		slices.Reverse(rows)
	}
	return rows
}

// measure starts a row, measures it, and stops it.
func (b *bench) measure(ctx context.Context, w work, r row) (f figures, err error) {
	// Whatever hangs is killed, and with it the calls that wait for it.
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute+b.plan.Warm+b.plan.Saturate+b.plan.Steady, errors.New("the row took too long"))
	defer cancel()
	before, err := b.counted(ctx)
	if err != nil {
		return nil, err
	}
	f = figures{}
	var g load.Generator
	if r.launch == nil {
		g, err = load.OpenHTTP(w.call(b.address, true), 1)
		if err == nil {
			err = b.load(f, g, nil)
		}
	} else {
		var p *process
		if p, err = b.launch(ctx, w, r, f); p != nil {
			defer p.stop()
		}
		if err == nil {
			g, err = b.firstAnswer(ctx, w, p, f)
		}
		if err == nil {
			err = b.load(f, g, p)
		}
		if err != nil && p != nil {
			err = p.failure(err)
		}
	}
	if g != nil {
		defer g.Close()
	}
	if err != nil {
		return nil, err
	}
	return f, b.check(ctx, w, r, before, g.Answered())
}

// launch starts a row's process.
func (b *bench) launch(ctx context.Context, w work, r row, f figures) (*process, error) {
	s := site{binaries: b.binaries, stub: b.address, mcp: w == callLegacy || w == callModern}
	var err error
	if !w.stdio() {
		if s.listen, err = freeAddress(); err != nil {
			return nil, err
		}
	}
	if s.dir, err = os.MkdirTemp(b.dir, "row."); err != nil {
		return nil, err
	}
	argv, err := r.launch(s)
	if err != nil {
		return nil, err
	}
	size, ok := b.sizes[argv[0]]
	if !ok {
		if size, err = strippedSize(argv[0]); err != nil {
			return nil, err
		}
		b.sizes[argv[0]] = size
	}
	f[binarySize] = megabytes(size)
	p, err := start(ctx, b.core, argv, environment(s.dir), w.stdio())
	if err == nil {
		p.listen = s.listen
	}
	return p, err
}

// firstAnswer makes one call as soon as that is possible, and says what it cost
// to get there.
func (b *bench) firstAnswer(ctx context.Context, w work, p *process, f figures) (load.Generator, error) {
	var g load.Generator
	if w.stdio() {
		open, call := w.lines()
		s, err := load.OpenStdio(p.in, p.out, open, call, []byte(mcpWant), b.plan.Connections)
		if err != nil {
			return nil, err
		}
		g = s
	} else {
		if err := p.await(ctx, p.listen); err != nil {
			return nil, err
		}
		h, err := load.OpenHTTP(w.call(p.listen, false), 1)
		if err != nil {
			return nil, err
		}
		g = h
	}
	f[startWall] = milliseconds(time.Since(p.started))
	used, err := p.cpu()
	if err != nil {
		return g, err
	}
	f[startCPU] = milliseconds(used)
	m, err := p.memory()
	f[idleMemory] = megabytes(m.Now)
	return g, err
}

// load runs the phases. Without a process only what callers see is measured.
func (b *bench) load(f figures, g load.Generator, p *process) error {
	h, overHTTP := g.(*load.HTTP)
	if overHTTP {
		if err := h.Grow(b.plan.Connections); err != nil {
			return err
		}
	}
	if _, err := g.Saturate(b.plan.Warm); err != nil {
		return fmt.Errorf("warming up: %w", err)
	}
	cpu := func() (time.Duration, error) {
		if p == nil {
			return 0, nil
		}
		return p.cpu()
	}
	began, err := cpu()
	if err != nil {
		return err
	}
	saturated, err := g.Saturate(b.plan.Saturate)
	if err != nil {
		return fmt.Errorf("at saturation: %w", err)
	}
	ended, err := cpu()
	if err != nil {
		return err
	}
	f[rate] = float64(saturated.Answered) / saturated.Elapsed.Seconds()
	if p != nil {
		f[cpuPerRequest] = milliseconds(ended-began) / float64(saturated.Answered)
		f[busy] = 100 * (ended - began).Seconds() / saturated.Elapsed.Seconds()
	}
	steady, err := g.Steady(b.plan.Rate, b.plan.Steady)
	if err != nil {
		return fmt.Errorf("at the fixed rate: %w", err)
	}
	f[p50], f[p99] = stats.Quantile(steady.Latencies, 0.5), stats.Quantile(steady.Latencies, 0.99)
	if p == nil {
		return nil
	}
	m, err := p.memory()
	if err != nil {
		return err
	}
	f[peakMemory] = megabytes(m.Peak)
	if !overHTTP {
		return nil
	}
	if err := h.Grow(b.plan.Many); err != nil {
		return fmt.Errorf("holding %d connections: %w", b.plan.Many, err)
	}
	m, err = p.memory()
	f[manyMemory] = megabytes(m.Now)
	return err
}

// check compares what the load was answered with what the stub counted: each
// answer has to stand for one call that was right, and nothing else may have come.
func (b *bench) check(ctx context.Context, w work, r row, before stub.Report, answered int64) error {
	after, err := b.counted(ctx)
	if err != nil {
		return err
	}
	good, others := w.good(r, after.Sub(before.Counts))
	if good != answered || others != 0 {
		return fmt.Errorf("%d calls were answered, the upstream counted %d good ones and %d others (%s)", answered, good, others, after.Why)
	}
	return nil
}

// counted asks the stub what it has counted.
func (b *bench) counted(ctx context.Context) (stub.Report, error) {
	var out stub.Report
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+b.address+stub.CountsPath, nil)
	if err != nil {
		return out, err
	}
	res, err := b.counts.Do(req)
	if err != nil {
		return out, err
	}
	defer res.Body.Close()
	return out, json.NewDecoder(res.Body).Decode(&out)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func megabytes(bytes int64) float64 { return float64(bytes) / 1e6 }

// String names the figures of one round that one looks at while it runs.
func (f figures) String() string {
	var parts []string
	for _, m := range []metric{rate, cpuPerRequest, p99, peakMemory} {
		if value, ok := f[m]; ok {
			parts = append(parts, fmt.Sprintf("%s %s", m.format(value), m.title()))
		}
	}
	return strings.Join(parts, ", ")
}
