// Package sandbox is a simulator of the Twilio Flex Interactions API: a real
// HTTP server that a person without credentials talks to instead of
// https://flex-api.twilio.com/v1, and the double behind the project's tests.
//
// It stands at the very end of a request's path, where the provider would be.
// It speaks the provider's wire and nothing of ours: it imports no other
// package of this module, so that our encoder and our simulator cannot agree
// on the same mistake. A test checks its answers against Twilio's own OpenAPI
// document.
//
// # What it simulates
//
// Below the mount /v1, with HTTP basic authentication:
//
//	POST /Interactions                                create, answers 200
//	GET  /Interactions/{KD}                           fetch
//	POST /Interactions/{KD}                           set WebhookTtid
//	GET  /Interactions/{KD}/Channels                  list, paged
//	GET  /Interactions/{KD}/Channels/{UO}             fetch a channel
//	POST /Interactions/{KD}/Channels/{UO}             Status=closed or inactive
//	GET  /Interactions/{KD}/Channels/{UO}/Invites     list, paged
//	GET  /Interactions/{KD}/Channels/{UO}/Participants list, paged
//
// Paths are case-sensitive. Bodies are forms (urlencoded or multipart); in
// anything else, JSON above all, no parameter is found. Checks run in this
// order: credentials (401, 20003), path and SID pattern (404, 20404), method
// (405, 20004), required form keys (400, 20001), JSON text and shape (400,
// 45004 and 453xx), existence and state of what is named, and only then the
// work that goes on after the answer. Everybody sees the same interactions:
// there is one simulated account, whatever the credentials.
//
// # Seeded interaction
//
// A sandbox starts with one interaction that is never evicted: [SeedInteraction]
// with one active web channel [SeedChannel], whose task an agent has accepted.
// Further channels for paging ([Options.SeedChannels]) carry the same SID with
// their last digits counted up in hexadecimal.
//
// # Faults
//
// A [Fault] makes the next requests fail. Faults come from [Options.Faults],
// [Sandbox.SetFaults], the control pages, or, for one request, the header
// Sandbox-Fault with a comma-separated list:
//
//	429              refused before processing, with Retry-After (429=5s: that value)
//	503              refused before processing, provider's error body
//	html502          an edge's HTML page, not processed
//	slow             processed, the answer delayed (slow=300ms; default 2s, at most 60s)
//	cut              processed, then the connection is closed without an answer
//	failed-setup     a create is accepted, its channel fails afterwards
//	extra-fields     the answer carries fields nobody documented
//	not-found-once   a GET answers 404 although the thing exists
//
// The armed faults are a script: each authenticated request takes one use of
// the first fault that applies to it: failed-setup only to a create,
// not-found-once only to a GET, the others to everything. A request with the
// header leaves the script alone and takes every such fault that it names.
// Note that net/http's client repeats a GET by itself when a kept connection is
// cut.
//
// # Control pages
//
// Without credentials, JSON in and out, refused to cross-site browser pages:
//
//	GET    /                           what this is, seeded SIDs
//	GET    /.sandbox/                  counts, armed faults, newest interactions
//	DELETE /.sandbox/                  back to the state at the start
//	GET    /.sandbox/faults            armed faults
//	PUT    /.sandbox/faults            replace: {"fault":"429","times":2}, {"faults":[...]}
//	POST   /.sandbox/faults            append, same bodies
//	DELETE /.sandbox/faults            disarm all
//	GET    /.sandbox/requests          the last 64 requests below the mount
//	DELETE /.sandbox/requests          forget them
//	POST   /.sandbox/channels/{UO}     what people do: {"event":"accept"}
//
// Events stand for what an agent, a customer or TaskRouter would do and the
// API cannot: accept, cancel, leave, reply, pause, resume, transfer,
// transferred.
//
// # For the owner of the listener
//
// Bind loopback, check Host, and set header, read and write time-outs (a
// write time-out under a minute cuts long slow faults). The sandbox starts no
// goroutine and no timer of its own: a channel's set-up is over when the
// clock says so.
package sandbox
