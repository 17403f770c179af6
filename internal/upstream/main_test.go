package upstream

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"patchbay/internal/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve starts an upstream on a real socket.
func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// client returns a client of an address, with the default bounds as change
// leaves them.
func client(t *testing.T, end Endpoint, change func(*Options)) *Client {
	t.Helper()
	opts := Defaults()
	if change != nil {
		change(&opts)
	}
	end.Namespace = "parcels"
	c, err := NewClient(end, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func post(body string) *Request {
	return &Request{Method: http.MethodPost, Path: "/parcels", Accept: []string{"application/json"}, ContentType: []string{"application/json"}, Body: []byte(body)}
}

func get() *Request {
	return &Request{Method: http.MethodGet, Path: "/parcels/1", Accept: []string{"application/json"}}
}

// do performs a call and copies what it answered.
func do(ctx context.Context, c *Client, r *Request) (status int, body string, f *fault.Fault) {
	answer, err := c.Do(ctx, r)
	if err != nil {
		return 0, "", fault.Of(err)
	}
	defer answer.Release()
	return answer.Status, string(answer.Body), nil
}

// pipe makes the client talk to a function over connections in memory, so that
// no clock but the test's is in play.
func pipe(t *testing.T, c *Client, serve func(net.Conn)) {
	var serving sync.WaitGroup
	c.transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		serving.Go(func() { serve(far) })
		return near, nil
	}
	t.Cleanup(func() {
		c.Close()
		serving.Wait()
	})
}

// readRequest takes one request off a connection, with its body.
func readRequest(r *bufio.Reader) (*http.Request, string, error) {
	request, err := http.ReadRequest(r)
	if err != nil {
		return nil, "", err
	}
	body, err := io.ReadAll(request.Body)
	return request, string(body), err
}

var errDown = errors.New("no route to host")
