package doctest

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"patchbay/internal/spec"
)

// A server is patchbay, serving what a document shows.
type server struct {
	cmd    *exec.Cmd
	log    bytes.Buffer
	output chan string
	// real maps an address of the document to the one that is used.
	real map[string]string
}

// embedded are the addresses of the capability that runs without a file.
func embedded() []string {
	return []string{"flex-interactions-rest=127.0.0.1:8080", "flex-interactions-mcp=127.0.0.1:9090"}
}

// serve starts what a block shows, in place of what was served before.
func (r *run) serve(b *block) string {
	if err := r.stop(); err != nil {
		return err.Error()
	}
	shown, expected, _ := strings.Cut(b.text, "\n")
	command := strings.TrimPrefix(shown, "$ ")
	command, _, _ = strings.Cut(command, " #")
	args := strings.Fields(strings.ReplaceAll(command, "go run ./cmd/patchbay", "patchbay"))
	if len(args) < 2 || args[0] != "patchbay" || args[1] != "serve" {
		return fmt.Sprintf("%q does not start a server", shown)
	}
	s := &server{real: map[string]string{}, output: make(chan string, 1)}
	args, listens := s.free(args[1:], r.dir)
	s.cmd = exec.Command(r.program, args...)
	s.cmd.Dir, s.cmd.Env, s.cmd.Stderr = r.dir, r.env, &s.log
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		return err.Error()
	}
	if err := s.cmd.Start(); err != nil {
		return err.Error()
	}
	r.server = s
	got, ready := s.await(stdout)
	if !ready {
		_ = r.stop()
		return "the server did not start:\n" + got + s.log.String()
	}
	s.addresses(got, listens)
	if got = r.outward(got); expected != "" && !matches(expected, got, false) {
		return "it prints something else:\n" + got
	}
	return ""
}

// free replaces the ports in a command line, and those of the files that it
// names, by free ones. It returns the namespaces that listen, with the addresses
// that the document says.
func (s *server) free(args []string, dir string) (out []string, listens map[string]string) {
	listens = map[string]string{}
	files := false
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == "--listen" && i+1 < len(args):
			i++
			namespace, address, _ := strings.Cut(args[i], "=")
			listens[namespace] = address
		case args[i] == "--sandbox-listen" && i+1 < len(args):
			i++
			listens["sandbox"] = args[i]
		case args[i] == "--control" && i+1 < len(args):
			i++
			listens["control"] = args[i]
		default:
			out = append(out, args[i])
			if strings.HasSuffix(args[i], ".yaml") {
				files = true
				declared(listens, filepath.Join(dir, args[i]))
			}
		}
	}
	for _, l := range embedded() {
		if namespace, address, _ := strings.Cut(l, "="); listens[namespace] == "" && !files {
			listens[namespace] = address
		}
	}
	count := map[string]int{}
	for _, address := range listens {
		count[address]++
	}
	for namespace, address := range listens {
		switch {
		case namespace == "sandbox":
			out = append(out, "--sandbox-listen", "127.0.0.1:0")
			continue
		case namespace == "control":
			out = append(out, "--control", "127.0.0.1:0")
			continue
		case count[address] > 1 && s.real[address] == "":
			s.real[address] = unused()
		}
		out = append(out, "--listen", namespace+"="+cmp.Or(s.real[address], "127.0.0.1:0"))
	}
	return out, listens
}

// declared adds the addresses of a file that nothing else decides.
func declared(listens map[string]string, path string) {
	data, err := os.ReadFile(path)
	if err != nil {
		return // patchbay says what is wrong with it
	}
	doc, _ := spec.Load(path, data)
	for i := range doc.Exposes {
		e := &doc.Exposes[i]
		if listens[e.Namespace.Value] == "" && e.Port.Value != 0 {
			listens[e.Namespace.Value] = fmt.Sprintf("127.0.0.1:%d", e.Port.Value)
		}
	}
}

// unused is an address that nobody listens on at the moment, for adapters that
// share one.
func unused() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return ""
	}
	defer l.Close()
	return l.Addr().String()
}

// await reads until the server says that it is ready, and goes on reading.
func (s *server) await(stdout io.Reader) (text string, ready bool) {
	lines := bufio.NewScanner(stdout)
	var out strings.Builder
	for lines.Scan() {
		out.WriteString(lines.Text() + "\n")
		if strings.HasPrefix(lines.Text(), "Stop with") {
			go func() {
				rest, _ := io.ReadAll(stdout)
				s.output <- string(rest)
			}()
			return out.String(), true
		}
	}
	s.output <- ""
	return out.String(), false
}

// addresses learns where the adapters and the simulator listen.
func (s *server) addresses(announced string, listens map[string]string) {
	adapter := regexp.MustCompile(`(?m)^(?:REST|MCP) +(\S+) +\((\S+)\)`)
	for _, m := range adapter.FindAllStringSubmatch(announced, -1) {
		if u, err := url.Parse(m[1]); err == nil && listens[m[2]] != "" {
			s.real[listens[m[2]]] = u.Host
		}
	}
	operators := regexp.MustCompile(`(?m)^Control +(\S+)/`)
	if m := operators.FindStringSubmatch(announced); m != nil {
		if u, err := url.Parse(m[1]); err == nil {
			s.real[listens["control"]] = u.Host
		}
	}
	simulator := regexp.MustCompile(`(?m)^Upstream +the sandbox, (\S+),`)
	if m := simulator.FindStringSubmatch(announced); m != nil && listens["sandbox"] != "" {
		if u, err := url.Parse(m[1]); err == nil {
			s.real[listens["sandbox"]] = u.Host
		}
	}
}

// inward puts the real addresses into a command, outward the document's into
// an output.
func (r *run) inward(text string) string {
	var pairs []string
	if r.server != nil {
		for shown, used := range r.server.real {
			pairs = append(pairs, shown, used)
		}
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

func (r *run) outward(text string) string {
	var pairs []string
	if r.server != nil {
		for shown, used := range r.server.real {
			pairs = append(pairs, used, shown)
		}
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// stop ends the server as an operator does. It has to end by itself, with 0.
func (r *run) stop() error {
	s := r.server
	if s == nil {
		return nil
	}
	r.server = nil
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stopping the server: %w", err)
	}
	overdue := time.AfterFunc(patience, func() { _ = s.cmd.Process.Kill() })
	defer overdue.Stop()
	<-s.output
	if err := s.cmd.Wait(); err != nil {
		return fmt.Errorf("the server ended with %w:\n%s", err, s.log.String())
	}
	return nil
}
