package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// reloading is a server with a deployment file that tests change.
type reloading struct {
	*process
	t    *testing.T
	dir  string
	base string // of the upstream
}

// startReloading serves the embedded capability from a deployment file. The
// upstream answers with the first segment of the path that it is called at, and
// refuses calls that are not signed with the secret for it.
func startReloading(t *testing.T, args ...string) *reloading {
	t.Helper()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		version, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		if user, password, _ := r.BasicAuth(); user != "AC1" || password != "secret-"+version {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"version":%q}`, version)
	}))
	t.Cleanup(upstream.Close)
	s := &reloading{t: t, dir: t.TempDir(), base: upstream.URL}
	s.configure("one")
	s.process = start(t, nil, append([]string{"serve", "--config", filepath.Join(s.dir, "patchbay.yaml")}, args...)...)
	return s
}

// replace writes a file as editors do: another one takes its place.
func (s *reloading) replace(name, text string) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		s.t.Fatal(err)
	}
}

// configure writes a deployment that calls the upstream at a version.
func (s *reloading) configure(version string) {
	s.t.Helper()
	s.replace(version+".env", "TWILIO_USER=AC1\nTWILIO_PASS=secret-"+version+"\n")
	s.replace("patchbay.yaml", fmt.Sprintf(`envFiles: [%s.env]
upstreams:
  flex-interactions: {baseUrl: "%s/%s"}
adapters:
  %s: {listen: "127.0.0.1:0"}
  %s: {listen: "127.0.0.1:0"}
`, version, s.base, version, restNamespace, mcpNamespace))
}

// says is the version that answers.
func (s *reloading) says() (string, error) {
	res, err := http.Get(s.rest + "/v1/interactions/" + seedInteraction)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body := bodyOf(s.t, res)
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %s", res.Status, body)
	}
	return string(body), nil
}

func (s *reloading) expect(version string) {
	s.t.Helper()
	if got, err := s.says(); err != nil || !strings.Contains(got, `"`+version+`"`) {
		s.t.Errorf("%s answers, %v; want %s", got, err, version)
	}
}

func (s *reloading) hangup() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		s.t.Fatal(err)
	}
}

// TestReloadBySignal: SIGHUP brings what the files say now, also under calls; a
// bad file changes nothing, and nobody gets to see a secret.
func TestReloadBySignal(t *testing.T) {
	s := startReloading(t)
	s.expect("one")
	done := make(chan struct{})
	var calls atomic.Int64
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if _, err := s.says(); err != nil {
					t.Errorf("a call failed: %v", err)
					return
				}
				calls.Add(1)
			}
		})
	}
	for generation := 2; generation <= 12; generation++ {
		version := fmt.Sprintf("v%d", generation)
		s.configure(version)
		s.hangup()
		s.stderr.await(t, fmt.Sprintf("generation=%d", generation))
		s.expect(version)
	}
	close(done)
	callers.Wait()
	if calls.Load() == 0 {
		t.Error("nobody called")
	}

	s.replace("patchbay.yaml", "upstreams:\n  flex-interactions: {baseUrl: \"https://u:hunter2@a.example\", timeout: 5s}\n")
	s.hangup()
	s.stderr.await(t, "not reloaded")
	s.stderr.await(t, "config-unknown-key")
	s.expect("v12")
	s.configure("repaired")
	s.hangup()
	s.stderr.await(t, "generation=13")
	s.expect("repaired")
	if log := s.stderr.String(); strings.Contains(log, "hunter2") || strings.Contains(log, "secret-") {
		t.Errorf("the log holds a secret:\n%s", log)
	}
}

// TestReloadByChange: with --watch the files are enough, links included.
func TestReloadByChange(t *testing.T) {
	s := startReloading(t, "--watch")
	s.expect("one")
	s.configure("two")
	s.stderr.await(t, "generation=2")
	s.expect("two")
	// The env file alone, which changes the credential: the upstream refuses it.
	s.replace("two.env", "TWILIO_USER=AC1\nTWILIO_PASS=other\n")
	s.stderr.await(t, "generation=3")
	if got, err := s.says(); err == nil {
		t.Errorf("%s was answered with the old credential", got)
	}
	s.replace("patchbay.yaml", "nonsense: true\n")
	s.stderr.await(t, "not reloaded")
	s.configure("three")
	s.stderr.await(t, "generation=4")
	s.expect("three")
}

// Without a deployment file a hang-up ends the server, as it always did.
func TestHangupWithoutConfig(t *testing.T) {
	cmd := patchbay(nil, "serve", "--sandbox", "--listen", restNamespace+"=127.0.0.1:0", "--listen", mcpNamespace+"=127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	one := make([]byte, 1)
	if _, err := out.Read(one); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGHUP {
		t.Errorf("it ended with %v", cmd.ProcessState)
	}
}
