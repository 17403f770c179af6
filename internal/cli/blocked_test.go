package cli

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// stuck is a log whose reader stops reading when the test wants it.
type stuck struct {
	mu      sync.Mutex
	stopped chan struct{} // closed when nobody reads any more
	waits   chan struct{} // gets a word from a writer that waits then
	forever chan struct{}
	text    strings.Builder
}

func (s *stuck) Write(p []byte) (int, error) {
	select {
	case <-s.stopped:
		select {
		case s.waits <- struct{}{}:
		default:
		}
		<-s.forever
		return 0, io.ErrClosedPipe
	default:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

// announced is standard output that tells when a server is up.
type announced struct{ up chan struct{} }

func (a announced) Write(p []byte) (int, error) {
	if strings.Contains(string(p), "Ctrl-C") {
		close(a.up)
	}
	return len(p), nil
}

// TestEndWithoutReader: a process whose log nobody reads any more ends all the
// same when it is told to, also while a reload waits to say what came of it.
func TestEndWithoutReader(t *testing.T) {
	for _, reload := range []bool{false, true} {
		ctx, stop := context.WithCancel(t.Context())
		log := &stuck{stopped: make(chan struct{}), waits: make(chan struct{}, 1), forever: make(chan struct{})}
		out := announced{make(chan struct{})}
		config := filepath.Join(t.TempDir(), "patchbay.yaml")
		write := func(text string) {
			if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write("watch: true\n")
		ended := make(chan int)
		go func() {
			ended <- Main(ctx, []string{"serve", "--sandbox", "--config", config, "--listen-rest", "127.0.0.1:0", "--listen-mcp", "127.0.0.1:0"},
				Streams{In: strings.NewReader(""), Out: out, Err: log}, func(string) (string, bool) { return "", false })
		}()
		<-out.up
		close(log.stopped)
		if reload {
			write("watch: true\ndrain: 1s\n")
			<-log.waits
		}
		stop()
		select {
		case code := <-ended:
			if code != 0 {
				t.Errorf("exit code %d: %s", code, &log.text)
			}
		case <-time.After(time.Minute):
			t.Error("it does not end")
		}
		close(log.forever)
	}
}
