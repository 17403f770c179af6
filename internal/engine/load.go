// Package engine is the life of a deployment: load the documents, bind the
// operator's values, listen, serve, swap and drain. It wires the other packages
// together and holds no logic of theirs.
package engine

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"patchbay/capabilities"
	"patchbay/internal/deploy"
	"patchbay/internal/diag"
	"patchbay/internal/plan"
	"patchbay/internal/profile"
)

// Loaded is compiled documents: pure, without values and connections.
type Loaded struct {
	Plans []*plan.Plan
	// Files are the names of all documents, in their order.
	Files []string
	// Embedded reports that the plan is of the capability the binary carries.
	Embedded bool
	// Skipped are documents with errors that are left out.
	Skipped  []Skipped
	Profiles *profile.Set
	// Contracts are the documents that were read, in their order of precedence.
	Contracts []ContractDocument
	sources   map[string][]byte
	// visible are the documents as everybody may see them, where that is not
	// how they were given.
	visible map[string][]byte
}

// Source returns the bytes of a document, for diagnostics.
func (l *Loaded) Source(file string) []byte { return l.sources[file] }

// Visible returns a document without the secrets that it spells out, for pages.
func (l *Loaded) Visible(file string) []byte {
	if v, changed := l.visible[file]; changed {
		return v
	}
	return l.sources[file]
}

// maxSource bounds a capability file or contract, in bytes.
const maxSource = 64 << 20

// Skipped is a document that has errors and is left out, because the operator
// wants the others served all the same.
type Skipped struct {
	File     string
	Findings diag.List
	// unread is why the file could not be read, or nil.
	unread error
}

// Name is the file's name without its folder.
func (s *Skipped) Name() string { return filepath.Base(s.File) }

// Reason is the first error in words.
func (s *Skipped) Reason() string {
	if pathError, ok := errors.AsType[*fs.PathError](s.unread); ok {
		return fmt.Sprintf("it cannot be read: %v", pathError.Err) // without its folder, which is nobody else's affair
	}
	if s.unread != nil {
		return "it is too large"
	}
	for _, d := range s.Findings {
		if d.Severity != diag.Error {
			continue
		}
		if n := s.Findings.Count(diag.Error); n > 1 {
			return fmt.Sprintf("line %d: %s; %d more errors", d.Span.Line, d.Message, n-1)
		}
		return fmt.Sprintf("line %d: %s", d.Span.Line, d.Message)
	}
	return ""
}

// Load reads and compiles the documents that the options name, several at a
// time. The error is for files that cannot be read; what is wrong inside of
// them is diagnostics, and the plans are usable as far as those go. With
// SkipInvalid, documents with errors are set aside and have no diagnostics.
func Load(opts *deploy.Options) (*Loaded, diag.List, error) { return LoadReporting(opts, nil) }

// LoadReporting is [Load] for runs that somebody waits for: progress is called
// after each document that is compiled, by one goroutine at a time.
func LoadReporting(opts *deploy.Options, progress func(done, total int)) (*Loaded, diag.List, error) {
	l := &Loaded{sources: map[string][]byte{}, visible: map[string][]byte{}, Embedded: len(opts.Files) == 0}
	profiles, err := profile.Load(capabilities.Profiles().Data)
	if err != nil {
		return nil, nil, err
	}
	given, err := readContracts(opts)
	if err != nil {
		return nil, nil, err
	}
	l.Contracts = given.documents
	compile := plan.Options{Contracts: given.set, Profiles: profiles, BodyTypes: opts.BodyTypes, Guarded: guardedByOperator(opts)}
	l.Profiles = profiles
	documents, unreadable, err := readDocuments(opts)
	if err != nil {
		return nil, nil, err
	}
	l.Skipped = unreadable
	diags := given.findings
	all, err := compileAll(documents, compile, progress)
	if err != nil {
		return nil, nil, err
	}
	for i, c := range all {
		name := documents[i].Name
		l.Files = append(l.Files, name)
		l.sources[name] = documents[i].Data
		if !bytes.Equal(c.visible, documents[i].Data) {
			l.visible[name] = c.visible
		}
		if opts.SkipInvalid && c.found.HasErrors() {
			l.Skipped = append(l.Skipped, Skipped{File: name, Findings: c.found.Sorted()})
			continue
		}
		diags = append(diags, c.found...)
		if c.plan != nil {
			l.Plans = append(l.Plans, c.plan)
		}
	}
	if len(l.Skipped) == len(documents)+len(unreadable) {
		return nil, nil, fmt.Errorf("every file has errors; patchbay validate shows them. The first: %s: %s", l.Skipped[0].File, l.Skipped[0].Reason())
	}
	return l, diags.Sorted(), nil
}

// readDocuments reads the files of the options. Those that cannot be read are
// an error, or, with SkipInvalid, set aside.
func readDocuments(opts *deploy.Options) ([]capabilities.Document, []Skipped, error) {
	if len(opts.Files) == 0 {
		return []capabilities.Document{capabilities.FlexInteractions()}, nil, nil
	}
	var out []capabilities.Document
	var unreadable []Skipped
	for _, name := range opts.Files {
		found, err := expand(name, capabilityEndings()...)
		if err != nil {
			return nil, nil, err
		}
		for _, f := range found {
			data, err := read(f)
			switch {
			case err == nil:
				out = append(out, capabilities.Document{Name: f, Data: data})
			case opts.SkipInvalid:
				unreadable = append(unreadable, Skipped{File: f, unread: err})
			default:
				return nil, nil, err
			}
		}
	}
	return out, unreadable, nil
}

func capabilityEndings() []string { return []string{".yaml", ".yml"} }

// IsCapability reports whether a file of that name is read as a capability where
// the operator names the folder that it lies in.
func IsCapability(name string) bool { return endsIn(name, capabilityEndings()) }

// endsIn reports whether a file's name has one of the endings.
func endsIn(name string, endings []string) bool {
	return slices.Contains(endings, strings.ToLower(filepath.Ext(name)))
}

// expand returns the file itself, or the files of a folder with one of the
// endings, sorted.
func expand(name string, endings ...string) ([]string, error) {
	info, err := os.Stat(name)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no file %s%s", name, nearFile(name, endings))
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
		if !endsIn(e.Name(), endings) {
			continue
		}
		file := filepath.Join(name, e.Name())
		// Folders and pipes are not meant, whatever they are called; a link that
		// leads nowhere is an error when it is read.
		if info, err := os.Stat(file); err != nil || info.Mode().IsRegular() {
			out = append(out, file)
		}
	}
	if len(out) == 0 {
		deeper := ""
		if slices.ContainsFunc(entries, fs.DirEntry.IsDir) {
			deeper = "; name the folders in it that do"
		}
		return nil, fmt.Errorf("the folder %s holds no %s file%s", name, strings.Join(endings, " or "), deeper)
	}
	return out, nil
}

// nearFile names the file beside a missing one that is probably meant.
func nearFile(name string, endings []string) string {
	entries, err := os.ReadDir(filepath.Dir(name))
	if err != nil {
		return ""
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() || endsIn(e.Name(), endings) {
			names = append(names, e.Name())
		}
	}
	if near := diag.Nearest(filepath.Base(name), names); near != "" {
		return "; did you mean " + filepath.Join(filepath.Dir(name), near) + "?"
	}
	return ""
}

func read(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var data bytes.Buffer
	if info, err := f.Stat(); err == nil && info.Size() <= maxSource {
		data.Grow(int(info.Size()) + bytes.MinRead)
	}
	// A pipe or device has no size to look at first.
	if _, err := data.ReadFrom(io.LimitReader(f, maxSource+1)); err != nil {
		return nil, err
	}
	if data.Len() > maxSource {
		return nil, fmt.Errorf("%s is larger than %d bytes", name, maxSource)
	}
	return data.Bytes(), nil
}
