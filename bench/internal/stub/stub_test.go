package stub

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"patchbay-bench/internal/workload"
)

// start serves a stub on a free port until the test ends.
func start(t *testing.T) (*Server, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(listener) }()
	t.Cleanup(func() {
		listener.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s, listener.Addr().String()
}

func form(t *testing.T) string {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(workload.CreateBody), &members); err != nil {
		t.Fatal(err)
	}
	fields := url.Values{}
	for name, value := range members {
		fields.Set(name, string(value))
	}
	return fields.Encode()
}

func TestStub(t *testing.T) {
	s, address := start(t)
	const formType = "application/x-www-form-urlencoded"
	good := workload.Authorization
	for _, tt := range []struct {
		name, method, path, authorization, contentType, body string

		status int
		counts Counts
	}{
		{"a fetch", "GET", workload.FetchPath, good, "", "", 200, Counts{Fetch: 1}},
		{"a fetch in the provider's own case", "GET", strings.Replace(workload.FetchPath, "i", "I", 1), good, "", "", 200, Counts{Fetch: 1}},
		{"a create", "POST", workload.CreatePath, good, formType, form(t), 200, Counts{Form: 1}},
		{"a create that is known by now", "POST", workload.CreatePath, good, formType + "; charset=utf-8", form(t), 200, Counts{Form: 1}},
		{"a create as JSON", "POST", workload.CreatePath, good, "application/json", workload.CreateBody, 200, Counts{JSON: 1}},
		{"a form that is called JSON", "POST", workload.CreatePath, good, "application/json", form(t), 400, Counts{Refused: 1}},
		{"JSON that is called a form", "POST", workload.CreatePath, good, formType, workload.CreateBody, 400, Counts{Refused: 1}},
		{"no type", "POST", workload.CreatePath, good, "", form(t), 415, Counts{Refused: 1}},
		{"half a form", "POST", workload.CreatePath, good, formType, "Channel=%7B%7D", 400, Counts{Refused: 1}},
		{"no credentials", "GET", workload.FetchPath, "", "", "", 401, Counts{Refused: 1}},
		{"wrong credentials", "GET", workload.FetchPath, "Basic eDp5", "", "", 401, Counts{Refused: 1}},
		{"another path", "GET", "/v1/interactions/KD1", good, "", "", 404, Counts{Refused: 1}},
		{"another method", "DELETE", workload.FetchPath, good, "", "", 404, Counts{Refused: 1}},
		{"a fetch with a body", "GET", workload.FetchPath, good, "", "x", 400, Counts{Refused: 1}},
	} {
		for _, sent := range []string{"with its length", "in chunks"} {
			if sent == "in chunks" && tt.body == "" {
				continue
			}
			t.Run(tt.name+" "+sent, func(t *testing.T) {
				before := s.Counts()
				var body io.Reader = strings.NewReader(tt.body)
				if sent == "in chunks" {
					body = io.MultiReader(body) // of unknown length
				}
				req, err := http.NewRequestWithContext(t.Context(), tt.method, "http://"+address+tt.path, body)
				if err != nil {
					t.Fatal(err)
				}
				for name, value := range map[string]string{"Authorization": tt.authorization, "Content-Type": tt.contentType} {
					if value != "" {
						req.Header.Set(name, value)
					}
				}
				res, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				text, err := io.ReadAll(res.Body)
				if err != nil || res.StatusCode != tt.status || !json.Valid(text) {
					t.Errorf("%s %s, %v; want %d and JSON", res.Status, text, err, tt.status)
				}
				if got := s.Counts().Sub(before); got != tt.counts {
					t.Errorf("counted %+v, want %+v (%s)", got, tt.counts, s.Why())
				}
			})
		}
	}
}

// TestConnection sends two requests at once, then garbage: both are answered in
// order, the garbage ends the connection.
func TestConnection(t *testing.T) {
	_, address := start(t)
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	get := "GET " + workload.FetchPath + " HTTP/1.1\r\nHost: x\r\naUTHORIZATION:  " + workload.Authorization + " \r\n\r\n"
	if _, err := io.WriteString(conn, get+"GET "+CountsPath+" HTTP/1.1\r\nHost: x\r\n\r\nwhat?\r\n"); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	for i, want := range []string{workload.FetchAnswer, `{"fetch":1,"form":0,"json":0,"refused":0}`, `{"message":"request line is \"what?\""}`} {
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil || string(body) != want {
			t.Errorf("answer %d: %s, %v; want %s", i, body, err, want)
		}
	}
	if _, err := in.ReadByte(); err != io.EOF {
		t.Errorf("after garbage: %v, want the end", err)
	}
}

// TestBounds refuses what no peer sends.
func TestBounds(t *testing.T) {
	for _, tt := range []struct{ name, head, status string }{
		{"a long line", "GET /" + strings.Repeat("x", 9<<10) + " HTTP/1.1\r\n", "431 "},
		{"many headers", "GET / HTTP/1.1\r\n" + strings.Repeat("A: b\r\n", maxHeaders+1), "400 "},
		{"a header without a colon", "GET / HTTP/1.1\r\nHost\r\n", "400 "},
		{"a large body", "POST / HTTP/1.1\r\nContent-Length: 1048577\r\n\r\n", "400 "},
		{"a negative body", "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "400 "},
		{"an encoding", "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", "501 "},
		{"another version", "GET / HTTP/2.0\r\n\r\n", "400 "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var refused *refusal
			err := new(request).read(bufio.NewReaderSize(strings.NewReader(tt.head), 8<<10))
			if !asRefusal(err, &refused) || !strings.HasPrefix(refused.status, tt.status) {
				t.Errorf("got %v, want a refusal with %s", err, tt.status)
			}
		})
	}
}

func asRefusal(err error, to **refusal) bool {
	r, ok := err.(*refusal)
	*to = r
	return ok
}
