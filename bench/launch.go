//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"patchbay-bench/internal/workload"
)

// product is the peer that all others are compared with.
const product = "patchbay"

// A site is what a row needs to know to be started.
type site struct {
	// binaries are paths by name: "patchbay", those of this module, "caddy", "nginx".
	binaries map[string]string
	// stub is the HOST:PORT of the upstream.
	stub string
	// listen is the HOST:PORT at which to serve; none over streams.
	listen string
	// mcp: what listens there speaks MCP.
	mcp bool
	// dir is an empty directory of the row's own, for configuration.
	dir string
}

// A launch returns the command line that starts a row.
type launch func(site) ([]string, error)

// errAbsent means that a peer is not on this machine: its row is left out.
var errAbsent = errors.New("not on this machine")

func (s site) binary(name string) (string, error) {
	path := s.binaries[name]
	if path == "" {
		return "", fmt.Errorf("%s: %w", name, errAbsent)
	}
	return path, nil
}

// upstream is the base address that peers are given.
func (s site) upstream() string { return "http://" + s.stub + "/v1" }

// launchServe serves both adapters. The one that is not called listens as well,
// as it does for users.
func launchServe(s site) ([]string, error) {
	path, err := s.binary(product)
	rest, mcp := s.listen, "127.0.0.1:0"
	if s.mcp {
		rest, mcp = mcp, rest
	}
	return []string{
		path, "serve", "--upstream", "flex-interactions=" + s.upstream(), "--log-level", "error",
		"--listen", "flex-interactions-rest=" + rest, "--listen", "flex-interactions-mcp=" + mcp,
	}, err
}

func launchStdio(s site) ([]string, error) {
	path, err := s.binary(product)
	return []string{path, "mcp", "--upstream", "flex-interactions=" + s.upstream(), "--log-level", "error"}, err
}

// launchPeer starts a peer of this module.
func launchPeer(name, mode string) launch {
	return func(s site) ([]string, error) {
		path, err := s.binary(name)
		return []string{path, "-upstream", s.upstream(), "-listen", s.listen, "-mode", mode}, err
	}
}

// launchCaddy has no access log and no administration, and never compresses.
func launchCaddy(s site) ([]string, error) {
	path, err := s.binary("caddy")
	if err != nil {
		return nil, err
	}
	host, port, _ := strings.Cut(s.listen, ":")
	file, err := s.write("Caddyfile", fmt.Sprintf(`{
	admin off
	auto_https off
	persist_config off
	log {
		level ERROR
	}
}
http://:%s {
	bind %s
	reverse_proxy %s {
		header_up Authorization %q
		transport http {
			compression off
			keepalive_idle_conns_per_host 256
		}
	}
}
`, port, host, s.stub, workload.Authorization))
	return []string{path, "run", "--config", file, "--adapter", "caddyfile"}, err
}

func launchNginx(s site) ([]string, error) { return s.nginx("", "") }

// luaModules are what Debian's libnginx-mod-http-lua brings.
const luaModules = "/usr/lib/nginx/modules"

// launchNginxLua turns the JSON of a create into a form.
func launchNginxLua(s site) ([]string, error) {
	load := ""
	for _, module := range []string{"ndk_http_module.so", "ngx_http_lua_module.so"} {
		file := filepath.Join(luaModules, module)
		if _, err := os.Stat(file); err != nil {
			return nil, fmt.Errorf("nginx's Lua module: %w", errAbsent)
		}
		load += "load_module " + file + ";\n"
	}
	return s.nginx(load, `
			access_by_lua_block {
				local cjson = require "cjson"
				ngx.req.read_body()
				local form = {}
				for name, value in pairs(cjson.decode(ngx.req.get_body_data())) do
					form[name] = cjson.encode(value)
				end
				ngx.req.set_header("Content-Type", "application/x-www-form-urlencoded")
				ngx.req.set_body_data(ngx.encode_args(form))
			}`)
}

// nginx writes a configuration without an access log, whose connections are kept
// as long as everybody else's.
func (s site) nginx(modules, inLocation string) ([]string, error) {
	path, err := s.binary("nginx")
	if err != nil {
		return nil, err
	}
	user := ""
	if os.Getuid() == 0 {
		user = "user root;" // the worker has to reach the directory of its configuration
	}
	file, err := s.write("nginx.conf", modules+fmt.Sprintf(`%s
daemon off;
worker_processes 1;
worker_rlimit_nofile 8192;
pid %[2]s/nginx.pid;
error_log stderr error;
events {
	worker_connections 4000;
}
http {
	access_log off;
	client_body_temp_path %[2]s/body;
	proxy_temp_path %[2]s/proxy;
	fastcgi_temp_path %[2]s/fastcgi;
	uwsgi_temp_path %[2]s/uwsgi;
	scgi_temp_path %[2]s/scgi;
	keepalive_requests 1000000000;
	client_body_buffer_size 64k;
	upstream stub {
		server %[3]s;
		keepalive 256;
		keepalive_requests 1000000000;
	}
	server {
		listen %[4]s;
		location / {
			proxy_pass http://stub;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_set_header Authorization %[5]q;%[6]s
		}
	}
}
`, user, s.dir, s.stub, s.listen, workload.Authorization, inLocation))
	// -e: the log that nginx opens before it reads its configuration.
	return []string{path, "-c", file, "-p", s.dir, "-e", "stderr"}, err
}

func (s site) write(name, content string) (string, error) {
	file := filepath.Join(s.dir, name)
	return file, os.WriteFile(file, []byte(content), 0o600)
}
