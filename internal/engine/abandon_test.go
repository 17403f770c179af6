package engine_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"patchbay/internal/deploy"
)

// TestAbandonedIsTold: what is still under way when the process has to end is
// given up, and the log and the audit trail say that nobody knows what became of
// it, also where its caller had left before.
func TestAbandonedIsTold(t *testing.T) {
	_, tool, arguments := create(anyBody)
	for name, c := range map[string]struct {
		stdio, keyed bool
	}{
		"REST": {}, "REST with a key": {keyed: true}, "stdio": {stdio: true}, "stdio with a key": {stdio: true, keyed: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, settings{options: func(o *deploy.Options) { o.Drain = time.Millisecond }})
			arrived := make(chan struct{})
			s.upstream.script(func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body) // so that the server notices an end of the connection
				close(arrived)
				<-r.Context().Done()
			})
			if c.stdio {
				meta := ""
				if c.keyed {
					meta = `,"_meta":{"patchbay/idempotencyKey":"k1"}`
				}
				in, host := io.Pipe()
				ended := make(chan error)
				go func() { ended <- s.engine.Stdio(context.Background(), s.deployment, in, io.Discard) }()
				if _, err := io.WriteString(host, initialize()+"\n"+callMessage(2, tool, arguments, meta)+"\n"); err != nil {
					t.Fatal(err)
				}
				<-arrived
				_ = host.Close()
				if err := <-ended; err == nil {
					t.Error("the end says nothing of what was given up")
				}
			} else {
				key := "Content-Type: application/json\nAuthorization: none\n"
				if c.keyed {
					key += "Idempotency-Key: k1\n"
				}
				conn, err := net.Dial("tcp", s.rest)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := io.WriteString(conn, message(s.rest, "POST /v1/interactions\n"+key+"\n"+anyBody)); err != nil {
					t.Fatal(err)
				}
				<-arrived
				_ = conn.Close()
				_ = s.engine.Shutdown(time.Millisecond) // it may be over before
			}
			told := s.log.String()
			if n := strings.Count(told, `"msg":"audit"`); n != 1 || !strings.Contains(told, `"outcome":"unknown"`) {
				t.Errorf("%d audit lines:\n%s", n, told)
			}
			if n := strings.Count(told, `"msg":"request"`) - strings.Count(told, `"method":"initialize"`); n != 1 {
				t.Errorf("%d lines about the request:\n%s", n, told)
			}
		})
	}
}
