// Package deployfile reads the deployment file, usually patchbay.yaml, into the
// typed options of [deploy]. It is strict: what it does not know, it refuses, all
// at once and each with its place. One description of the fields makes the
// reader, the JSON Schema for editors and the page of documentation.
//
// It stands beside the command line's flags, which win over it, and is pure:
// the text comes in as bytes, and secrets through [Secrets].
package deployfile

import (
	"path/filepath"
	"unicode/utf8"

	"patchbay/internal/deploy"
	"patchbay/internal/diag"
	"patchbay/internal/secret"
	"patchbay/internal/yamltext"
)

// maxSize is the largest file that is read, in bytes.
const maxSize = 1 << 20

// File is a deployment file that was read.
type File struct {
	// Name is what diagnostics call the file, Source its text.
	Name   string
	Source []byte
	// Options are the defaults and what the file says. The paths in them are
	// joined to the file's folder.
	Options deploy.Options
	// Names are the namespaces that the file speaks of, in its order.
	Names []Name
	// Paths are the files and folders that have to be there.
	Paths []Path
	// SecretFiles are the files that hold secrets.
	SecretFiles []string
}

// Name is a namespace where the file names it.
type Name struct {
	Role Role
	Name string
	Span diag.Span
}

// Role is what a namespace has to be.
type Role uint8

// The roles. AnyNamespace may be a pattern, in which * is anything.
const (
	UpstreamName Role = iota
	AdapterName
	MountedName
	AnyNamespace
)

// Path is a file or folder where the deployment file names it.
type Path struct {
	Path string
	Span diag.Span
	// Input means that the path belongs to what is compiled; the others only
	// count where something is served.
	Input bool
}

// Secrets reads the values that ${file:…} and ${env:…} stand for. Errors must not
// quote what was read.
type Secrets interface {
	// SecretFile returns a file's content without its last line break. Exposed reports
	// that others than the owner may read the file.
	SecretFile(path string) (value secret.Value, exposed bool, err error)
	// Variable returns a variable of the environment or of an env file.
	Variable(name string) (value secret.Value, ok bool)
}

// Parse reads a deployment file. Without secrets it looks at the references
// only, and each value is the reference itself.
//
// The file is never nil; its options are usable as far as the findings go. The
// findings are sorted by place, and none of them shows a value that may be a
// secret.
func Parse(name string, source []byte, secrets Secrets) (*File, diag.List) {
	r := &reader{
		file: &File{Name: name, Source: source, Options: deploy.Defaults()}, folder: filepath.Dir(name), secrets: secrets,
		hidden: map[int]bool{}, patterns: map[string]matcher{},
	}
	r.load()
	for i := range r.findings {
		if d := &r.findings[i]; r.hidden[d.Span.Line] {
			d.Secret = true
		}
	}
	return r.file, r.findings.Sorted()
}

func (r *reader) load() {
	whole := diag.Span{File: r.file.Name}
	source := r.file.Source
	if len(source) > maxSize {
		r.errorf(CodeLimit, whole, "the file has %d bytes; at most %d are read", len(source), maxSize)
		return
	}
	if !utf8.Valid(source) {
		r.errorf(CodeSyntax, whole, "the file is not encoded in UTF-8")
		return
	}
	r.lines = yamltext.NewLines(r.file.Name, source)
	root, second, fault := yamltext.Decode(source)
	switch {
	case fault != nil:
		r.syntax(fault)
		return
	case root == nil || yamltext.IsNull(root):
		r.errorf(CodeEmpty, whole, "the deployment file is empty").WithHint("patchbay schema --config says what may stand in it")
		return
	case second != nil:
		r.errorf(CodeSyntax, r.lines.Node(second), "a second document starts here").WithHint("a deployment is one document")
	}
	shape := rootShape()
	if root = yamltext.Follow(root); root.Kind == yamltext.MappingNode && r.isCapability(root) {
		return
	}
	readMapping(r, shape, "the deployment file", root, &r.file.Options)
	r.settle()
}

// isCapability reports a file of the other kind, of which everything would be
// unknown here.
func (r *reader) isCapability(root *node) bool {
	for i := 0; i+1 < len(root.Content); i += 2 {
		switch root.Content[i].Value {
		case "naftiko", "ikanos":
			r.errorf(CodeUnknownKey, r.lines.Node(root.Content[i]), "this is a capability file, not a deployment file").
				WithHint("name it as an argument, or under capabilities in the deployment file")
			return true
		}
	}
	return false
}

// settle moves what the file says to where flags say the same, so that each
// decision stands in one place.
func (r *reader) settle() {
	o := &r.file.Options
	for ns, u := range o.UpstreamSettings {
		move(&u.BaseURL, o.Upstreams, ns)
		move(&u.Checks, o.Checks, ns)
		move(&u.BodyType, o.BodyTypes, ns)
		if ns == "" {
			take(&u.Connect, &o.Limits.Connect)
			take(&u.Header, &o.Limits.Header)
			take(&u.Total, &o.Limits.Total)
			take(&u.MaxResponse, &o.Limits.MaxResponse)
			take(&u.MaxConcurrent, &o.Limits.MaxConcurrent)
			take(&u.MaxQueue, &o.Limits.MaxQueue)
			o.Limits.MaxQueue = max(0, o.Limits.MaxQueue)
			take(&u.Retry.Attempts, &o.Limits.Retry.Attempts)
			take(&u.Retry.Base, &o.Limits.Retry.Base)
			take(&u.Retry.Max, &o.Limits.Retry.Max)
			take(&u.Breaker.Failures, &o.Limits.Breaker.Failures)
			take(&u.Breaker.Window, &o.Limits.Breaker.Window)
			take(&u.Breaker.Pause, &o.Limits.Breaker.Pause)
		}
		o.UpstreamSettings[ns] = u
	}
	for ns, a := range o.AdapterSettings {
		move(&a.Listen, o.Listen, ns)
		move(&a.Mount, o.Mounts, ns)
		if ns == "" {
			take(&a.MaxBody, &o.Limits.MaxBody)
			take(&a.MaxResult, &o.MaxResult)
			o.MaxResult = max(0, o.MaxResult)
			take(&a.ReadOnly, &o.ReadOnly)
			take(&a.TLS, &o.TLS)
			o.Tools, o.Tags, a.Tools, a.Tags = a.Tools, a.Tags, nil, nil
		}
		o.AdapterSettings[ns] = a
	}
	if o.Sandbox.Enabled {
		for _, n := range r.file.Names {
			if n.Role == UpstreamName && o.Upstreams[n.Name] != "" {
				r.errorf(CodeConflict, n.Span, "%q has a baseUrl, and the sandbox answers in place of every upstream", clip(n.Name)).WithHint("remove one of them")
			}
		}
	}
}

// move takes a text out of a namespace's settings into a table of its own.
func move(from *string, to map[string]string, namespace string) {
	if *from != "" {
		to[namespace], *from = *from, ""
	}
}

// take moves a value that is set.
func take[V comparable](from, to *V) {
	var zero V
	if *from != zero {
		*to, *from = *from, zero
	}
}
