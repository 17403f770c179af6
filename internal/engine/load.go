// Package engine is the life of a deployment: load the documents, bind the
// operator's values, listen, serve, swap and drain. It wires the other packages
// together and holds no logic of theirs.
package engine

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"patchbay/capabilities"
	"patchbay/internal/contract"
	"patchbay/internal/deploy"
	"patchbay/internal/diag"
	"patchbay/internal/openapi"
	"patchbay/internal/plan"
	"patchbay/internal/profile"
	"patchbay/internal/spec"
)

// Loaded is compiled documents: pure, without values and connections.
type Loaded struct {
	Plans []*plan.Plan
	// Embedded reports that the plan is of the capability the binary carries.
	Embedded bool
	sources  map[string][]byte
}

// Source returns the bytes of a document, for diagnostics.
func (l *Loaded) Source(file string) []byte { return l.sources[file] }

// maxSource bounds a capability file or contract, in bytes.
const maxSource = 64 << 20

// Load reads and compiles the documents that the options name. The error is
// for files that cannot be read; what is wrong inside of them is diagnostics,
// and the plans are usable as far as those go.
func Load(opts *deploy.Options) (*Loaded, diag.List, error) {
	l := &Loaded{sources: map[string][]byte{}}
	compile, err := options(opts)
	if err != nil {
		return nil, nil, err
	}
	documents, err := readDocuments(opts.Files)
	if err != nil {
		return nil, nil, err
	}
	l.Embedded = len(opts.Files) == 0
	var diags diag.List
	for _, d := range documents {
		l.sources[d.Name] = d.Data
		doc, found := spec.Load(d.Name, d.Data)
		diags = append(diags, found...)
		if found.HasErrors() && len(doc.Exposes)+len(doc.Consumes) == 0 {
			continue
		}
		p, found := plan.Compile(doc, compile)
		diags = append(diags, found...)
		l.Plans = append(l.Plans, p)
	}
	return l, diags.Sorted(), nil
}

func options(opts *deploy.Options) (plan.Options, error) {
	profiles, err := profile.Load(capabilities.Profiles().Data)
	if err != nil {
		return plan.Options{}, err
	}
	given, err := readContracts(opts.Contracts)
	if err != nil {
		return plan.Options{}, err
	}
	var embedded []*openapi.Document
	for _, d := range capabilities.Contracts() {
		doc, err := openapi.Parse(d.Name, d.Data)
		if err != nil {
			return plan.Options{}, err
		}
		embedded = append(embedded, doc)
	}
	if opts.ContractsFirst {
		given = append(given, embedded...)
	} else {
		given = append(embedded, given...)
	}
	return plan.Options{Contracts: contract.NewSet(given...), Profiles: profiles, BodyTypes: opts.BodyTypes}, nil
}

func readDocuments(files []string) ([]capabilities.Document, error) {
	if len(files) == 0 {
		return []capabilities.Document{capabilities.FlexInteractions()}, nil
	}
	var out []capabilities.Document
	for _, name := range files {
		found, err := expand(name, ".yaml", ".yml")
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			data, err := read(f)
			if err != nil {
				return nil, err
			}
			out = append(out, capabilities.Document{Name: f, Data: data})
		}
	}
	return out, nil
}

func readContracts(names []string) ([]*openapi.Document, error) {
	var out []*openapi.Document
	for _, name := range names {
		found, err := expand(name, ".yaml", ".yml", ".json")
		if err != nil {
			return nil, fmt.Errorf("--contract: %w", err)
		}
		for _, f := range found {
			data, err := read(f)
			if err != nil {
				return nil, fmt.Errorf("--contract: %w", err)
			}
			doc, err := openapi.Parse(f, data)
			if err != nil {
				return nil, fmt.Errorf("--contract: %w", err)
			}
			out = append(out, doc)
		}
	}
	return out, nil
}

// expand returns the file itself, or the files of a folder with one of the
// endings, sorted.
func expand(name string, endings ...string) ([]string, error) {
	info, err := os.Stat(name)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no file %s", name)
		}
		return nil, err
	}
	if !info.IsDir() {
		return []string{name}, nil
	}
	entries, err := os.ReadDir(name)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if !e.IsDir() && slices.Contains(endings, strings.ToLower(filepath.Ext(e.Name()))) {
			out = append(out, filepath.Join(name, e.Name()))
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("the folder %s holds no %s file", name, strings.Join(endings, " or "))
	}
	return out, nil
}

func read(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	// A pipe or device has no size to look at first.
	data, err := io.ReadAll(io.LimitReader(f, maxSource+1))
	if err == nil && len(data) > maxSource {
		return nil, fmt.Errorf("%s is larger than %d bytes", name, maxSource)
	}
	return data, err
}
