// Package corpustest calls every operation of a catalogue of real capability
// files through REST and through MCP, against an upstream that records what
// arrives, and compares each request with what the provider's OpenAPI document
// says it has to be. It stands outside the path of a request and holds tests
// only.
//
// The expectation must not repeat a mistake of the product, so nothing here uses
// the product's readers or encoders: the files and documents are read into
// plain maps, and paths, queries, forms and JSON are encoded by code of this
// package, which has tests of its own. The product is only started and called.
//
// The catalogue is material beside the repository; without it the tests skip.
package corpustest
