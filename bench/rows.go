//go:build linux

package main

import (
	"fmt"
	"slices"

	"patchbay-bench/internal/load"
	"patchbay-bench/internal/stub"
	"patchbay-bench/internal/workload"
)

// A group is a job with all who do it.
type group struct {
	name, title string
	// work says what a caller does, and counted where the stub counts it if it
	// arrives as the row says it does.
	work work
	rows []row
}

// A row is one who does the job of its group.
type row struct {
	peer string
	// note tells how this row's work differs from the others', if it does.
	note string
	// launch is nil where nothing stands between the load and the stub.
	launch launch
	// json: the caller's JSON reaches the upstream as it was.
	json bool
}

// work is a closed set of jobs.
type work int

const (
	fetch work = iota
	create
	callLegacy
	callModern
	stdioLegacy
	stdioModern
)

// stdio says whether the job goes over the streams of the process.
func (w work) stdio() bool { return w == stdioLegacy || w == stdioModern }

func groups() []group {
	return []group{
		{"rest-fetch", "REST GET, basic authentication put in", fetch, []row{
			{peer: "direct", note: "no gateway: the load calls the stub"},
			{peer: product, launch: launchServe},
			{peer: "handwritten", launch: launchPeer("handwritten", "")},
			{peer: "reverseproxy", launch: launchPeer("reverseproxy", "")},
			{peer: "caddy", launch: launchCaddy},
			{peer: "nginx", launch: launchNginx},
		}},
		{"rest-create", "REST POST, JSON in, form out", create, []row{
			{peer: product, note: "checks the body", launch: launchServe},
			{peer: "handwritten", launch: launchPeer("handwritten", "")},
			{peer: "reverseproxy", note: "JSON stays JSON", launch: launchPeer("reverseproxy", ""), json: true},
			{peer: "caddy", note: "JSON stays JSON", launch: launchCaddy, json: true},
			{peer: "nginx", note: "JSON stays JSON", launch: launchNginx, json: true},
			{peer: "nginx-lua", launch: launchNginxLua},
		}},
		{"mcp-legacy", "MCP tools/call over HTTP, " + workload.Legacy, callLegacy, []row{
			{peer: product, note: "checks arguments and results", launch: launchServe},
			{peer: "handwritten", launch: launchPeer("mcphandwritten", "")},
			{peer: "mcp-go", launch: launchPeer("mcpgo", "")},
			{peer: "go-sdk-sessions", launch: launchPeer("mcpsdk", "sessions")},
			{peer: "go-sdk-stateless", launch: launchPeer("mcpsdk", "stateless")},
		}},
		{"mcp-modern", "MCP tools/call over HTTP, " + workload.Modern, callModern, []row{
			{peer: product, note: "checks arguments and results", launch: launchServe},
			{peer: "handwritten", launch: launchPeer("mcphandwritten", "")},
			{peer: "mcp-go", launch: launchPeer("mcpgo", "")},
			{peer: "go-sdk-stateless", launch: launchPeer("mcpsdk", "stateless")},
		}},
		{"stdio-legacy", "MCP tools/call over stdio, " + workload.Legacy, stdioLegacy, stdioRows()},
		{"stdio-modern", "MCP tools/call over stdio, " + workload.Modern, stdioModern, stdioRows()},
	}
}

func stdioRows() []row {
	return []row{
		{peer: product, note: "checks arguments and results", launch: launchStdio},
		{peer: "handwritten", launch: launchPeer("mcphandwritten", "")},
		{peer: "mcp-go", launch: launchPeer("mcpgo", "")},
		{peer: "go-sdk", launch: launchPeer("mcpsdk", "")},
	}
}

// good returns the calls that arrived as they should, and all others.
func (w work) good(r row, c stub.Counts) (good, others int64) {
	all := c.Fetch + c.Form + c.JSON + c.Refused
	switch {
	case w != create:
		good = c.Fetch
	case r.json:
		good = c.JSON
	default:
		good = c.Form
	}
	return good, all - good
}

// What is in every answer that is right.
const (
	restWant = `"sid":"` + workload.Interaction + `"`
	mcpWant  = `"structuredContent":`
)

// JSON-RPC messages. The identifier is the least of those that package load
// counts with.
const (
	initializeMessage = `{"jsonrpc":"2.0","id":100000000,"method":"initialize","params":{"protocolVersion":"` + workload.Legacy +
		`","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}`
	initializedMessage = `{"jsonrpc":"2.0","method":"notifications/initialized"}`

	callStart = `{"jsonrpc":"2.0","id":100000000,"method":"tools/call","params":{"name":"` + workload.Tool +
		`","arguments":{"` + workload.Argument + `":"` + workload.Interaction + `"}`
	legacyMessage = callStart + `}}`
	modernMessage = callStart + `,"_meta":{"io.modelcontextprotocol/protocolVersion":"` + workload.Modern +
		`","io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}}`
)

// call describes the job over HTTP. Without a gateway in front of it, the load
// has to know the credentials.
func (w work) call(address string, direct bool) load.Call {
	jsonHeaders := []string{"Content-Type", "application/json"}
	mcpHeaders := slices.Concat(jsonHeaders, []string{"Accept", "application/json, text/event-stream"})
	legacyHeaders := slices.Concat(mcpHeaders, []string{"MCP-Protocol-Version", workload.Legacy})
	c := load.Call{Address: address, Want: []byte(mcpWant)}
	switch w {
	case fetch:
		c.Want = []byte(restWant)
		var headers []string
		if direct {
			headers = []string{"Authorization", workload.Authorization}
		}
		c.Request = func(string) []byte { return load.Request("GET", address, workload.FetchPath, "", headers...) }
	case create:
		c.Want = []byte(restWant)
		c.Request = func(string) []byte {
			return load.Request("POST", address, workload.CreatePath, workload.CreateBody, jsonHeaders...)
		}
	case callLegacy:
		c.Open = [][]byte{
			load.Request("POST", address, "/mcp", initializeMessage, mcpHeaders...),
			load.Request("POST", address, "/mcp", initializedMessage, legacyHeaders...),
		}
		c.Request = func(session string) []byte {
			headers := legacyHeaders
			if session != "" {
				headers = slices.Concat(headers, []string{"Mcp-Session-Id", session})
			}
			return load.Request("POST", address, "/mcp", legacyMessage, headers...)
		}
	case callModern:
		headers := slices.Concat(mcpHeaders, []string{"MCP-Protocol-Version", workload.Modern, "Mcp-Method", "tools/call", "Mcp-Name", workload.Tool})
		c.Request = func(string) []byte { return load.Request("POST", address, "/mcp", modernMessage, headers...) }
	case stdioLegacy, stdioModern:
		panic(fmt.Sprintf("bench: work %d does not go over HTTP", w))
	}
	return c
}

// lines describes the job over streams: what opens a session, and the call.
func (w work) lines() (open []string, call string) {
	if w == stdioLegacy {
		return []string{initializeMessage, initializedMessage}, legacyMessage
	}
	return nil, modernMessage
}
