package e2e

import (
	"io"
	"net/http"
	"strings"
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
