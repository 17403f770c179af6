// Package doctest executes the documents of the repository. It stands outside
// the path of a request and holds tests only: they run the commands that
// README.md and docs show, and compare what these print; load the capability
// files that they contain; follow their links; and write the pages that are
// made from the program itself.
//
// # What a fenced block means
//
// The first word after the fence is the language, the others are ours.
//
//	sh [exit=N]      run by sh -e in a directory of the document's own, with
//	                 patchbay in the path; N is the exit code, 0 by default
//	output           what the block before it printed on both streams
//	output json      the same, where white space outside of strings does not count
//	console          shown, not run
//	console serve    "$ patchbay serve …" and what it prints: it is started and
//	                 serves the blocks that follow, in place of the one before
//	yaml [NAME]      a capability file, if it has a version key: it must have no
//	                 errors, or those of the output block that follows
//	json [NAME]      must be JSON
//	text [NAME]      shown
//
// A block with a NAME is written to the document's directory first. In
// expected output … stands for any text within a line, and alone on a line for
// any lines. The addresses 127.0.0.1:8080, :9090, :8081 and :9100 of a document are
// free ports when it is executed.
package doctest

import (
	"context"
	"flag"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"patchbay/internal/cli"
)

var update = flag.Bool("update", false, "rewrite the generated parts of docs")

// TestMain lets the test binary be patchbay, when it is called by that name:
// the commands of the documents then run the code under test, with whatever
// the test was built with.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) != "patchbay" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Main(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, os.LookupEnv)
	stop()
	os.Exit(code)
}

// root is the root of the repository as seen from this package.
const root = "../.."

// A document is a page of the repository.
type document struct {
	// name is the path from the root, with slashes.
	name string
	text string
}

// documents reads all pages that people are meant to read.
func documents(t *testing.T) []document {
	t.Helper()
	var out []document
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		paths, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			name, err := filepath.Rel(root, path)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, document{filepath.ToSlash(name), string(text)})
		}
	}
	return out
}

// TestDocuments runs the blocks of each document in their order.
func TestDocuments(t *testing.T) {
	for _, doc := range documents(t) {
		t.Run(doc.name, func(t *testing.T) {
			run := newRun(t)
			blocks, err := parseBlocks(doc.text)
			if err != nil {
				t.Fatalf("%s: %v", doc.name, err)
			}
			for i := range blocks {
				b := &blocks[i]
				var expected *block
				if i+1 < len(blocks) && blocks[i+1].language == "output" {
					expected = &blocks[i+1]
				}
				if problem := run.block(b, expected); problem != "" {
					t.Errorf("%s:%d: %s", doc.name, b.line, problem)
				}
			}
			if run.omitted && !t.Failed() {
				t.Skip("no sh or no curl: the commands of the document were not run")
			}
		})
	}
}

// The way in must stay the way in.
func TestReadmeOpensWithTheCommands(t *testing.T) {
	for _, doc := range documents(t) {
		if doc.name != "README.md" {
			continue
		}
		blocks, err := parseBlocks(doc.text)
		if err != nil || len(blocks) == 0 {
			t.Fatalf("no blocks (%v)", err)
		}
		for i, command := range []string{"go run ./cmd/patchbay serve --sandbox", "go test ./..."} {
			lines := strings.Split(blocks[0].text, "\n")
			if i >= len(lines) || !strings.HasPrefix(lines[i], command) {
				t.Errorf("line %d of the first block is not %q", i+1, command)
			}
		}
		if n := strings.Count(doc.text, "\n"); n > 360 {
			t.Errorf("README.md has %d lines; details belong into docs", n)
		}
		return
	}
	t.Error("there is no README.md")
}
