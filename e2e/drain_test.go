package e2e

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestDrain stops a server while it answers. What runs is finished; then the
// process ends with exit code 0, which start checks.
func TestDrain(t *testing.T) {
	type answer struct {
		status int
		body   string
		err    error
	}
	get := func(url string) <-chan answer {
		got := make(chan answer, 1)
		go func() {
			res, err := http.Get(url)
			if err != nil {
				got <- answer{err: err}
				return
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			got <- answer{res.StatusCode, string(body), err}
		}()
		return got
	}
	finished := func(t *testing.T, got <-chan answer) {
		t.Helper()
		if a := <-got; a.err != nil || a.status != http.StatusOK || !strings.Contains(a.body, seedInteraction) {
			t.Errorf("the request under way was answered %d, %v:\n%s", a.status, a.err, a.body)
		}
	}

	// The simulator belongs to the process that is stopped: it has to outlive
	// the requests that need it.
	t.Run("slow simulator", func(t *testing.T) {
		// Beside an adapter the simulator logs at debug only.
		p := serve(t, nil, "--sandbox", "--sandbox-setup-delay", "0s", "--log-level", "debug")
		control(t, http.MethodPut, p.sandbox+"/.sandbox/faults", `{"fault":"slow=1s","times":1}`)
		got := get(p.rest + "/v1/interactions/" + seedInteraction)
		// The simulator logs a request before it delays the answer.
		p.stderr.await(t, "fault=slow")
		p.terminate()
		finished(t, got)
		p.stopped()
	})

	t.Run("held upstream", func(t *testing.T) {
		upstream := newHeldUpstream(t)
		p := serve(t, upstream.env(), upstream.flags()...)
		got := get(p.rest + "/v1/interactions/" + seedInteraction)
		upstream.await(t, upstream.arrived, "the request at the upstream")
		p.terminate()
		p.stderr.await(t, "stopping")
		close(upstream.release)
		finished(t, got)
		p.stopped()
		if res, err := http.Get(p.rest + "/v1/interactions/" + seedInteraction); err == nil {
			res.Body.Close()
			t.Errorf("a request after the end was answered %s", res.Status)
		}
	})
}

// TestLameDuck: a server that is told to stop says so, goes on answering for a
// while, and then ends as ever. That it answers after the signal is what shows the
// while: nothing here waits for it.
func TestLameDuck(t *testing.T) {
	upstream := newHeldUpstream(t)
	config := filepath.Join(t.TempDir(), "patchbay.yaml")
	// With a deployment file a hang-up means a reload, and nothing while it stops.
	if err := os.WriteFile(config, []byte("lameDuck: 3s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := serve(t, upstream.env(), append(upstream.flags(), "--config", config, "--control", "127.0.0.1:0")...)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	status := func(url string) (int, bool) {
		t.Helper()
		res, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		_ = bodyOf(t, res)
		return res.StatusCode, res.Close
	}
	if code, last := status(p.rest + "/openapi.json"); code != http.StatusOK || last {
		t.Errorf("before: %d, last %v", code, last)
	}
	if code, _ := status(p.control + "/health/ready"); code != http.StatusOK {
		t.Errorf("ready before: %d", code)
	}
	held := make(chan error, 1)
	go func() {
		res, err := http.Get(p.rest + "/v1/interactions/" + seedInteraction)
		if err == nil {
			res.Body.Close()
			if res.StatusCode != http.StatusOK {
				err = errors.New(res.Status)
			}
		}
		held <- err
	}()
	upstream.await(t, upstream.arrived, "the request at the upstream")

	p.terminate()
	p.stderr.await(t, "about to stop")
	if code, _ := status(p.control + "/health/ready"); code != http.StatusServiceUnavailable {
		t.Errorf("ready: %d", code)
	}
	for range 3 {
		if code, last := status(p.rest + "/openapi.json"); code != http.StatusOK || !last {
			t.Errorf("meanwhile: %d, last %v; want the last answer of its connection", code, last)
		}
	}
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	p.stderr.await(t, "msg=stopping")
	close(upstream.release)
	if err := <-held; err != nil {
		t.Errorf("under way: %v", err)
	}
	p.stopped()
}

// TestSecondSignal: who does not want to wait says so again.
func TestSecondSignal(t *testing.T) {
	for _, phase := range []struct{ name, flag, said string }{
		{"lame duck", "--lame-duck", "about to stop"},
		{"drain", "--drain", "msg=stopping"},
	} {
		t.Run(phase.name, func(t *testing.T) {
			upstream := newHeldUpstream(t)
			p := serve(t, upstream.env(), append(upstream.flags(), phase.flag, "1h")...)
			gone := make(chan error, 1)
			go func() {
				res, err := http.Get(p.rest + "/v1/interactions/" + seedInteraction)
				if err == nil {
					res.Body.Close()
				}
				gone <- err
			}()
			upstream.await(t, upstream.arrived, "the request at the upstream")
			p.terminate()
			p.stderr.await(t, phase.said)
			eventually(t, "the process ends", func() (string, bool) {
				// As soon as the first signal is understood, which may be after it is logged.
				_ = p.cmd.Process.Signal(syscall.SIGTERM)
				select {
				case <-p.reading:
					return "", true
				default:
					return "it runs", false
				}
			})
			_ = p.cmd.Wait()
			if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGTERM {
				t.Errorf("it ended with %v", p.cmd.ProcessState)
			}
			if err := <-gone; err == nil {
				t.Error("the request under way was answered")
			}
		})
	}
}

// control uses the simulator's control pages.
func control(t *testing.T, method, url, body string) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if answer := bodyOf(t, res); res.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s\n%s", method, url, res.Status, answer)
	}
}
