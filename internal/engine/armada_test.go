package engine_test

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"patchbay/internal/bind"
	"patchbay/internal/deploy"
	"patchbay/internal/engine"
)

// armadaFile is one of many generated capabilities: an API with a host, routes
// and tools of its own, in the form that public files have. All of them want
// the two ports that the operator gives to "fleet-rest" and "fleet-mcp".
const armadaFile = `naftiko: 1.0.0-alpha2
info:
  label: Fleet %[1]d
  description: The ships of fleet %[1]d. %[4]d operations, in a file of their own that shares nothing with others.
  tags: [Fleet, Ships]
  created: '2026-05-19'
  modified: '2026-05-19'
binds:
- namespace: env
  keys: {FLEET_KEY: FLEET_KEY}
capability:
  consumes:
  - type: http
    namespace: fleet-%[1]d
    baseUri: https://fleet-%[1]d.example.com/v1
    description: Fleet %[1]d, its ships and where they are.
    authentication: {type: bearer, token: '{{env.FLEET_KEY}}'}
    resources:
    - name: ships
      path: /ships
      operations:
      - name: list-ships
        method: GET
        description: List the ships of the fleet
        outputRawFormat: json
        inputParameters:
        - {name: flag, in: query, type: string, description: Only ships under this flag}
        - {name: page, in: query, type: integer, description: 'The page, from 1'}
        outputParameters: [{name: result, type: object, value: $.}]
      - name: launch-ship
        method: POST
        description: Launch a ship
        outputRawFormat: json
        inputParameters: [{name: body, in: body, type: object, description: The ship (JSON).}]
        outputParameters: [{name: result, type: object, value: $.}]
    - name: ship
      path: /ships/{imo}
      operations:
      - name: fetch-ship
        method: GET
        description: Fetch one ship
        outputRawFormat: json
        inputParameters: [{name: imo, in: path, type: string, required: true, description: Which one}]
        outputParameters: [{name: result, type: object, value: $.}]
      - name: scrap-ship
        method: DELETE
        description: Scrap a ship
        outputRawFormat: json
        inputParameters: [{name: imo, in: path, type: string, required: true, description: Which one}]
        outputParameters: [{name: result, type: object, value: $.}]
  exposes:
  - type: rest
    namespace: fleet-%[1]d-rest
    port: %[2]d
    description: REST adapter of fleet %[1]d.
    resources:
    - path: /v1/fleets/%[1]d/ships
      name: ships
      operations:
      - method: GET
        name: list-ships
        description: List the ships of the fleet
        call: fleet-%[1]d.list-ships
        with: {flag: rest.flag, page: rest.page}
        outputParameters: [{type: object, mapping: $.}]
      - method: POST
        name: launch-ship
        description: Launch a ship
        call: fleet-%[1]d.launch-ship
        with: {body: rest.body}
        outputParameters: [{type: object, mapping: $.}]
    - path: /v1/fleets/%[1]d/ships/{imo}
      name: ship
      operations:
      - method: GET
        name: fetch-ship
        description: Fetch one ship
        call: fleet-%[1]d.fetch-ship
        with: {imo: rest.imo}
        outputParameters: [{type: object, mapping: $.}]
      - method: DELETE
        name: scrap-ship
        description: Scrap a ship
        call: fleet-%[1]d.scrap-ship
        with: {imo: rest.imo}
        outputParameters: [{type: object, mapping: $.}]
  - type: mcp
    namespace: fleet-%[1]d-mcp
    port: %[3]d
    transport: http
    description: MCP adapter of fleet %[1]d.
    tools:
    - name: fleet-%[1]d-list-ships
      description: List the ships of the fleet
      hints: {readOnly: true, destructive: false, idempotent: true}
      call: fleet-%[1]d.list-ships
      with: {flag: tools.flag, page: tools.page}
      outputParameters: [{type: object, mapping: $.}]
    - name: fleet-%[1]d-launch-ship
      description: Launch a ship
      hints: {readOnly: false, destructive: false, idempotent: false}
      call: fleet-%[1]d.launch-ship
      with: {body: tools.body}
      outputParameters: [{type: object, mapping: $.}]
    - name: fleet-%[1]d-fetch-ship
      description: Fetch one ship
      hints: {readOnly: true, destructive: false, idempotent: true}
      call: fleet-%[1]d.fetch-ship
      with: {imo: tools.imo}
      outputParameters: [{type: object, mapping: $.}]
    - name: fleet-%[1]d-scrap-ship
      description: Scrap a ship
      hints: {readOnly: false, destructive: true, idempotent: true}
      call: fleet-%[1]d.scrap-ship
      with: {imo: tools.imo}
      outputParameters: [{type: object, mapping: $.}]
`

// armadaOperations are the operations of a file of the armada, each of which is a route
// and a tool.
const armadaOperations = 4

// armada is many generated files that are served by one process.
type armada struct {
	engine    *engine.Engine
	deploy    *engine.Deployment
	rest, mcp string // addresses, without a path
}

// writeArmada writes as many files into a folder, and returns it.
func writeArmada(t testing.TB, files int) string {
	t.Helper()
	dir := t.TempDir()
	rest, mcp := twoPorts(t)
	for i := range files {
		text := fmt.Sprintf(armadaFile, i, rest, mcp, armadaOperations)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("fleet-%05d.yaml", i)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// twoPorts returns ports on which nobody listens. Adapters share a listener
// where their files name the same port, so that it has to be known beforehand.
func twoPorts(t testing.TB) (int, int) {
	t.Helper()
	var ports [2]int
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports[0], ports[1]
}

// startArmada serves the files of a folder. Calls of fleet 0 go to upstream,
// where it is not "".
func startArmada(t testing.TB, dir, upstream string) *armada {
	t.Helper()
	opts := deploy.Defaults()
	opts.Files, opts.ShareEnv = []string{dir}, []string{"FLEET_KEY"}
	if upstream != "" {
		opts.Upstreams["fleet-0"] = upstream
	}
	loaded, found, err := engine.Load(&opts)
	if err != nil || found.HasErrors() {
		t.Fatal(err, found)
	}
	environment, err := bind.New(bind.Options{Process: func(name string) (string, bool) { return upstreamPassword, name == "FLEET_KEY" }})
	if err != nil {
		t.Fatal(err)
	}
	f := &armada{engine: engine.New(engine.Config{Log: slog.New(slog.NewJSONHandler(io.Discard, nil)), Version: testVersion})}
	if f.deploy, found, err = engine.Bind(loaded, &opts, engine.BindOptions{Environment: environment, Version: testVersion}); err != nil || found.HasErrors() {
		t.Fatal(err, found)
	}
	served, err := f.engine.Start(f.deploy)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range served {
		u, err := url.Parse(at.URL)
		if err != nil {
			t.Fatal(err)
		}
		if len(at.MCP) > 0 {
			f.mcp = "http://" + u.Host
		} else {
			f.rest = "http://" + u.Host
		}
	}
	if !strings.HasPrefix(f.rest, "http") || !strings.HasPrefix(f.mcp, "http") {
		t.Fatalf("served are %+v", served)
	}
	return f
}

// stop ends what startArmada began.
func (f *armada) stop(t testing.TB) {
	t.Helper()
	if err := f.engine.Shutdown(20 * time.Second); err != nil {
		t.Errorf("shutdown: %v", err)
	}
}
