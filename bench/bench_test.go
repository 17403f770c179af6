//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"patchbay-bench/internal/kernel"
)

// patience bounds waiting for what hangs.
const patience = 2 * time.Minute

// TestRows runs every row with a few requests. That each answer stands for one
// call that was right is checked where rows are measured.
func TestRows(t *testing.T) {
	if os.Getenv("CADDY") == "" {
		t.Setenv("CADDY", "none") // it takes minutes to build
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var log bytes.Buffer
	b, err := prepare(ctx, plan{
		Rounds: 1, Warm: 5 * time.Millisecond, Saturate: 20 * time.Millisecond, Steady: 20 * time.Millisecond,
		Rate: 1000, Connections: 3, Many: 6, Limit: time.Hour,
	}, groups(), &log)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		dir := b.dir
		b.close()
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there: %v", dir, err)
		}
	}()
	for _, g := range groups() {
		for _, r := range g.rows {
			t.Run(g.name+"/"+r.peer, func(t *testing.T) {
				f, err := b.measure(ctx, g.work, r)
				if errors.Is(err, errAbsent) {
					t.Skip(err)
				}
				if err != nil {
					t.Fatal(err)
				}
				want := metrics()
				if r.launch == nil {
					want = []metric{rate, p50, p99}
				} else if g.work.stdio() {
					want = slices.DeleteFunc(want, func(m metric) bool { return m == manyMemory })
				}
				if got := slices.Sorted(maps.Keys(f)); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
					t.Errorf("figures %v, want %v", got, want)
				}
				for m, value := range f {
					if !(value > 0) {
						t.Errorf("%s is %v", m, value)
					}
				}
			})
		}
	}

	// Rows that do not do what they say, and how that is found.
	for _, tt := range []struct {
		name string
		work work
		row  row
		want string
	}{
		{
			"a proxy that makes no form", create,
			row{launch: launchPeer("reverseproxy", "")},
			"the upstream counted 0 good ones and ",
		},
		{
			"wrong credentials", fetch,
			row{launch: func(s site) ([]string, error) {
				argv, err := launchPeer("handwritten", "")(s)
				return append([]string{"/usr/bin/env", "TWILIO_PASS=wrong"}, argv...), err
			}},
			`answer 401, want a success`,
		},
		{
			"a process that ends", fetch,
			row{launch: func(site) ([]string, error) { return []string{"/bin/sh", "-c", "echo out of order >&2"}, nil }},
			"it ended before it listened; its standard error: out of order",
		},
		{
			"a process that says nothing", stdioModern,
			row{launch: func(site) ([]string, error) { return []string{"/bin/sh", "-c", "read line"}, nil }},
			"the process closed its output",
		},
		{
			"what is not there", fetch,
			row{launch: launchPeer("traefik", "")},
			"traefik: not on this machine",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if f, err := b.measure(ctx, tt.work, tt.row); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, %v, want %q", f, err, tt.want)
			}
		})
	}
	t.Run("the report", func(t *testing.T) {
		log.Reset()
		chosen, err := choose(groups(), "^rest-fetch/(direct|patchbay|handwritten)$")
		if err != nil {
			t.Fatal(err)
		}
		r, err := b.rounds(ctx, chosen)
		if err != nil || len(r.Failures) > 0 {
			t.Fatalf("%v, %v", err, r)
		}
		dir := t.TempDir()
		if err := r.save(dir); err != nil {
			t.Fatal(err)
		}
		saved, err := os.ReadFile(filepath.Join(dir, "bench.json"))
		if err != nil {
			t.Fatal(err)
		}
		var read report
		if err := json.Unmarshal(saved, &read); err != nil {
			t.Fatal(err)
		}
		floor := read.Groups[0].row("handwritten")
		if floor == nil || floor.Median[cpuPerRequest] <= 0 || floor.Ratio[cpuPerRequest] <= 0 || len(floor.Rounds) != 1 {
			t.Errorf("the floor's row is %+v in\n%s", floor, saved)
		}
		for _, want := range []string{"round 1, rest-fetch/direct: ", "round 1, rest-fetch/handwritten: "} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log lacks %q:\n%s", want, &log)
			}
		}
	})
}

// TestStop ends a process with a child that does not listen.
func TestStop(t *testing.T) {
	cores, err := kernel.Cores()
	if err != nil {
		t.Fatal(err)
	}
	script := `(trap "" TERM; echo ready; exec tail -f /dev/null) & wait`
	p, err := start(t.Context(), cores[0], []string{"/bin/sh", "-c", script}, environment(t.TempDir()), true)
	if err != nil {
		t.Fatal(err)
	}
	// Both hold the pipe's other end, until both have ended.
	fd, err := syscall.Dup(int(p.out.(*os.File).Fd()))
	if err != nil {
		t.Fatal(err)
	}
	out := os.NewFile(uintptr(fd), "output")
	defer out.Close()
	ready := make([]byte, len("ready\n"))
	if _, err := io.ReadFull(out, ready); err != nil || string(ready) != "ready\n" {
		t.Fatalf("%q, %v", ready, err)
	}
	if pids, err := kernel.Tree(p.cmd.Process.Pid); err != nil || len(pids) != 2 {
		t.Fatalf("processes %v, %v; want a shell and its child", pids, err)
	}
	p.stop()
	if p.cmd.ProcessState == nil {
		t.Error("stop came back before the process had ended")
	}
	if rest, err := io.ReadAll(out); err != nil || len(rest) > 0 {
		t.Errorf("%q, %v; want the end of the output", rest, err)
	}
}

func TestTail(t *testing.T) {
	var log tail
	for range maxTail {
		if _, err := log.Write([]byte("ab")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := log.Write([]byte("end\n")); err != nil {
		t.Fatal(err)
	}
	if got := log.String(); len(got) > maxTail || !strings.HasSuffix(got, "abend") {
		t.Errorf("the tail is %d bytes and ends in %q", len(got), got[max(0, len(got)-8):])
	}
}

func TestStrippedSize(t *testing.T) {
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(own)
	if err != nil {
		t.Fatal(err)
	}
	if size, err := strippedSize(own); err != nil || size <= info.Size()/4 || size > info.Size() {
		t.Errorf("%d of %d bytes, %v", size, info.Size(), err)
	}
	if _, err := strippedSize("bench_test.go"); err == nil {
		t.Error("a text has a size as a binary")
	}
}
