// Caddy is Caddy with its standard modules, as its own cmd/caddy is, at the
// version of this module's go.mod. It is a module apart, because nothing else
// needs what Caddy needs.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"

	// Caddy's modules register themselves.
	_ "github.com/caddyserver/caddy/v2/modules/standard"
)

func main() { caddycmd.Main() }
