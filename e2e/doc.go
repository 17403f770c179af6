// Package e2e tests the built patchbay command against the programs that people
// use it with: Twilio's own Go client, the official MCP SDK, a shell.
//
// The module is apart from the product's and depends on none of its packages:
// the command is started on free loopback ports and judged by its streams, its
// exit code and its wire. The command under test is the file that the
// environment variable PATCHBAY names; without it, the tests build
// ../cmd/patchbay. Whoever runs them needs neither credentials nor a network.
package e2e
