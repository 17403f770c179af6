package load

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestRequest(t *testing.T) {
	raw := withHeader(Request("POST", "127.0.0.1:81", "/mcp", "{}", "Content-Type", "application/json"), sessionHeader, "abc")
	req, err := http.ReadRequest(bufio.NewReader(strings.NewReader(string(raw))))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(req.Body)
	if err != nil || req.Method != "POST" || req.URL.Path != "/mcp" || req.Host != "127.0.0.1:81" || string(body) != "{}" ||
		req.Header.Get("Content-Type") != "application/json" || req.Header.Get(sessionHeader) != "abc" {
		t.Errorf("%q is read as %+v with %q, %v", raw, req, body, err)
	}
}

func TestIdentifiers(t *testing.T) {
	m := newMessage([]byte(`{"jsonrpc":"2.0","id":100000000,"method":"tools/call"}`))
	m.number(100000042)
	if got, want := string(m.bytes), `{"jsonrpc":"2.0","id":100000042,"method":"tools/call"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if m := newMessage([]byte("GET / HTTP/1.1")); m.id != 0 {
		t.Errorf("a request without an identifier has one at %d", m.id)
	}
	for line, want := range map[string]int64{
		`{"jsonrpc":"2.0","id":100000042,"result":{}}`:           100000042,
		`{"result":{"text":"\"id\":7,"},"id":100000001}`:         100000001,
		`{"result":{"structured":{"id":7}},"id": 100000002}`:     100000002,
		`{"jsonrpc":"2.0","method":"notifications/progress"}`:    0,
		`{"jsonrpc":"2.0","id":null,"error":{"message":"what"}}`: 0,
	} {
		if got := parseID([]byte(line)); got != want {
			t.Errorf("%s: %d, want %d", line, got, want)
		}
	}
}

// TestHTTP runs both kinds of load against a server that opens sessions and ends
// each connection after some calls, and compares the counts of both sides.
func TestHTTP(t *testing.T) {
	var calls, opened atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/open" {
			w.Header().Set(sessionHeader, fmt.Sprint("s", opened.Add(1)))
			w.WriteHeader(http.StatusNoContent)
			return
		}
		var call struct{ ID int64 }
		if err := json.NewDecoder(r.Body).Decode(&call); err != nil || !strings.HasPrefix(r.Header.Get(sessionHeader), "s") {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if calls.Add(1)%50 == 0 {
			w.Header().Set("Connection", "close")
		}
		if call.ID%2 == 0 {
			http.NewResponseController(w).Flush() // comes in chunks
		}
		fmt.Fprint(w, "well done")
	}))
	defer server.Close()
	address := server.Listener.Addr().String()
	h, err := OpenHTTP(Call{
		Address: address,
		Open:    [][]byte{Request("GET", address, "/open", "")},
		Request: func(session string) []byte {
			return Request("POST", address, "/", `{"id":100000000}`, sessionHeader, session)
		},
		Want: []byte("done"),
	}, 4)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	saturated, err := h.Saturate(50 * time.Millisecond)
	if err != nil || saturated.Answered == 0 || saturated.Elapsed < 50*time.Millisecond {
		t.Errorf("saturated: %+v, %v", saturated, err)
	}
	steady, err := h.Steady(1000, 100*time.Millisecond)
	if err != nil || steady.Answered != 100 || len(steady.Latencies) != 100 || steady.Latencies[0] <= 0 {
		t.Errorf("steady: %+v, %v", steady, err)
	}
	if got, want := h.Answered(), 4+saturated.Answered+100; got != want || calls.Load() != want {
		t.Errorf("answered %d, the server counted %d, want %d", got, calls.Load(), want)
	}
}

// TestSteadyCountsFromWhenItWasDue lets the first of ten requests stall until
// all others are due: their latencies are the stall's, although none of them took any time.
func TestSteadyCountsFromWhenItWasDue(t *testing.T) {
	const rate, requests = 1000, 10
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		// The first call is the one with which the connection opens.
		if calls.Add(1) == 2 {
			<-time.After(2 * requests * time.Second / rate)
		}
		fmt.Fprint(w, "ok")
	}))
	defer server.Close()
	address := server.Listener.Addr().String()
	h, err := OpenHTTP(Call{
		Address: address,
		Request: func(string) []byte { return Request("GET", address, "/", "") },
		Want:    []byte("ok"),
	}, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	result, err := h.Steady(rate, requests*time.Second/rate)
	if err != nil {
		t.Fatal(err)
	}
	// The stall takes 20 ms; the last was due 9 ms after the first.
	if least := result.Latencies[0]; len(result.Latencies) != requests || least < 20-9 {
		t.Errorf("latencies %v, want %d of at least 11 ms", result.Latencies, requests)
	}
}

func TestHTTPFailures(t *testing.T) {
	for _, tt := range []struct{ name, answer, want string }{
		{"an error", "HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nok", "answer 500"},
		{"another body", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nko", `with "ok"`},
		{"no length", "HTTP/1.1 200 OK\r\n\r\nok", "neither its length"},
		{"no HTTP", "SSH-2.0-OpenSSH_9.2p1\r\n", "status line"},
		{"a cut body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", "unexpected EOF"},
		{"a cut chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nok", "unexpected EOF"},
		{"nothing", "", "EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			go func() {
				c, err := listener.Accept()
				if err != nil {
					return
				}
				defer c.Close()
				if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
					_, _ = io.WriteString(c, tt.answer)
				}
			}()
			address := listener.Addr().String()
			_, err = OpenHTTP(Call{
				Address: address,
				Request: func(string) []byte { return Request("GET", address, "/", "") },
				Want:    []byte("ok"),
			}, 1)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// echo answers calls on streams, and ends after some. Of the second to the fifth
// the last one is answered first. It returns the caller's ends.
func echo(t *testing.T, calls int) (io.Writer, io.Reader) {
	inRead, inWrite := io.Pipe()
	outRead, outWrite := io.Pipe()
	t.Cleanup(func() { inWrite.Close(); outRead.Close() })
	go func() {
		defer outWrite.Close()
		held := ""
		lines := bufio.NewScanner(inRead)
		for n := 0; n != calls && lines.Scan(); n++ {
			held = strings.Replace(lines.Text(), "call", "result", 1) + "\n" + held
			if n >= 1 && n < 4 {
				continue
			}
			if _, err := io.WriteString(outWrite, held); err != nil {
				return
			}
			held = ""
		}
	}()
	return inWrite, outRead
}

func TestStdio(t *testing.T) {
	in, out := echo(t, -1)
	s, err := OpenStdio(in, out, nil, `{"id":100000000,"call":1}`, []byte("result"), 4)
	if err != nil {
		t.Fatal(err)
	}
	steady, err := s.Steady(1000, 4*time.Millisecond)
	if err != nil || steady.Answered != 4 || len(steady.Latencies) != 4 || steady.Latencies[0] <= 0 {
		t.Fatalf("steady: %+v, %v", steady, err)
	}
	saturated, err := s.Saturate(20 * time.Millisecond)
	if err != nil || saturated.Answered == 0 {
		t.Fatalf("saturated: %+v, %v", saturated, err)
	}
	if s.Answered() != 5+saturated.Answered {
		t.Errorf("answered %d, want %d", s.Answered(), 5+saturated.Answered)
	}
}

func TestStdioFailures(t *testing.T) {
	for _, tt := range []struct{ name, answers, want string }{
		{"nothing", "", "closed its output"},
		{"an error", `{"id":100000000,"error":{}}` + "\n", `with "result"`},
		{"another call's answer", `{"id":100000007,"result":{}}` + "\n", "a call that is open"},
		{"no identifier", `{"result":{}}` + "\n", "a call that is open"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := OpenStdio(io.Discard, strings.NewReader(tt.answers), nil, `{"id":100000000,"call":1}`, []byte("result"), 4)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	in, out := echo(t, 7)
	s, err := OpenStdio(in, out, nil, `{"id":100000000,"call":1}`, []byte("result"), 4)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Saturate(time.Minute); err == nil || !strings.Contains(err.Error(), "closed its output") {
		t.Errorf("got %v, want that the output was closed", err)
	}
}
