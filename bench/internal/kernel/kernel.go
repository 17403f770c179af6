//go:build linux

// Package kernel reads what Linux accounts for other processes: the CPU time
// they used, the memory they hold, who started whom. It also says on which core
// a process runs.
//
// CPU time is not a sample. The scheduler adds up for every thread, in
// nanoseconds, how long it ran; the process's CPU clock is the sum over all of
// its threads, those that ended included.
package kernel

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// userTick is the unit of times in /proc/PID/stat. Linux shows them to
// programs in hundredths of a second on every architecture that Go runs on.
const userTick = 10 * time.Millisecond

// CPUTime returns the CPU time, user and system, that a process has used so far.
func CPUTime(pid int) (time.Duration, error) {
	// clock_getcpuclockid(3): the clock of process N is ^N<<3, and 2 chooses
	// the scheduler's own accounting.
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|2), &ts); err == nil {
		return time.Duration(ts.Nano()), nil
	}
	// Some sandboxes have no such clocks. Ticks are coarse, but true.
	stat, err := readStat(pid)
	return stat.cpu, err
}

// Memory is what a process holds in RAM, in bytes. Pages that processes share
// are counted for each of them.
type Memory struct {
	Now, Peak int64
}

// MemoryOf returns a process's resident memory: VmRSS and VmHWM of
// /proc/PID/status.
func MemoryOf(pid int) (Memory, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return Memory{}, err
	}
	return parseStatus(text)
}

func parseStatus(text []byte) (Memory, error) {
	var m Memory
	for line := range bytes.Lines(text) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		var to *int64
		switch string(name) {
		case "VmRSS":
			to = &m.Now
		case "VmHWM":
			to = &m.Peak
		default:
			continue
		}
		number, unit, _ := bytes.Cut(bytes.TrimSpace(value), []byte(" "))
		kilobytes, err := strconv.ParseInt(string(number), 10, 64)
		if err != nil || string(unit) != "kB" {
			return Memory{}, fmt.Errorf("%s of a process is %q, want a number of kB", name, bytes.TrimSpace(value))
		}
		*to = kilobytes << 10
	}
	if m.Now == 0 || m.Peak == 0 {
		return Memory{}, errors.New("the process has no memory: it has ended")
	}
	return m, nil
}

// A stat is what this package wants of /proc/PID/stat.
type stat struct {
	parent int
	cpu    time.Duration
}

func readStat(pid int) (stat, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, err
	}
	return parseStat(text)
}

// parseStat reads proc_pid_stat(5). The command's name, in parentheses, may
// hold spaces and parentheses of its own: fields are counted after the last one.
func parseStat(text []byte) (stat, error) {
	end := bytes.LastIndexByte(text, ')')
	fields := bytes.Fields(text[end+1:])
	if end < 0 || len(fields) < 13 {
		return stat{}, fmt.Errorf("not a line of /proc/PID/stat: %q", text)
	}
	// Fields 4, 14 and 15 of the manual; the first one here is its third.
	parent, err := strconv.Atoi(string(fields[1]))
	if err != nil {
		return stat{}, fmt.Errorf("parent in /proc/PID/stat: %w", err)
	}
	s := stat{parent: parent}
	for _, field := range fields[11:13] {
		ticks, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return stat{}, fmt.Errorf("time in /proc/PID/stat: %w", err)
		}
		s.cpu += time.Duration(ticks) * userTick
	}
	return s, nil
}

// Tree returns a process and all that descend from it, the parents first.
func Tree(pid int) ([]int, error) {
	names, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	children := map[int][]int{}
	for _, name := range names {
		child, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if err != nil {
			continue
		}
		// A process that ended meanwhile is nobody's child any more.
		if s, err := readStat(child); err == nil {
			children[s.parent] = append(children[s.parent], child)
		}
	}
	tree := []int{pid}
	for i := 0; i < len(tree); i++ {
		tree = append(tree, children[tree[i]]...)
	}
	return tree, nil
}
