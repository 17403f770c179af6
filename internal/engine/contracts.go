package engine

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"patchbay/capabilities"
	"patchbay/internal/contract"
	"patchbay/internal/deploy"
	"patchbay/internal/diag"
	"patchbay/internal/openapi"
	"patchbay/internal/plan"
)

// ContractDocument is an OpenAPI document that was read.
type ContractDocument struct {
	Name string
	// Version is the version of OpenAPI.
	Version string
	// Operations counts what the document describes.
	Operations int
}

// contracts are the documents about the consumed APIs. They live as long as
// files are compiled: plans do not refer to them.
type contracts struct {
	set       *contract.Set
	documents []ContractDocument
	findings  diag.List
}

// contractSource is a document that is to be read.
type contractSource struct {
	name string
	// data is nil for a file.
	data []byte
	// folder names the folder in which the file was found, "" where the
	// operator named the file itself.
	folder string
}

// readContracts reads the contracts that Patchbay carries and those of the
// options, several at a time.
func readContracts(opts *deploy.Options) (*contracts, error) {
	sources, err := contractSources(opts)
	if err != nil {
		return nil, err
	}
	docs, err := parseContracts(sources)
	if err != nil {
		return nil, err
	}
	out := &contracts{set: contract.NewSet(docs...)}
	for _, d := range docs {
		// Strings of a document are slices of its text, which is not to be kept.
		out.documents = append(out.documents, ContractDocument{Name: d.Name, Version: strings.Clone(d.Version), Operations: d.Operations()})
		out.findings = append(out.findings, plan.ContractFindings(d)...)
	}
	return out, nil
}

func contractEndings() []string { return append(capabilityEndings(), ".json") }

// IsContract is [IsCapability] for contracts.
func IsContract(name string) bool { return endsIn(name, contractEndings()) }

// contractSources lists the documents in their order of precedence.
func contractSources(opts *deploy.Options) ([]contractSource, error) {
	var carried, given []contractSource
	for _, d := range capabilities.Contracts() {
		carried = append(carried, contractSource{name: d.Name, data: d.Data})
	}
	for _, name := range opts.Contracts {
		found, err := expand(name, contractEndings()...)
		if err != nil {
			return nil, fmt.Errorf("--contract: %w", err)
		}
		folder := name
		if info, err := os.Stat(name); err == nil && !info.IsDir() {
			folder = ""
		}
		for _, f := range found {
			given = append(given, contractSource{name: f, folder: folder})
		}
	}
	if opts.ContractsFirst {
		return append(given, carried...), nil
	}
	return append(carried, given...), nil
}

// parseContracts reads documents, as many at a time as there are processors.
// What is no OpenAPI document is passed over where the operator gave the folder
// that it lies in, and at least one other file there is one. Of several errors
// the first one counts, in the order of the sources.
func parseContracts(sources []contractSource) ([]*openapi.Document, error) {
	docs := make([]*openapi.Document, len(sources))
	errs := make([]error, len(sources))
	if err := sideBySide(len(sources), func(i int) { docs[i], errs[i] = sources[i].parse() }); err != nil {
		return nil, err
	}
	used := map[string]bool{}
	var out []*openapi.Document
	for i, err := range errs {
		s := &sources[i]
		switch {
		case err == nil:
			out = append(out, docs[i])
			used[s.folder] = true
		case s.folder == "" || !errors.Is(err, openapi.ErrNotOpenAPI):
			return nil, fmt.Errorf("--contract: %w", err)
		}
	}
	for i := range sources {
		if folder := sources[i].folder; folder != "" && !used[folder] {
			return nil, fmt.Errorf("--contract: the folder %s holds no OpenAPI 3 document", folder)
		}
	}
	return out, nil
}

func (s *contractSource) parse() (*openapi.Document, error) {
	data := s.data
	if data == nil {
		var err error
		if data, err = read(s.name); err != nil {
			return nil, err
		}
	}
	return openapi.Parse(s.name, data)
}
