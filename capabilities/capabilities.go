// Package capabilities holds the files that the binary carries: the capability
// that runs when no file is named, the contract of its upstream and the
// profiles of providers. It stands before everything else in a deployment's
// life and only hands out bytes; internal/spec, internal/openapi and
// internal/contract read them like any file that an operator names.
package capabilities

import _ "embed" // for the embedded files below

// The files are embedded as strings, which nobody can write to.
var (
	//go:embed flex-interactions.yaml
	flexInteractions string
	//go:embed flex-interactions.openapi.yaml
	flexInteractionsContract string
	//go:embed profiles.yaml
	profiles string
)

// Document is one embedded file.
type Document struct {
	// Name is the file name, without directory, as diagnostics print it.
	Name string
	// Data is the whole file in UTF-8. It is a copy and belongs to the caller.
	Data []byte
}

// FlexInteractions returns the capability "Twilio Flex API - Interactions",
// byte for byte as its generator published it: five operations, a REST and an
// MCP adapter. Safe for concurrent use, as are the other functions.
func FlexInteractions() Document {
	return Document{Name: "flex-interactions.yaml", Data: []byte(flexInteractions)}
}

// Contracts returns the OpenAPI 3.1 documents about upstreams of the embedded
// capabilities, one each. Their extension keywords are explained at their top.
func Contracts() []Document {
	return []Document{{Name: "flex-interactions.openapi.yaml", Data: []byte(flexInteractionsContract)}}
}

// Profiles returns the wire conventions of providers. The shape is explained
// at the top of the file.
func Profiles() Document {
	return Document{Name: "profiles.yaml", Data: []byte(profiles)}
}
