package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const fetchTool = "twilio-fetch-interaction"

// TestFiveWays asks for the same interaction by REST, by MCP of both eras over
// HTTP, by MCP over a process's streams, and from the shell. All are encodings
// of one run.
func TestFiveWays(t *testing.T) {
	p := serveSandbox(t)
	ways := []struct {
		name string
		// fetch returns the answer for an interaction, and whether it is a success.
		fetch func(t *testing.T, sid string) (answer []byte, ok bool)
	}{
		{"REST", func(t *testing.T, sid string) ([]byte, bool) { return fetchREST(t, p.rest, sid) }},
		{"MCP modern", func(t *testing.T, sid string) ([]byte, bool) { return fetchModern(t, p.mcp, sid) }},
		{"MCP legacy", func(t *testing.T, sid string) ([]byte, bool) { return fetchLegacy(t, p.mcp, sid) }},
		{"stdio", fetchStdio},
		{"call", fetchCall},
	}
	first, ok := ways[0].fetch(t, seedInteraction)
	if !ok || !bytes.Contains(first, []byte(`"sid":"`+seedInteraction+`"`)) {
		t.Fatalf("%s: success %v, answer:\n%s", ways[0].name, ok, first)
	}
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			answer, ok := way.fetch(t, seedInteraction)
			if diff := cmp.Diff(normalised(t, first), normalised(t, answer)); !ok || diff != "" {
				t.Errorf("success %v, (-%s +%s):\n%s", ok, ways[0].name, way.name, diff)
			}
			answer, ok = way.fetch(t, noInteraction)
			if ok || !bytes.Contains(answer, []byte("20404")) || !bytes.Contains(answer, []byte(noInteraction+" was not found")) {
				t.Errorf("unknown interaction: success %v, want the provider's code and message in:\n%s", ok, answer)
			}
		})
	}
}

// normalised decodes an answer in which addresses differ by their port only:
// some of the processes start a simulator of their own.
func normalised(t *testing.T, answer []byte) any {
	t.Helper()
	answer = regexp.MustCompile(`http://127\.0\.0\.1:\d+`).ReplaceAll(answer, []byte("http://sandbox"))
	d := json.NewDecoder(bytes.NewReader(answer))
	d.UseNumber() // keeps the digits
	var value any
	if err := d.Decode(&value); err != nil {
		t.Fatalf("%v\n%s", err, answer)
	}
	return value
}

func fetchREST(t *testing.T, base, sid string) ([]byte, bool) {
	t.Helper()
	res, err := http.Get(base + "/v1/interactions/" + sid)
	if err != nil {
		t.Fatal(err)
	}
	body := bodyOf(t, res)
	return body, res.StatusCode == http.StatusOK
}

func fetchCall(t *testing.T, sid string) ([]byte, bool) {
	t.Helper()
	end := run(t, nil, "call", "--sandbox", fetchTool, "InteractionSid="+sid)
	return []byte(end.stdout), end.code == 0
}

func fetchModern(t *testing.T, endpoint, sid string) ([]byte, bool) {
	t.Helper()
	header := http.Header{
		"MCP-Protocol-Version": {modern},
		"Mcp-Method":           {"tools/call"},
		"Mcp-Name":             {fetchTool},
	}
	result, _ := post(t, endpoint, header, modernCall(1, sid))
	return toolAnswer(t, result)
}

func fetchLegacy(t *testing.T, endpoint, sid string) ([]byte, bool) {
	t.Helper()
	opened, header := post(t, endpoint, nil, initialize)
	var agreed struct{ ProtocolVersion string }
	if err := json.Unmarshal(opened, &agreed); err != nil {
		t.Fatal(err)
	}
	header.Set("MCP-Protocol-Version", agreed.ProtocolVersion)
	post(t, endpoint, header, initialized)
	result, _ := post(t, endpoint, header, legacyCall(2, sid))
	return toolAnswer(t, result)
}

const (
	initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25",` +
		`"capabilities":{},"clientInfo":{"name":"patchbay-e2e","version":"1"}}}`
	initialized = `{"jsonrpc":"2.0","method":"notifications/initialized"}`
)

func legacyCall(id int, sid string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":%q,"arguments":{"InteractionSid":%q}}}`, id, fetchTool, sid)
}

func modernCall(id int, sid string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":%q,"arguments":{"InteractionSid":%q},"_meta":{`+
		`"io.modelcontextprotocol/protocolVersion":%q,"io.modelcontextprotocol/clientCapabilities":{}}}}`, id, fetchTool, sid, modern)
}

// post sends one message as a client does and returns the result, if one is
// due, and the headers that go on the requests after it.
func post(t *testing.T, endpoint string, header http.Header, message string) (json.RawMessage, http.Header) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, endpoint, strings.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	next := http.Header{}
	if session := res.Header.Get("Mcp-Session-Id"); session != "" {
		next.Set("Mcp-Session-Id", session)
	}
	body := bodyOf(t, res)
	if res.StatusCode == http.StatusAccepted {
		return nil, next
	}
	if got := res.Header.Get("Content-Type"); res.StatusCode != http.StatusOK || got != "application/json" {
		t.Fatalf("status %s, content type %s, to %s:\n%s", res.Status, got, message, body)
	}
	return resultOf(t, body), next
}

// fetchStdio speaks both eras on one pair of streams, with two calls at once.
func fetchStdio(t *testing.T, sid string) ([]byte, bool) {
	t.Helper()
	cmd := stdio(t, nil, "--sandbox")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, message := range []string{initialize, initialized, legacyCall(2, sid), modernCall(3, sid)} {
		if _, err := io.WriteString(in, message+"\n"); err != nil {
			t.Fatal(err)
		}
	}
	// The end of the input lets what was asked for finish.
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	results := map[string]json.RawMessage{}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var answer struct{ ID json.RawMessage }
		if err := json.Unmarshal(lines.Bytes(), &answer); err != nil {
			t.Fatalf("stdout carries what is no message: %v\n%s", err, lines.Text())
		}
		results[string(answer.ID)] = resultOf(t, lines.Bytes())
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%s: %v", cmd, err)
	}
	if len(results) != 3 {
		t.Fatalf("%d answers, want one each to initialize and two calls", len(results))
	}
	legacy, ok := toolAnswer(t, results["2"])
	latest, _ := toolAnswer(t, results["3"])
	if !bytes.Equal(legacy, latest) {
		t.Errorf("the eras differ:\n%s\n%s", legacy, latest)
	}
	return legacy, ok
}

func resultOf(t *testing.T, message []byte) json.RawMessage {
	t.Helper()
	var answer struct{ Result, Error json.RawMessage }
	if err := json.Unmarshal(message, &answer); err != nil {
		t.Fatalf("%v\n%s", err, message)
	}
	if answer.Error != nil || answer.Result == nil {
		t.Fatalf("no result: %s", message)
	}
	return answer.Result
}

// toolAnswer returns what a tool's result carries: the structured content, or
// the text of an error.
func toolAnswer(t *testing.T, result json.RawMessage) ([]byte, bool) {
	t.Helper()
	var tool struct {
		Content           []struct{ Text string }
		StructuredContent json.RawMessage
		IsError           bool
	}
	if err := json.Unmarshal(result, &tool); err != nil {
		t.Fatal(err)
	}
	if len(tool.Content) != 1 {
		t.Fatalf("%d content blocks, want one: %s", len(tool.Content), result)
	}
	if tool.IsError {
		return []byte(tool.Content[0].Text), false
	}
	return tool.StructuredContent, true
}

func bodyOf(t *testing.T, res *http.Response) []byte {
	t.Helper()
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return body
}
