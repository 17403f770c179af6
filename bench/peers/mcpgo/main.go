// Mcpgo is the tool on github.com/mark3labs/mcp-go, as its documents show it.
// Arguments are not validated, which that library leaves off by default.
package main

import (
	"context"
	"encoding/json"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"patchbay-bench/internal/origin"
	"patchbay-bench/internal/workload"
)

func main() {
	flags, upstream := origin.Parse()
	s := server.NewMCPServer("mcp-go", "1", server.WithToolCapabilities(false))
	s.AddTool(
		mcp.NewToolWithRawSchema(workload.Tool, "Fetches an interaction.", json.RawMessage(workload.InputSchema)),
		func(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			sid, err := req.RequireString(workload.Argument)
			if err != nil {
				return mcp.NewToolResultError(err.Error()), nil
			}
			body, err := upstream.Interaction(ctx, sid)
			if err != nil {
				return mcp.NewToolResultError(err.Error()), nil
			}
			return mcp.NewToolResultStructured(json.RawMessage(body), string(body)), nil
		})
	if flags.Listen == "" {
		origin.Exit(server.ServeStdio(s))
		return
	}
	origin.Exit(server.NewStreamableHTTPServer(s).Start(flags.Listen))
}
