package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// TestMCPSDKResources reads and fills in what the conformance capability has
// besides tools, with the official SDK's client in both eras.
func TestMCPSDKResources(t *testing.T) {
	image := []byte("\x89PNG\r\n\x1a\n")
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/image.png" {
			w.Header().Set("Content-Type", "image/png")
			_, _ = w.Write(image)
			return
		}
		id := strings.TrimPrefix(r.URL.Path, "/notes/")
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"id":%q,"next":%q}`, id, id+"-next")
	}))
	t.Cleanup(upstream.Close)
	p := start(t, nil, "serve", "conformance/capability.yaml", "--upstream", "static="+upstream.URL, "--listen", "conformance=127.0.0.1:0")
	for _, revision := range []string{modern, "2025-11-25"} {
		t.Run(revision, func(t *testing.T) {
			session := dial(t, &mcp.StreamableClientTransport{Endpoint: p.mcp}, revision, nil)
			if c := session.InitializeResult().Capabilities; c == nil || c.Resources == nil || c.Prompts == nil || c.Completions == nil || c.Tools == nil {
				t.Errorf("capabilities %+v", c)
			}
			t.Run("resources", func(t *testing.T) { testResources(t, session, image) })
			t.Run("prompts", func(t *testing.T) { testPrompts(t, session) })
			t.Run("progress", func(t *testing.T) { testProgress(t, p.mcp, revision) })
		})
	}
}

func testResources(t *testing.T, session *mcp.ClientSession, image []byte) {
	var got []string
	for r, err := range session.Resources(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r.URI)
	}
	if diff := cmp.Diff([]string{"test://static-text", "test://static-binary", "test://watched-resource"}, got); diff != "" {
		t.Errorf("resources (-want +got):\n%s", diff)
	}
	templates, err := session.ListResourceTemplates(t.Context(), nil)
	if err != nil || len(templates.ResourceTemplates) != 1 || templates.ResourceTemplates[0].URITemplate != "test://template/{id}/data" {
		t.Errorf("templates %+v, %v", templates, err)
	}
	read := func(uri string) *mcp.ResourceContents {
		t.Helper()
		r, err := session.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: uri})
		if err != nil || len(r.Contents) != 1 {
			t.Fatalf("%s: %+v, %v", uri, r, err)
		}
		return r.Contents[0]
	}
	if c := read("test://static-text"); c.Text == "" || c.MIMEType != "text/plain" {
		t.Errorf("a file: %+v", c)
	}
	if c := read("test://static-binary"); !bytes.Equal(c.Blob, image) || c.MIMEType != "image/png" {
		t.Errorf("an image: %+v", c)
	}
	if c := read("test://template/a%20b/data"); c.Text != `{"id":"a b","next":"a b-next"}` {
		t.Errorf("a template: %+v", c)
	}
	_, err = session.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "test://nothing"})
	if rpc := (*jsonrpc.Error)(nil); !errors.As(err, &rpc) || !strings.Contains(string(rpc.Data), `"uri":"test://nothing"`) {
		t.Errorf("an unknown resource: %v", err)
	}
}

func testPrompts(t *testing.T, session *mcp.ClientSession) {
	var names []string
	for p, err := range session.Prompts(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, p.Name)
	}
	want := []string{"test_simple_prompt", "test_prompt_with_arguments", "test_prompt_with_embedded_resource", "test_prompt_with_image"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("prompts (-want +got):\n%s", diff)
	}
	got, err := session.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: "test_prompt_with_arguments", Arguments: map[string]string{"arg1": "{{arg2}}", "arg2": "two"}})
	if err != nil || len(got.Messages) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	if text, ok := got.Messages[0].Content.(*mcp.TextContent); !ok || text.Text != "Prompt with arguments: arg1='{{arg2}}', arg2='two'" {
		t.Errorf("the message is %+v", got.Messages[0].Content)
	}
	_, err = session.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: "test_prompt_with_arguments", Arguments: map[string]string{"arg1": "one"}})
	if rpc := (*jsonrpc.Error)(nil); !errors.As(err, &rpc) || rpc.Code != jsonrpc.CodeInvalidParams || !strings.Contains(rpc.Message, "arg2") {
		t.Errorf("a missing argument: %v", err)
	}
	completed, err := session.Complete(t.Context(), &mcp.CompleteParams{
		Ref: &mcp.CompleteReference{Type: "ref/prompt", Name: "test_prompt_with_arguments"}, Argument: mcp.CompleteParamsArgument{Name: "arg1", Value: "par"},
	})
	if err != nil || !slices.Equal(completed.Completion.Values, []string{"paris", "park", "party"}) {
		t.Errorf("completion %+v, %v", completed, err)
	}
}

// testProgress wants a notification for each of three steps, before the result.
func testProgress(t *testing.T, endpoint, revision string) {
	told := make(chan string, 10)
	session := dial(t, &mcp.StreamableClientTransport{Endpoint: endpoint}, revision, &mcp.ClientOptions{
		ProgressNotificationHandler: func(_ context.Context, r *mcp.ProgressNotificationClientRequest) {
			told <- fmt.Sprintf("%v of %v: %s", r.Params.Progress, r.Params.Total, r.Params.Message)
		},
	})
	params := &mcp.CallToolParams{Name: "test_tool_with_progress"}
	params.SetProgressToken("steps")
	result, err := session.CallTool(t.Context(), params)
	if err != nil || result.IsError || textOf(t, result) != `{"last":{"id":"one-next-next"}}` {
		t.Fatalf("%+v, %v", result, err)
	}
	for _, want := range []string{"1 of 3: first", "2 of 3: second", "3 of 3: third"} {
		if got := <-told; got != want {
			t.Errorf("progress %q, want %q", got, want)
		}
	}
}
