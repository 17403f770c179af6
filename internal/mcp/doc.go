// Package mcp is the server side of the Model Context Protocol: JSON-RPC
// envelopes, both protocol eras, the Streamable HTTP and stdio transports. It
// knows tools, resources, prompts and completions as values with a function to
// call, and nothing of what those functions do.
//
// Place in a request's path: listener -> guard (Host, Origin, caller) ->
// this package -> the function of a [Tool], [Resource] or [Prompt]. The Host
// and Origin checks that the specification demands of HTTP servers are NOT made
// here: wrap the handler of [Server.HTTPHandler] before exposing it.
//
// # Eras
//
// One endpoint serves both, chosen for each request:
//
//   - modern, revision 2026-07-28: every request names its version and the
//     client's capabilities in params._meta, HTTP headers mirror the body, and
//     nothing is remembered between requests.
//   - legacy, revisions 2025-11-25, 2025-06-18 and 2025-03-26 (stdio also
//     2024-11-05): opened by initialize. Over HTTP no session is created; the
//     MCP-Protocol-Version header of each request names the revision, and its
//     absence means 2025-03-26.
//
// What differs between revisions is a row of one table (revision.go); which
// methods an era has is another (dispatch.go).
//
// # Errors on HTTP
//
// A modern client that meets status 400 takes anything but -32020, -32021 and
// -32022 for the answer of a legacy server and opens the handshake; a legacy
// client does not read the body of a failed status at all. So a well-formed
// request is answered with status 200 and a JSON-RPC error, except where the
// specification fixes another status: 400 for those three codes, for missing
// _meta fields and for what is not JSON-RPC, 404 for an unknown modern method.
//
// # Not offered
//
// Sessions, server-to-client requests (sampling, elicitation, roots),
// subscriptions, log messages, tasks and the HTTP+SSE transport of 2024-11-05.
// None is advertised. logging/setLevel is answered with an empty result because
// legacy clients call it without looking at the capabilities.
package mcp
