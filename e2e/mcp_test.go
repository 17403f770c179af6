package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// modern is the first revision without a handshake: each of its requests
// describes itself. What is older opens with initialize.
const modern = "2026-07-28"

// TestMCPSDK lists and calls all five tools with the official SDK's client, in
// each revision of the protocol, over HTTP and over a process's streams.
func TestMCPSDK(t *testing.T) {
	p := serveSandbox(t)
	for _, revision := range []string{modern, "2025-11-25", "2025-06-18", "2025-03-26"} {
		t.Run("HTTP "+revision, func(t *testing.T) {
			testTools(t, connect(t, &mcp.StreamableClientTransport{Endpoint: p.mcp}, revision))
		})
	}
	for _, revision := range []string{modern, "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"} {
		t.Run("stdio "+revision, func(t *testing.T) {
			cmd := stdio(t, nil, "--sandbox", "--sandbox-setup-delay", "0s")
			session := connect(t, &mcp.CommandTransport{Command: cmd, TerminateDuration: patience}, revision)
			testTools(t, session)
			// Closing its input is how a host ends a server: no signal.
			if err := session.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
			if !cmd.ProcessState.Success() {
				t.Errorf("%s ended with %v, want exit code 0", cmd, cmd.ProcessState)
			}
		})
	}
}

// stdio prepares patchbay mcp; its stderr is shown when the test fails.
func stdio(t *testing.T, env []string, args ...string) *exec.Cmd {
	cmd := patchbay(env, append([]string{"mcp"}, args...)...)
	stderr := newStream()
	cmd.Stderr = stderr
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("stderr of %s:\n%s", cmd, stderr)
		}
	})
	return cmd
}

// dial opens a session of a revision.
func dial(t *testing.T, transport mcp.Transport, revision string, options *mcp.ClientOptions) *mcp.ClientSession {
	t.Helper()
	c := mcp.NewClient(&mcp.Implementation{Name: "patchbay-e2e", Version: "1"}, options)
	session, err := c.Connect(t.Context(), transport, &mcp.ClientSessionOptions{ProtocolVersion: revision})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	opened := session.InitializeResult()
	if opened.ProtocolVersion != revision {
		t.Errorf("revision %s was agreed on, want %s", opened.ProtocolVersion, revision)
	}
	return session
}

// connect opens a session with the embedded capability.
func connect(t *testing.T, transport mcp.Transport, revision string) *mcp.ClientSession {
	t.Helper()
	session := dial(t, transport, revision, nil)
	opened := session.InitializeResult()
	if opened.ServerInfo == nil || opened.ServerInfo.Name == "" || opened.Instructions == "" {
		t.Errorf("opening: server %+v, instructions %q; want both", opened.ServerInfo, opened.Instructions)
	}
	if opened.Capabilities == nil || opened.Capabilities.Tools == nil || opened.Capabilities.Prompts != nil || opened.Capabilities.Resources != nil {
		t.Errorf("capabilities %+v, want tools and nothing that is not there", opened.Capabilities)
	}
	return session
}

func testTools(t *testing.T, session *mcp.ClientSession) {
	t.Helper()
	listed, err := session.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &toolCaller{session: session, outputs: map[string]*jsonschema.Resolved{}}
	var names []string
	for _, tool := range listed.Tools {
		names = append(names, tool.Name)
		c.outputs[tool.Name] = resolve(t, tool.OutputSchema)
		resolve(t, tool.InputSchema)
	}
	want := []string{
		"twilio-create-interaction", "twilio-fetch-interaction", "twilio-list-interaction-channels",
		"twilio-fetch-interaction-channel", "twilio-update-interaction-channel",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Fatalf("tools (-want +got):\n%s", diff)
	}
	t.Run("hints", func(t *testing.T) { testHints(t, listed.Tools) })
	t.Run("calls", func(t *testing.T) { testCalls(t, c) })
	t.Run("refusals", func(t *testing.T) { testRefusals(t, c) })
}

func testHints(t *testing.T, tools []*mcp.Tool) {
	type hints struct{ readOnly, destructive, idempotent bool }
	want := map[string]hints{
		"twilio-create-interaction":         {false, false, false},
		"twilio-fetch-interaction":          {true, false, true},
		"twilio-list-interaction-channels":  {true, false, true},
		"twilio-fetch-interaction-channel":  {true, false, true},
		"twilio-update-interaction-channel": {false, false, false},
	}
	for _, tool := range tools {
		a := tool.Annotations
		if a == nil || a.DestructiveHint == nil {
			t.Errorf("%s: hints %+v, want those of the capability file", tool.Name, a)
			continue
		}
		if got := (hints{a.ReadOnlyHint, *a.DestructiveHint, a.IdempotentHint}); got != want[tool.Name] {
			t.Errorf("%s: hints %+v, want %+v", tool.Name, got, want[tool.Name])
		}
	}
}

func testCalls(t *testing.T, c *toolCaller) {
	var created struct {
		SID     string
		Channel struct{ SID string }
	}
	c.call(t, "twilio-create-interaction", map[string]any{"body": map[string]any{
		"Channel": map[string]any{"type": "web", "initiated_by": "api"},
		"Routing": map[string]any{"properties": map[string]any{"workspace_sid": workspaceSID, "workflow_sid": workflowSID}},
	}}, &created)
	ids := map[string]any{"InteractionSid": created.SID}

	var fetched struct{ SID string }
	if c.call(t, "twilio-fetch-interaction", ids, &fetched); fetched.SID != created.SID {
		t.Errorf("fetch: sid %q, want %q", fetched.SID, created.SID)
	}
	type channel struct{ SID, Status string }
	var list struct{ Channels []channel }
	c.call(t, "twilio-list-interaction-channels", ids, &list)
	if diff := cmp.Diff([]channel{{created.Channel.SID, "active"}}, list.Channels); diff != "" {
		t.Errorf("channels (-want +got):\n%s", diff)
	}
	ids["ChannelSid"] = created.Channel.SID
	var one channel
	if c.call(t, "twilio-fetch-interaction-channel", ids, &one); one.Status != "active" {
		t.Errorf("channel: %+v, want it active", one)
	}
	ids["body"] = map[string]any{"Status": "closed", "Routing": map[string]any{"status": "closed"}}
	if c.call(t, "twilio-update-interaction-channel", ids, &one); one.Status != "closed" {
		t.Errorf("channel after the update: %+v, want it closed", one)
	}
}

// testRefusals wants a model to be told what to correct, and a host what is no
// matter of a model.
func testRefusals(t *testing.T, c *toolCaller) {
	for _, tt := range []struct {
		name, tool string
		arguments  map[string]any
		want       []string
	}{
		{"missing", "twilio-fetch-interaction", map[string]any{}, []string{"/InteractionSid is required"}},
		{"pattern", "twilio-fetch-interaction", map[string]any{"InteractionSid": "KD1"}, []string{"/InteractionSid "}},
		{"unknown", "twilio-fetch-interaction", map[string]any{"InteractionSid": seedInteraction, "Sid": "x"}, []string{"/Sid "}},
		{
			"nested", "twilio-create-interaction",
			map[string]any{"body": map[string]any{"Channel": map[string]any{"type": "fax", "initiated_by": "api"}}},
			[]string{"/body/Channel/type ", "/body/Routing is required"},
		},
		{
			"conditional", "twilio-update-interaction-channel",
			map[string]any{"InteractionSid": seedInteraction, "ChannelSid": seedChannel, "body": map[string]any{"Status": "inactive"}},
			[]string{"/body/Routing"},
		},
		{"answered by the upstream", "twilio-fetch-interaction", map[string]any{"InteractionSid": noInteraction}, []string{"404", "20404"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			result, err := c.session.CallTool(t.Context(), &mcp.CallToolParams{Name: tt.tool, Arguments: tt.arguments})
			if err != nil {
				t.Fatal(err)
			}
			got := textOf(t, result)
			if !result.IsError || result.StructuredContent != nil {
				t.Errorf("isError %v, structuredContent %v; want an error without it", result.IsError, result.StructuredContent)
			}
			for _, want := range tt.want {
				if !strings.Contains(got, want) {
					t.Errorf("text without %q:\n%s", want, got)
				}
			}
		})
	}
	t.Run("no such tool", func(t *testing.T) {
		_, err := c.session.CallTool(t.Context(), &mcp.CallToolParams{Name: "twilio-delete-interaction"})
		var rpc *jsonrpc.Error
		if !errors.As(err, &rpc) || rpc.Code != jsonrpc.CodeInvalidParams {
			t.Errorf("error %v, want code %d", err, jsonrpc.CodeInvalidParams)
		}
	})
}

// toolCaller calls the tools of a session and holds the answers to the schemas
// that were advertised.
type toolCaller struct {
	session *mcp.ClientSession
	outputs map[string]*jsonschema.Resolved
}

func (c *toolCaller) call(t *testing.T, name string, arguments map[string]any, into any) {
	t.Helper()
	result, err := c.session.CallTool(t.Context(), &mcp.CallToolParams{Name: name, Arguments: arguments})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	words := textOf(t, result)
	if result.IsError {
		t.Fatalf("%s: %s", name, words)
	}
	if err := c.outputs[name].Validate(result.StructuredContent); err != nil {
		t.Errorf("%s: structuredContent does not fit the output schema: %v", name, err)
	}
	var said any
	if err := json.Unmarshal([]byte(words), &said); err != nil {
		t.Fatalf("%s: the text is not JSON: %v\n%s", name, err, words)
	}
	if diff := cmp.Diff(result.StructuredContent, said); diff != "" {
		t.Errorf("%s: structuredContent and text differ:\n%s", name, diff)
	}
	if err := json.Unmarshal([]byte(words), into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// textOf returns the text of a result, which always has exactly one block.
func textOf(t *testing.T, result *mcp.CallToolResult) string {
	t.Helper()
	if len(result.Content) == 1 {
		if block, ok := result.Content[0].(*mcp.TextContent); ok && block.Text != "" {
			return block.Text
		}
	}
	t.Fatalf("content %v, want one block of text", result.Content)
	return ""
}

// resolve compiles an advertised schema, whose root has to be an object.
func resolve(t *testing.T, advertised any) *jsonschema.Resolved {
	t.Helper()
	raw, err := json.Marshal(advertised)
	if err != nil {
		t.Fatal(err)
	}
	var schema jsonschema.Schema
	if err := json.Unmarshal(raw, &schema); err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	if schema.Type != "object" {
		t.Errorf("root of type %q, want object:\n%s", schema.Type, raw)
	}
	resolved, err := schema.Resolve(nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	return resolved
}

// TestMCPCancel stops a call while the upstream works on it. The client's
// disconnect has to reach the upstream, in both transports.
func TestMCPCancel(t *testing.T) {
	for _, transport := range []string{"HTTP", "stdio"} {
		t.Run(transport, func(t *testing.T) {
			upstream := newHeldUpstream(t)
			var session *mcp.ClientSession
			if transport == "HTTP" {
				p := serve(t, upstream.env(), upstream.flags()...)
				session = connect(t, &mcp.StreamableClientTransport{Endpoint: p.mcp}, modern)
			} else {
				cmd := stdio(t, upstream.env(), upstream.flags()...)
				session = connect(t, &mcp.CommandTransport{Command: cmd, TerminateDuration: patience}, modern)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			failed := make(chan error, 1)
			go func() {
				_, err := session.CallTool(ctx, &mcp.CallToolParams{
					Name: "twilio-fetch-interaction", Arguments: map[string]any{"InteractionSid": seedInteraction},
				})
				failed <- err
			}()
			upstream.await(t, upstream.arrived, "the request at the upstream")
			cancel()
			upstream.await(t, upstream.gone, "the end of the upstream's request")
			if err := <-failed; !errors.Is(err, context.Canceled) {
				t.Errorf("error %v, want %v", err, context.Canceled)
			}
		})
	}
}
