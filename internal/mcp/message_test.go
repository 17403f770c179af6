package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// FuzzMessages decodes arbitrary transmissions. Whatever decodes is strict JSON,
// its parts are parts of the text, and its id can be echoed.
func FuzzMessages(f *testing.F) {
	for _, seed := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"a":[1,{}]},"_meta":{"progressToken":"p","io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`,
		`[{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}},{"id":"\u00e9","result":null}]`,
		`{"jsonrpc":"2.0","id":null,"method":7,"params":[]}`, `{"a":1,"\u0061":2}`, `"\ud800"`, `[`, ` `, `{}{}`, "{\"a\":\"\xff\"}", `[[[[[]]]]]`,
	} {
		f.Add([]byte(seed))
	}
	limits := &Limits{Depth: 16, Batch: 4}
	f.Fuzz(func(t *testing.T, src []byte) {
		text := bytes.Clone(src)
		var d decoder
		var m message
		batch, isBatch, err := d.messages(text, &m, limits)
		if !bytes.Equal(text, src) {
			t.Fatal("decoding changed the text")
		}
		if err != nil {
			if err.Code != CodeParseError && err.Code != CodeInvalidRequest || err.status != 400 {
				t.Errorf("error %+v", err)
			}
			return
		}
		if !jsontext.Value(src).IsValid() || !utf8.Valid(src) {
			t.Error("accepted text that is no strict JSON")
		}
		if len(batch) > limits.Batch || !isBatch && len(batch) > 0 {
			t.Errorf("a batch of %d", len(batch))
		}
		if !isBatch {
			batch = []message{m}
		}
		for i := range batch {
			checkMessage(t, src, &batch[i])
		}
	})
}

func checkMessage(t *testing.T, src []byte, m *message) {
	t.Helper()
	for _, raw := range [][]byte{m.id, m.name, m.uri, m.cursor, m.arguments, m.progressToken, m.metaVersion, m.requestID} {
		if raw != nil && (!bytes.Contains(src, raw) || !json.Valid(raw)) {
			t.Errorf("%q is no value of the text", raw)
		}
	}
	if m.fault == "" && m.method == nil && !m.response {
		t.Error("a message without fault, method and result")
	}
	if answer := appendError(nil, m.id, invalidRequest(m.fault)); !jsontext.Value(answer).IsValid() {
		t.Errorf("the answer is not JSON: %s", answer)
	}
}

func TestTooDeep(t *testing.T) {
	for text, want := range map[string]bool{
		`{"a":[{}]}`:            false,
		`{"a":[{"b":[]}]}`:      true,
		`[[[`:                   false,
		`[[[[`:                  true,
		`[[]],[[]],[[[]]]`:      false,
		`"[[[[[["`:              false,
		`"\"[[[[[["`:            false,
		`"\\"[[[[`:              true,
		`"open [[[[`:            false,
		`]]]]` + `[[[[[[[`:      false, // not JSON: the parser will say so
		strings.Repeat("[", 99): true,
	} {
		if got := tooDeep([]byte(text), 3); got != want {
			t.Errorf("tooDeep(%s, 3) = %v", text, got)
		}
	}
}

func TestOneLine(t *testing.T) {
	got := oneLine([]byte("kept\n"), []byte("{\n\"a\":\r\n1}\r"))
	if want := "kept\n{ \"a\":  1} "; string(got) != want {
		t.Errorf("oneLine = %q, want %q", got, want)
	}
}

func TestStartsObject(t *testing.T) {
	for text, want := range map[string]bool{"{}": true, " \t\r\n{": true, "[{}]": false, `"{"`: false, " ": false, "": false} {
		if got := startsObject([]byte(text)); got != want {
			t.Errorf("startsObject(%q) = %v", text, got)
		}
	}
}

func TestSameValue(t *testing.T) {
	for _, tc := range []struct {
		raw, header string
		want        bool
	}{
		{`"a"`, "a", true},
		{`"a"`, "A", false},
		{`"42"`, "42.0", false},
		{`"\u00e9"`, "é", true},
		{`42`, "42", true},
		{`42`, "42.0", true},
		{`4.2e1`, "42", true},
		{`-7`, "-7", true},
		{`42`, "0x2A", false},
		{`42`, "4_2", false},
		{`42`, "NaN", false},
		{`42`, "43", false},
		{`9007199254740993`, "9007199254740992", false},
		{`9007199254740993`, "9007199254740993", true},
		{`true`, "true", true},
		{`true`, "True", false},
		{`false`, "0", false},
		{`{}`, "{}", false},
		{`[]`, "[]", false},
	} {
		if got := sameValue([]byte(tc.raw), tc.header); got != tc.want {
			t.Errorf("sameValue(%s, %s) = %v", tc.raw, tc.header, got)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"list_users", "get-user", "getUsers", strings.Repeat("long", 20)}
	for name, want := range map[string]string{
		"listUsers":              "list_users",
		"LIST-USERS":             "list_users",
		"lst_users":              "list_users",
		"get_user":               "get-user",
		"delete_everything":      "",
		"":                       "",
		"x":                      "",
		strings.Repeat("lon", 9): "",
		strings.Repeat("l", 99):  "",
	} {
		if got := nearest(name, known); got != want {
			t.Errorf("nearest(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestNegotiate(t *testing.T) {
	s := &Server{revisions: revisions()}
	for _, tc := range []struct {
		requested string
		transport Transport
		want      string
	}{
		{"2025-11-25", HTTP, "2025-11-25"},
		{"2025-06-18", HTTP, "2025-06-18"},
		{"2025-03-26", Stdio, "2025-03-26"},
		{"2024-11-05", Stdio, "2024-11-05"},
		{"2024-11-05", HTTP, "2025-03-26"},
		{"2024-10-07", Stdio, "2024-11-05"},
		{"2026-07-28", HTTP, "2025-11-25"},
		{"DRAFT", Stdio, "2025-11-25"},
		{"", HTTP, "2025-11-25"},
	} {
		if got := s.negotiate(tc.requested, tc.transport).name; got != tc.want {
			t.Errorf("negotiate(%q, %s) = %s, want %s", tc.requested, tc.transport, got, tc.want)
		}
	}
}

// FuzzHTTP plays arbitrary bodies under arbitrary versions against a server with
// everything. It always answers, with strict JSON on one line, and never tells a
// legacy client what only a modern server would say.
func FuzzHTTP(f *testing.F) {
	s, err := New(Options{
		Name: "fuzz", Version: "1",
		Tools: []Tool{{
			Name: "t", InputSchema: []byte(`{"type":"object","properties":{"r":{"type":"integer","x-mcp-header":"R"}}}`),
			Call: func(_ context.Context, c *Call) (Result, error) {
				c.Progress(1, 2, c.Client().Name)
				return JSONResult(c.Arguments), nil
			},
		}},
		Prompts:   []Prompt{{Name: "p", Get: func(context.Context, map[string]string) (PromptResult, error) { return PromptResult{}, nil }}},
		Templates: []ResourceTemplate{},
		Complete:  func(context.Context, CompletionRequest) (Completion, error) { return Completion{}, nil },
	})
	if err != nil {
		f.Fatal(err)
	}
	h := s.HTTPHandler(HTTPOptions{})
	const modernMeta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`
	for _, version := range []string{"", "2025-11-25", "2026-07-28"} {
		f.Add(version, "tools/call", "t", "1", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{`+modernMeta+`,"name":"t","arguments":{"r":1}}}`)
		f.Add(version, "completion/complete", "", "", `{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"p"},"argument":{"name":"a"},"context":{"arguments":{}}}}`)
		f.Add(version, "", "", "", `[{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"p","arguments":{"a":"b"}}},{"id":2,"method":"initialize"}]`)
	}
	f.Fuzz(func(t *testing.T, version, method, name, param, body string) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		for header, value := range map[string]string{"Mcp-Protocol-Version": version, "Mcp-Method": method, "Mcp-Name": name, "Mcp-Param-R": param} {
			if value != "" {
				r.Header[header] = []string{value}
			}
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		answer := w.Body.Bytes()
		if w.Code == http.StatusAccepted {
			if len(answer) > 0 {
				t.Errorf("202 with a body: %s", answer)
			}
			return
		}
		if !jsontext.Value(answer).IsValid() || bytes.ContainsAny(answer, "\r\n") {
			t.Errorf("status %d with %q", w.Code, answer)
		}
		legacy := version < "2026" && !strings.Contains(body, "protocolVersion") && !strings.Contains(body, `\u`)
		if legacy && bytes.Contains(answer, []byte(`"code":-3202`)) {
			t.Errorf("a legacy request got %s", answer)
		}
	})
}
