//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"patchbay-bench/internal/kernel"
	"patchbay-bench/internal/workload"
)

// stopTime is how long a process may take to end when it is asked to.
const stopTime = 5 * time.Second

// A process is a server that this program started, with what it started itself.
type process struct {
	cmd     *exec.Cmd
	in      io.WriteCloser // its standard input and output, where those are used
	out     io.ReadCloser
	log     *tail
	listen  string // where it serves, HOST:PORT
	started time.Time
	ended   chan struct{}
}

// environment is all that a server is started with: what would be a secret
// elsewhere, one core for those written in Go, and a home for those that write.
func environment(home string) []string {
	return []string{
		"TWILIO_USER=" + workload.User, "TWILIO_PASS=" + workload.Password, "GOMAXPROCS=1",
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_DATA_HOME=" + home, "XDG_CONFIG_HOME=" + home, "TMPDIR=" + home,
	}
}

// start runs a command on a core. It is killed when the context ends, and by the
// kernel when this program does.
func start(ctx context.Context, core int, argv, env []string, streams bool) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, argv[0], argv[1:]...), log: &tail{}, ended: make(chan struct{})}
	p.cmd.Env = env
	p.cmd.Stderr = p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.cmd.WaitDelay = stopTime
	if streams {
		// Pipes of our own: those of exec are closed as soon as the process ends,
		// also before its last words were read.
		inRead, inWrite, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		outRead, outWrite, err := os.Pipe()
		if err != nil {
			return nil, errors.Join(err, inRead.Close(), inWrite.Close())
		}
		p.cmd.Stdin, p.cmd.Stdout, p.in, p.out = inRead, outWrite, inWrite, outRead
		defer inRead.Close()
		defer outWrite.Close()
	}
	p.started = time.Now()
	if err := kernel.OnCore(core, p.cmd.Start); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait()
	}()
	return p, nil
}

// await blocks until somebody listens at an address, or the process has ended.
func (p *process) await(ctx context.Context, address string) error {
	for {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			return c.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("nobody listens at %s: %w", address, context.Cause(ctx))
		case <-p.ended:
			return p.failure(errors.New("it ended before it listened"))
		case <-time.After(time.Millisecond):
		}
	}
}

// failure adds to an error what the process had to say about it.
func (p *process) failure(err error) error {
	if said := p.log.String(); said != "" {
		return fmt.Errorf("%w; its standard error: %s", err, said)
	}
	return err
}

// cpu returns the CPU time of the process and of those it started.
func (p *process) cpu() (time.Duration, error) {
	pids, err := kernel.Tree(p.cmd.Process.Pid)
	var sum time.Duration
	for _, pid := range pids {
		used, broken := kernel.CPUTime(pid)
		sum, err = sum+used, errors.Join(err, broken)
	}
	return sum, err
}

// memory returns the resident memory of the process and of those it started.
func (p *process) memory() (kernel.Memory, error) {
	pids, err := kernel.Tree(p.cmd.Process.Pid)
	var sum kernel.Memory
	for _, pid := range pids {
		m, broken := kernel.MemoryOf(pid)
		sum.Now, sum.Peak, err = sum.Now+m.Now, sum.Peak+m.Peak, errors.Join(err, broken)
	}
	return sum, err
}

// stop ends the process and all that it started, and returns when they have ended.
func (p *process) stop() {
	pids, _ := kernel.Tree(p.cmd.Process.Pid)
	if p.in != nil {
		p.in.Close()
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(stopTime):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
	// Children that outlive their parent; those that did not are not there.
	for _, pid := range pids[min(1, len(pids)):] {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	if p.out != nil {
		p.out.Close()
	}
}

// freeAddress returns a loopback address that nobody listens at. Until a server
// does, somebody else could; that is an error of one round.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const maxTail = 2 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	t.text = t.text[max(0, len(t.text)-maxTail):]
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.text))
}
