# What the scripts with Node peers share; they source it. It leaves $PATCHBAY an
# absolute path, $work a folder that goes away, and "node" at least Node 24.

here=$(cd "$(dirname "${BASH_SOURCE[1]}")" && pwd)
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/patchbay-e2e.XXXXXX")
server=
trap 'stop_server; rm -rf "$work"' EXIT

# Credentials of whoever runs this are no part of it.
unset ${!TWILIO_@}

if [ -z "${PATCHBAY:-}" ]; then
	PATCHBAY=$work/patchbay
	(cd "$root" && go build -o "$PATCHBAY" ./cmd/patchbay)
fi
PATCHBAY=$(realpath "$PATCHBAY")
export PATCHBAY

node_major() { node --version 2>/dev/null | sed -nE 's/^v([0-9]+).*/\1/p'; }
major=$(node_major)
[ "${major:-0}" -ge 24 ] || PATH=$("$root/.ci/node24"):$PATH

# install_peers installs what the lock file beside the script names, unless it is there.
install_peers() {
	local done=$here/node_modules/.installed
	cmp -s "$here/package-lock.json" "$done" && return
	npm ci --prefix "$here" --loglevel=error --no-audit --no-fund --ignore-scripts >&2
	cp "$here/package-lock.json" "$done"
}

# start_server COMMAND... starts a server that announces itself as patchbay serve
# does, and sets $mcp to its MCP endpoint.
start_server() {
	local output kind url
	exec {output}< <(exec "$@" 2>"$work/stderr")
	server=$!
	mcp=
	while read -r kind url _ <&"$output"; do
		[ "$kind" = MCP ] && mcp=$url
		[ "$kind" = Stop ] && return
	done
	echo "$* ended before it served:" >&2
	cat "$work/stderr" >&2
	return 1
}

# stop_server fails unless the server drains and exits with 0.
stop_server() {
	local code=0
	[ -n "$server" ] || return 0
	kill -TERM "$server" 2>/dev/null || true
	wait "$server" || code=$?
	server=
	[ "$code" -eq 0 ] || { echo "the server exited with $code:"; cat "$work/stderr"; } >&2
	return "$code"
}
