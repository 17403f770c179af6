package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// patience bounds waiting for a process that hangs. Nothing is measured
	// with it: a run in which it matters has failed already.
	patience = time.Minute

	restNamespace = "flex-interactions-rest"
	mcpNamespace  = "flex-interactions-mcp"

	seedInteraction = "KD5eed0000000000000000000000000001"
	seedChannel     = "UO5eed0000000000000000000000000001"
	noInteraction   = "KD00000000000000000000000000000000"

	workspaceSID = "WS5eed0000000000000000000000000001"
	workflowSID  = "WW5eed0000000000000000000000000001"
)

// command is the path of the command under test, set by TestMain.
var command string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	// Twilio's client builds other hosts from these, and the tests' own
	// environment must not lend credentials to anything.
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "TWILIO_") {
			os.Unsetenv(name)
		}
	}
	if command = os.Getenv("PATCHBAY"); command != "" {
		var err error
		if command, err = filepath.Abs(command); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "patchbay-e2e.")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	command = filepath.Join(dir, "patchbay")
	build := exec.Command("go", "build", "-o", command, "./cmd/patchbay")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n%s", build, err, out)
		return 1
	}
	return m.Run()
}

// patchbay prepares the command with exactly the given variables as its environment.
func patchbay(env []string, args ...string) *exec.Cmd {
	cmd := exec.Command(command, args...)
	cmd.Env = append([]string{}, env...)
	return cmd
}

// ended is what is left of a process.
type ended struct {
	code           int
	stdout, stderr string
}

// run waits for a command that is expected to end by itself.
func run(t *testing.T, env []string, args ...string) ended {
	t.Helper()
	cmd := patchbay(env, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer time.AfterFunc(patience, func() { _ = cmd.Process.Kill() }).Stop()
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return ended{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// process is a running server. Its addresses are those that it announced.
type process struct {
	t         *testing.T
	cmd       *exec.Cmd
	stderr    *stream
	announced string // stdout up to and with "Stop with Ctrl-C."
	reading   chan struct{}

	rest    string // REST adapter, such as http://127.0.0.1:40001
	mcp     string // MCP endpoint, such as http://127.0.0.1:40002/mcp
	sandbox string // simulator, such as http://127.0.0.1:40003
	control string // control listener, such as http://127.0.0.1:40004
}

// serve starts patchbay serve on free ports.
func serve(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	free := []string{"serve", "--listen", restNamespace + "=127.0.0.1:0", "--listen", mcpNamespace + "=127.0.0.1:0"}
	return start(t, env, slices.Concat(free, args)...)
}

// serveSandbox serves the embedded capability in front of a simulator whose new
// channels are active at once.
func serveSandbox(t *testing.T) *process {
	t.Helper()
	p := serve(t, nil, "--sandbox", "--sandbox-setup-delay", "0s", "--log-level", "debug")
	if p.rest == "" || p.mcp == "" || p.sandbox == "" {
		t.Fatalf("addresses are missing in:\n%s", p.announced)
	}
	return p
}

// start runs a server until the end of the test, when it must stop on SIGTERM
// with exit code 0. It returns once the server has announced itself, which is
// after its listeners are open.
func start(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: patchbay(env, args...), stderr: newStream(), reading: make(chan struct{})}
	p.cmd.Stderr = p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			p.terminate()
			p.stopped()
		}
	})
	watchdog := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	lines := bufio.NewScanner(stdout)
	for lines.Scan() && !p.read(lines.Text()) {
	}
	watchdog.Stop()
	go func() {
		defer close(p.reading)
		_, _ = io.Copy(io.Discard, stdout)
	}()
	if !strings.Contains(p.announced, "Stop with Ctrl-C.") {
		<-p.reading
		_ = p.cmd.Wait()
		t.Fatalf("%s ended before it served: %v\nstdout:\n%s\nstderr:\n%s", p.cmd, p.cmd.ProcessState, p.announced, p.stderr)
	}
	return p
}

// read takes the addresses from a line of the announcement; true ends it.
func (p *process) read(line string) bool {
	p.announced += line + "\n"
	words := strings.Fields(line)
	switch {
	case len(words) >= 2 && words[0] == "REST":
		p.rest = words[1]
	case len(words) >= 2 && words[0] == "MCP":
		p.mcp = words[1]
	case strings.HasPrefix(line, "Upstream  the sandbox, "):
		p.sandbox = strings.TrimSuffix(words[3], ",")
	case len(words) == 2 && words[0] == "Control":
		p.control = strings.TrimSuffix(words[1], "/")
	case strings.HasPrefix(line, "The simulator of "):
		p.sandbox = words[len(words)-1]
	}
	return line == "Stop with Ctrl-C."
}

// terminate asks the process to stop, as a supervisor does.
func (p *process) terminate() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Errorf("SIGTERM: %v\nstderr:\n%s", err, p.stderr)
	}
}

// stopped waits for the end, and shows stderr when that or the test is a failure.
func (p *process) stopped() {
	p.t.Helper()
	defer time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() }).Stop()
	<-p.reading
	_ = p.cmd.Wait()
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		p.t.Errorf("%s ended with %v, want exit code 0", p.cmd, p.cmd.ProcessState)
	}
	if p.t.Failed() {
		p.t.Logf("stderr of %s:\n%s", p.cmd, p.stderr)
	}
}

// stream collects what a process writes and tells when a text has come.
type stream struct {
	mu      sync.Mutex
	written sync.Cond
	text    bytes.Buffer
}

func newStream() *stream {
	s := &stream{}
	s.written.L = &s.mu
	return s
}

func (s *stream) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.written.Broadcast()
	return s.text.Write(b)
}

func (s *stream) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// await blocks until the text has been written.
func (s *stream) await(t *testing.T, text string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	late := false
	defer time.AfterFunc(patience, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		late = true
		s.written.Broadcast()
	}).Stop()
	for !strings.Contains(s.text.String(), text) {
		if late {
			t.Fatalf("%q did not come; so far:\n%s", text, s.text.String())
		}
		s.written.Wait()
	}
}

// eventually waits for what happens elsewhere.
func eventually(t *testing.T, what string, is func() (string, bool)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		found, ok := is()
		if ok {
			return
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatalf("%s: never; %s", what, found)
		}
	}
}
