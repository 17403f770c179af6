// Mcpsdk is the tool on the official SDK, github.com/modelcontextprotocol/go-sdk,
// added in the way that its documents advise, which checks arguments, and with
// the cheaper kind of answers, JSON instead of event streams. Its mode is
// sessions, or stateless, which is what 2026-07-28 needs over HTTP.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"patchbay-bench/internal/origin"
	"patchbay-bench/internal/workload"
)

type arguments struct {
	InteractionSID string `json:"InteractionSid"`
}

func main() {
	flags, upstream := origin.Parse()
	s := mcp.NewServer(&mcp.Implementation{Name: "go-sdk", Version: "1"}, &mcp.ServerOptions{
		Capabilities: &mcp.ServerCapabilities{Tools: &mcp.ToolCapabilities{}},
	})
	mcp.AddTool(
		s,
		&mcp.Tool{Name: workload.Tool, Description: "Fetches an interaction.", InputSchema: json.RawMessage(workload.InputSchema)},
		func(ctx context.Context, _ *mcp.CallToolRequest, in arguments) (*mcp.CallToolResult, any, error) {
			body, err := upstream.Interaction(ctx, in.InteractionSID)
			if err != nil {
				return nil, nil, err
			}
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: string(body)}}}, json.RawMessage(body), nil
		})
	if flags.Listen == "" {
		origin.Exit(s.Run(context.Background(), &mcp.StdioTransport{}))
		return
	}
	options := &mcp.StreamableHTTPOptions{JSONResponse: true}
	switch flags.Mode {
	case "sessions":
	case "stateless":
		options.Stateless = true
	default:
		origin.Exit(fmt.Errorf("-mode is %q, want sessions or stateless", flags.Mode))
	}
	mux := http.NewServeMux()
	mux.Handle("/mcp", mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return s }, options))
	flags.Serve(mux)
}
