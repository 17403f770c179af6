// Mcphandwritten is an MCP server with one tool and nothing besides: both eras
// of the protocol, over HTTP and over standard input and output, with net/http
// and encoding/json. It checks neither headers nor arguments.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"sync"

	"patchbay-bench/internal/origin"
	"patchbay-bench/internal/workload"
)

func main() {
	flags, upstream := origin.Parse()
	s := &server{upstream: upstream}
	if flags.Listen == "" {
		origin.Exit(s.stdio(os.Stdin, os.Stdout))
		return
	}
	mux := http.NewServeMux()
	mux.Handle("POST /mcp", s)
	flags.Serve(mux)
}

type server struct{ upstream *origin.Client }

type request struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		Name      string `json:"name"`
		Arguments struct {
			InteractionSID string `json:"InteractionSid"`
		} `json:"arguments"`
		ProtocolVersion string `json:"protocolVersion"`
		Meta            struct {
			ProtocolVersion string `json:"io.modelcontextprotocol/protocolVersion"`
		} `json:"_meta"`
	} `json:"params"`
}

type response struct {
	JSONRPC string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Result  any             `json:"result,omitempty"`
	Error   *rpcError       `json:"error,omitempty"`
}

type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

type callResult struct {
	ResultType        string          `json:"resultType,omitempty"` // 2026-07-28 only
	Content           []text          `json:"content"`
	StructuredContent json.RawMessage `json:"structuredContent,omitempty"`
	IsError           bool            `json:"isError,omitempty"`
}

type text struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// answer returns nil for a notification.
func (s *server) answer(ctx context.Context, message []byte) []byte {
	var req request
	out := response{JSONRPC: "2.0"}
	if err := json.Unmarshal(message, &req); err != nil {
		out.ID, out.Error = json.RawMessage("null"), &rpcError{-32700, err.Error()}
	} else if req.ID == nil {
		return nil
	} else {
		out.ID = req.ID
		out.Result, out.Error = s.result(ctx, &req)
	}
	encoded, err := json.Marshal(out)
	if err != nil {
		encoded, _ = json.Marshal(response{JSONRPC: "2.0", ID: out.ID, Error: &rpcError{-32603, err.Error()}})
	}
	return encoded
}

func (s *server) result(ctx context.Context, req *request) (any, *rpcError) {
	tools := map[string]any{"tools": struct{}{}}
	modern := req.Params.Meta.ProtocolVersion == workload.Modern
	switch req.Method {
	case "initialize":
		return map[string]any{
			"protocolVersion": req.Params.ProtocolVersion, "capabilities": tools,
			"serverInfo": map[string]string{"name": "handwritten", "version": "1"},
		}, nil
	case "server/discover":
		return map[string]any{
			"resultType": "complete", "ttlMs": 0, "cacheScope": "public",
			"supportedVersions": []string{workload.Modern, workload.Legacy}, "capabilities": tools,
		}, nil
	case "ping":
		return struct{}{}, nil
	case "tools/list":
		return map[string]any{"tools": []any{map[string]any{
			"name": workload.Tool, "inputSchema": json.RawMessage(workload.InputSchema),
		}}}, nil
	case "tools/call":
		if req.Params.Name != workload.Tool {
			return nil, &rpcError{-32602, "unknown tool " + req.Params.Name}
		}
		return s.call(ctx, req.Params.Arguments.InteractionSID, modern), nil
	}
	return nil, &rpcError{-32601, "unknown method " + req.Method}
}

func (s *server) call(ctx context.Context, sid string, modern bool) callResult {
	var out callResult
	if modern {
		out.ResultType = "complete"
	}
	body, err := s.upstream.Interaction(ctx, sid)
	if err != nil {
		out.Content, out.IsError = []text{{"text", err.Error()}}, true
		return out
	}
	out.Content, out.StructuredContent = []text{{"text", string(body)}}, body
	return out
}

// ServeHTTP answers one message.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	message, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	out := s.answer(r.Context(), message)
	if out == nil {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(out)
}

// stdio answers lines, each in a goroutine of its own.
func (s *server) stdio(in io.Reader, out io.Writer) error {
	var running sync.WaitGroup
	defer running.Wait()
	var writing sync.Mutex
	for lines := bufio.NewReaderSize(in, 64<<10); ; {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		running.Go(func() {
			if answer := s.answer(context.Background(), line); answer != nil {
				writing.Lock()
				defer writing.Unlock()
				_, _ = out.Write(append(answer, '\n'))
			}
		})
	}
}
