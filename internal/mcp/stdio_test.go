package mcp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"patchbay/internal/mcp"
)

func callWithID(id int) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"tool"}}`+"\n", id)
}

func cancelID(id int) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%d}}`+"\n", id)
}

// stdioRun is one run of Serve that a test talks to.
type stdioRun struct {
	in    *io.PipeWriter
	heard lineRecorder
	ended chan error
	stop  context.CancelFunc
}

func startStdio(t *testing.T, s *mcp.Server, opts mcp.StdioOptions) *stdioRun {
	in, typed := io.Pipe()
	ctx, stop := context.WithCancel(t.Context())
	r := &stdioRun{in: typed, ended: make(chan error, 1), stop: stop}
	t.Cleanup(func() { stop(); _ = typed.Close() })
	go func() { r.ended <- s.Serve(ctx, in, &r.heard, opts) }()
	return r
}

func (r *stdioRun) say(t *testing.T, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if _, err := io.WriteString(r.in, line); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Wait()
}

// At the end of input what runs is finished, and the last line needs no line end.
func TestStdioFinishesWhatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := oneTool(t, func(context.Context, *mcp.Call) (mcp.Result, error) {
			time.Sleep(5 * time.Second)
			return mcp.Result{}, nil
		})
		r := startStdio(t, s, mcp.StdioOptions{})
		r.say(t, callWithID(1), strings.TrimSpace(callWithID(2)))
		if err := r.in.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-r.ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if got := r.heard.take(); len(got) != 2 {
			t.Errorf("heard %q, want two answers", got)
		}
	})
}

// When the context ends, what runs is finished too, and no line is taken any more.
func TestStdioStopsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan bool)
		s := oneTool(t, func(ctx context.Context, _ *mcp.Call) (mcp.Result, error) {
			<-goOn
			return mcp.Result{}, ctx.Err()
		})
		r := startStdio(t, s, mcp.StdioOptions{})
		r.say(t, callWithID(1))
		r.stop()
		synctest.Wait()
		r.say(t, callWithID(2))
		goOn <- true
		if err := <-r.ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if got := r.heard.take(); len(got) != 1 || !strings.Contains(got[0], `"id":1,"result"`) {
			t.Errorf("heard %q, want the answer to the first call", got)
		}
	})
}

// A call that does not end within the drain time is cancelled and unheard.
func TestStdioDrainIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended error
		s := oneTool(t, func(ctx context.Context, _ *mcp.Call) (mcp.Result, error) {
			<-ctx.Done()
			ended = ctx.Err()
			return mcp.ErrorResult("late"), nil
		})
		r := startStdio(t, s, mcp.StdioOptions{Drain: time.Minute})
		r.say(t, callWithID(1))
		start := time.Now()
		if err := r.in.Close(); err != nil {
			t.Fatal(err)
		}
		err := <-r.ended
		if err == nil || err.Error() != "requests still running after 1m0s: 1" || time.Since(start) != time.Minute {
			t.Errorf("Serve: %v after %s", err, time.Since(start))
		}
		synctest.Wait()
		if ended == nil {
			t.Error("the call was not cancelled")
		}
		if got := r.heard.take(); len(got) != 0 {
			t.Errorf("heard %q after the end", got)
		}
	})
}

// No more functions run than allowed; a waiting request can be cancelled.
func TestStdioConcurrencyIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		running, goOn := 0, make(chan bool)
		s := oneTool(t, func(context.Context, *mcp.Call) (mcp.Result, error) {
			running++
			<-goOn
			return mcp.Result{}, nil
		})
		r := startStdio(t, s, mcp.StdioOptions{Concurrency: 1})
		r.say(t, callWithID(1))
		r.say(t, callWithID(2))
		r.say(t, cancelID(2), callWithID(3), `{"jsonrpc":"2.0","id":4,"method":"ping"}`+"\n")
		if running != 1 {
			t.Errorf("%d calls are running, want 1", running)
		}
		if got := r.heard.take(); len(got) != 1 || !strings.Contains(got[0], `"id":4`) {
			t.Errorf("heard %q, want the ping alone", got)
		}
		goOn <- true
		goOn <- true
		synctest.Wait()
		if got := strings.Join(r.heard.take(), ""); !strings.Contains(got, `"id":1,`) || !strings.Contains(got, `"id":3,`) || strings.Contains(got, `"id":2,`) {
			t.Errorf("heard %q, want the answers to 1 and 3", got)
		}
	})
}

// With a full queue nothing is read until a call ends: then all are answered.
func TestStdioQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan bool)
		s := oneTool(t, func(context.Context, *mcp.Call) (mcp.Result, error) {
			<-goOn
			return mcp.Result{}, nil
		})
		r := startStdio(t, s, mcp.StdioOptions{Concurrency: 1})
		var lines strings.Builder
		for i := range 20 {
			lines.WriteString(callWithID(i))
		}
		sent := make(chan error, 1)
		go func() {
			_, err := io.WriteString(r.in, lines.String())
			sent <- errors.Join(err, r.in.Close())
		}()
		for range 20 {
			goOn <- true
		}
		if err := errors.Join(<-sent, <-r.ended); err != nil {
			t.Errorf("Serve: %v", err)
		}
		if got := r.heard.take(); len(got) != 20 {
			t.Errorf("heard %d answers, want 20", len(got))
		}
	})
}

// Serve ends with the reason when nobody listens, and cancels what runs.
func TestStdioWriteFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, fixture())
		in, typed := io.Pipe()
		ended := make(chan error, 1)
		go func() { ended <- s.Serve(t.Context(), in, brokenWriter{}, mcp.StdioOptions{}) }()
		_, err := io.WriteString(typed, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"test_wait"}}`+"\n"+
			`{"jsonrpc":"2.0","id":2,"method":"ping"}`+"\n")
		if err != nil {
			t.Fatal(err)
		}
		if err := <-ended; err == nil || err.Error() != "write messages: broken" {
			t.Errorf("Serve: %v", err)
		}
		_ = typed.Close()
	})
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("broken") }

// A client that does not read does not keep Serve from ending.
func TestStdioDeafClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := oneTool(t, func(context.Context, *mcp.Call) (mcp.Result, error) { return mcp.Result{}, nil })
		in, typed := io.Pipe()
		deaf, out := io.Pipe()
		ended := make(chan error, 1)
		go func() { ended <- s.Serve(t.Context(), in, out, mcp.StdioOptions{Drain: time.Second}) }()
		if _, err := io.WriteString(typed, callWithID(1)); err != nil {
			t.Fatal(err)
		}
		if err := typed.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; err == nil || !strings.Contains(err.Error(), "still running") {
			t.Errorf("Serve: %v", err)
		}
		_ = deaf.Close()
	})
}

func TestStdioReadFailure(t *testing.T) {
	s := newServer(t, fixture())
	var heard lineRecorder
	in := io.MultiReader(strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"ping"}`+"\n"), brokenReader{})
	err := s.Serve(t.Context(), in, &heard, mcp.StdioOptions{})
	if err == nil || err.Error() != "read messages: broken" {
		t.Errorf("Serve: %v", err)
	}
	if got := heard.take(); len(got) != 1 {
		t.Errorf("heard %q, want one answer", got)
	}
}
