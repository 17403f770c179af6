//go:build linux

package kernel

import (
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	const tail = " S 41 7 7 0 -1 4194560 100 0 0 0 12 30 5 6 20 0 9 0 100 1 2"
	for _, tt := range []struct {
		name, text string
		want       stat
	}{
		{"plain", "7 (nginx)" + tail, stat{41, 420 * time.Millisecond}},
		{"a name with spaces and parentheses", "7 (a) S 1 (b) 2 )" + tail, stat{41, 420 * time.Millisecond}},
	} {
		got, err := parseStat([]byte(tt.text))
		if err != nil || got != tt.want {
			t.Errorf("%s: %+v, %v, want %+v", tt.name, got, err, tt.want)
		}
	}
	for _, text := range []string{"", "7 nginx S 41", "7 (nginx) S 41", "7 (nginx) S x 7 7 0 -1 4 1 0 0 0 12 30 5", "7 (nginx) S 1 7 7 0 -1 4 1 0 0 0 12 x 5"} {
		if got, err := parseStat([]byte(text)); err == nil {
			t.Errorf("%q was read as %+v", text, got)
		}
	}
}

func TestParseStatus(t *testing.T) {
	got, err := parseStatus([]byte("Name:\tVmRSS: x\nVmPeak:\t  900 kB\nVmHWM:\t   2048 kB\nVmRSS:\t   1024 kB\nThreads:\t3\n"))
	if want := (Memory{Now: 1 << 20, Peak: 2 << 20}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for _, text := range []string{
		"Name:\tzombie\nState:\tZ (zombie)\n", // has no memory any more
		"VmHWM:\t 1 kB\nVmRSS:\t 1 MB\n",
		"VmHWM:\t many kB\nVmRSS:\t 1 kB\n",
	} {
		if got, err := parseStatus([]byte(text)); err == nil {
			t.Errorf("%q was read as %+v", text, got)
		}
	}
}

// TestCPUTime compares the two accounts of the kernel: the clock must not be
// behind the ticks by more than ticks are coarse.
func TestCPUTime(t *testing.T) {
	pid := os.Getpid()
	before, err := CPUTime(pid)
	if err != nil {
		t.Fatal(err)
	}
	after := before
	for spin := 0; after < before+2*userTick; spin++ {
		if after, err = CPUTime(pid); err != nil {
			t.Fatal(err)
		}
	}
	coarse, err := readStat(pid)
	if err != nil {
		t.Fatal(err)
	}
	last, err := CPUTime(pid)
	if err != nil {
		t.Fatal(err)
	}
	// User and system time are rounded down, each by less than one tick.
	if coarse.cpu > last || coarse.cpu < after-2*userTick {
		t.Errorf("/proc says %v; the clock said %v before and %v after", coarse.cpu, after, last)
	}
}

// TestTree starts a shell that starts another program, and finds both on the
// core that they were bound to.
func TestTree(t *testing.T) {
	cores, err := Cores()
	if err != nil || len(cores) == 0 {
		t.Fatalf("cores %v, %v", cores, err)
	}
	core := cores[len(cores)-1]
	cmd := exec.Command("sh", "-c", "exec 3<&0; cat <&3 & echo $!; wait")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := OnCore(core, cmd.Start); err != nil {
		t.Fatal(err)
	}
	defer func() { in.Close(); _ = cmd.Wait() }()
	announced := make([]byte, 1)
	if _, err := io.ReadFull(out, announced); err != nil {
		t.Fatal(err)
	}
	tree, err := Tree(cmd.Process.Pid)
	if err != nil || len(tree) != 2 || tree[0] != cmd.Process.Pid {
		t.Fatalf("tree %v, %v; want the shell %d and one child", tree, err, cmd.Process.Pid)
	}
	for _, pid := range tree {
		if m, err := MemoryOf(pid); err != nil || m.Now <= 0 || m.Peak < m.Now {
			t.Errorf("memory of %d: %+v, %v", pid, m, err)
		}
		status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
		if err != nil {
			t.Fatal(err)
		}
		if want := "Cpus_allowed_list:\t" + strconv.Itoa(core) + "\n"; !strings.Contains(string(status), want) {
			t.Errorf("process %d is not bound: want %q in\n%s", pid, want, status)
		}
	}
	if now, err := Cores(); err != nil || !slices.Equal(now, cores) {
		t.Errorf("this process has cores %v, %v after that; want %v", now, err, cores)
	}
}
