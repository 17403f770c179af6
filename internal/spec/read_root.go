package spec

import (
	"math"
	"slices"
	"strings"
)

// document reads the root of a file that may be a capability.
func (l *loader) document(root *node) {
	if root.Kind != mappingNode {
		l.errorf(CodeNotACapability, l.lines.Node(root), "not a capability file: its top is %s, not a mapping", kindOf(root))
		return
	}
	if reason, hint := l.foreign(root); reason != "" {
		l.errorf(CodeNotACapability, l.lines.Node(root), "not a capability file: %s", reason).WithHint("%s", hint)
		return
	}
	for _, key := range []string{"naftiko", "ikanos"} {
		if v := l.find(root, key); v != nil && v.Kind != scalarNode {
			l.errorf(CodeNotACapability, l.lines.Node(v), "not a capability file: %s is %s, not a version", key, kindOf(v))
			return
		}
	}
	l.root(root)
	d := l.doc
	switch {
	case d.VersionKey.Set() && !d.Version.Set():
		return // what stands in the version's place has been reported
	case !d.VersionKey.Set():
		l.errorf(CodeVersionMissing, l.lines.Node(root), "the document does not say its version").
			WithHint("add the line naftiko: 1.0.0-alpha2, or the version it was written for")
	}
	if l.find(root, "capability") == nil && len(d.Consumes)+len(d.Exposes)+len(d.Aggregates)+len(d.Binds) == 0 {
		l.missing(root, l.lines.Node(root), rootShape, "capability", "it says what is consumed and exposed")
	}
	if l.marked() || l.cut() && len(d.Exposes) == 0 {
		l.errorf(CodeNotACapability, l.lines.Point(l.lines.Count(), 1), "not a whole capability file: it is cut off at %d bytes", len(d.Source)).
			WithHint("fetch the whole file")
	}
}

func (l *loader) root(root *node) {
	own := l.find(root, "capability") != nil
	pairs := l.members(root)
	var capability *node
	for i := 0; i < len(pairs); i += 2 {
		key, val := pairs[i], pairs[i+1]
		switch key.Value {
		case "naftiko", "ikanos":
			l.version(key, val)
		case "info":
			l.info(key, val)
		case "capability":
			capability = l.mapping(key, val)
		case "binds", "consumes", "exposes", "aggregates":
			if own && key.Value != "binds" {
				l.deviate(deviationRootConsumes, key)
			}
			l.part(key, val)
		default:
			l.unknownKey(key, rootShape)
		}
	}
	pairs = l.members(capability)
	for i := 0; i < len(pairs); i += 2 {
		key, val := pairs[i], pairs[i+1]
		switch key.Value {
		case "binds", "consumes", "exposes", "aggregates":
			l.part(key, val)
		default:
			l.unknownKey(key, capabilityShape)
		}
	}
}

// part reads a section that may stand at the root and in capability; what the
// root has comes first.
func (l *loader) part(key, val *node) {
	d := l.doc
	switch key.Value {
	case "binds":
		d.Binds = append(d.Binds, listOnly(l, key, val, (*loader).bind)...)
	case "consumes":
		d.Consumes = append(d.Consumes, listOnly(l, key, val, (*loader).consumes)...)
	case "exposes":
		d.Exposes = append(d.Exposes, listOnly(l, key, val, (*loader).exposes)...)
	case "aggregates":
		d.Aggregates = append(d.Aggregates, listOnly(l, key, val, (*loader).aggregate)...)
	}
}

// find returns the value of a key, or nil, before the mapping is read. It
// reports nothing.
func (l *loader) find(n *node, key string) *node { return l.findMerged(n, key, 0) }

func (l *loader) findMerged(n *node, key string, depth int) *node {
	var sources *node
	for i := 0; i+1 < len(n.Content); i += 2 {
		switch k := n.Content[i]; {
		case k.Kind != scalarNode:
		case k.Value == key:
			return follow(n.Content[i+1])
		case k.Tag == tagMerge:
			sources = follow(n.Content[i+1])
		}
	}
	switch {
	case sources == nil || depth > maxMergeDepth || !l.takePairs(n, 1):
		return nil
	case sources.Kind == mappingNode:
		return l.findMerged(sources, key, depth+1)
	}
	for _, s := range sources.Content {
		if s = follow(s); s.Kind == mappingNode {
			if v := l.findMerged(s, key, depth+1); v != nil {
				return v
			}
		}
	}
	return nil
}

// findText returns the text of a key's scalar, or "".
func (l *loader) findText(n *node, key string) string {
	if v := l.find(n, key); v != nil && v.Kind == scalarNode {
		return v.Value
	}
	return ""
}

func (l *loader) version(key, val *node) {
	d, val := l.doc, follow(val)
	switch {
	case d.VersionKey.Set():
		l.repeated(key, d.VersionKey.Span)
		return
	case isNull(val):
		d.VersionKey = l.textOf(key)
		l.errorf(CodeVersionMissing, d.VersionKey.Span, "%s has no version", key.Value).WithHint("write one of %s", strings.Join(versions(key.Value), ", "))
		return
	case val.Kind != scalarNode:
		d.VersionKey = l.textOf(key)
		l.errorf(CodeNotACapability, l.lines.Node(val), "not a capability file: %s is %s, not a version", key.Value, kindOf(val))
		return
	}
	d.VersionKey, d.Version = l.textOf(key), l.textOf(val)
	known := versions(key.Value)
	if slices.Contains(known, val.Value) {
		return
	}
	l.warnf(CodeVersionUnknown, d.Version.Span, "%q is no known version of %s", clip(val.Value), key.Value).
		WithHint("known are %s; the document is read like those", strings.Join(known, ", "))
}

// versions lists the published versions under a key.
func versions(key string) []string {
	if key == "naftiko" {
		return []string{"1.0.0-alpha1", "1.0.0-alpha2", "1.0.0-alpha3"}
	}
	return []string{"1.0.0-alpha3", "1.0.0-alpha4", "1.0.0-beta1", "1.0.0-beta2", "1.0.0-beta3", "1.0.0-beta4"}
}

func (l *loader) info(key, val *node) {
	val = l.mapping(key, val)
	if val == nil {
		return
	}
	out := &l.doc.Info
	out.Span = l.lines.Node(val)
	pairs := l.members(val)
	for i := 0; i < len(pairs); i += 2 {
		key, val := pairs[i], pairs[i+1]
		switch key.Value {
		case "label", "display":
			l.text(key, val, &out.Label)
		case "description":
			l.text(key, val, &out.Description)
		case "version":
			l.text(key, val, &out.Version)
		case "tags":
			l.texts(key, val, &out.Tags)
		case "created":
			l.text(key, val, &out.Created)
		case "modified":
			l.text(key, val, &out.Modified)
		case "stakeholders":
			out.Stakeholders = listOnly(l, key, val, (*loader).stakeholder)
		default:
			l.unknownKey(key, infoShape)
		}
	}
	if !out.Label.Set() {
		l.recommended(val, out.Span, infoShape, "label", "it is what people see")
	}
	if len(out.Tags) == 0 {
		l.advised(val, out.Span, infoShape, "tags", "catalogues group capabilities by them")
	}
}

func (l *loader) stakeholder(_, n *node, out *Stakeholder) {
	out.Span = l.lines.Node(n)
	pairs := l.members(n)
	for i := 0; i < len(pairs); i += 2 {
		key, val := pairs[i], pairs[i+1]
		switch key.Value {
		case "role":
			l.text(key, val, &out.Role)
		case "fullName":
			l.text(key, val, &out.FullName)
		case "email":
			l.text(key, val, &out.Email)
		default:
			l.unknownKey(key, stakeholderShape)
		}
	}
}

func (l *loader) bind(_, n *node, out *Bind) {
	out.Span = l.lines.Node(n)
	imported := l.find(n, "import") != nil || l.find(n, "from") != nil || l.find(n, "as") != nil
	pairs := l.members(n)
	for i := 0; i < len(pairs); i += 2 {
		key, val := pairs[i], pairs[i+1]
		if imported && l.importMember(key, val, &out.Import) {
			continue
		}
		switch key.Value {
		case "namespace":
			l.text(key, val, &out.Namespace)
		case "description":
			l.text(key, val, &out.Description)
		case "location":
			l.text(key, val, &out.Location)
		case "keys":
			out.Keys = l.bindKeys(key, val)
		default:
			l.unknownKey(key, bindShape)
		}
	}
	l.imported(out.Import, &out.Namespace, bindShape)
	if out.Import == nil && !out.Namespace.Set() {
		l.recommended(n, out.Span, bindShape, "namespace", "{{namespace.VARIABLE}} names its values")
	}
}

// bindKeys reads the variables of a binding: a mapping from variable to key,
// or a list of variables that are called the same at their source.
func (l *loader) bindKeys(key, val *node) []Entry {
	val = follow(val)
	if val.Kind != sequenceNode {
		return l.entries(key, val)
	}
	l.deviate(deviationBindKeys, key)
	var names []Text
	l.texts(key, val, &names)
	out := make([]Entry, len(names))
	for i, name := range names {
		out[i] = Entry{Name: name, Value: name, Tag: tagText}
	}
	return out
}

// importMember reads one member of an entry that stands for another file's.
func (l *loader) importMember(key, val *node, out **Import) bool {
	switch key.Value {
	case "import", "from", "location", "as":
	default:
		return false
	}
	if *out == nil {
		*out = &Import{Span: l.lines.Node(key)}
	}
	switch key.Value {
	case "import":
		l.text(key, val, &(*out).Namespace)
	case "as":
		l.text(key, val, &(*out).As)
	default:
		l.text(key, val, &(*out).Location)
	}
	return true
}

// imported judges an import and names the entry that it stands for.
func (l *loader) imported(im *Import, namespace *Text, s shape) {
	if im == nil {
		return
	}
	if !im.Location.Set() {
		l.missing(nil, im.Span, s, "from", "an import needs the file that it is taken from")
	}
	switch {
	case namespace.Set():
	case im.As.Set():
		*namespace = im.As
	default:
		*namespace = im.Namespace
	}
}

func (l *loader) aggregate(_, n *node, out *Aggregate) {
	out.Span = l.lines.Node(n)
	pairs := l.members(n)
	for i := 0; i < len(pairs); i += 2 {
		key, val := pairs[i], pairs[i+1]
		if l.importMember(key, val, &out.Import) {
			continue
		}
		switch key.Value {
		case "namespace":
			l.text(key, val, &out.Namespace)
		case "label", "display":
			l.text(key, val, &out.Label)
		case "description":
			l.text(key, val, &out.Description)
		case "functions", "flows":
			out.Functions = append(out.Functions, list(l, key, val, (*loader).function)...)
		default:
			l.unknownKey(key, aggregateShape)
		}
	}
	l.imported(out.Import, &out.Namespace, aggregateShape)
	if out.Import == nil && !out.Namespace.Set() {
		l.missing(n, out.Span, aggregateShape, "namespace", "ref names its functions by it")
	}
}

func (l *loader) function(name, n *node, out *Function) {
	out.Span = l.span(name, n)
	l.name(name, &out.Name)
	pairs := l.members(n)
	for i := 0; i < len(pairs); i += 2 {
		key, val := pairs[i], pairs[i+1]
		if l.runMember(key, val, &out.Run) {
			continue
		}
		switch key.Value {
		case "name":
			l.text(key, val, &out.Name)
		case "label", "display":
			l.text(key, val, &out.Label)
		case "description":
			l.text(key, val, &out.Description)
		case "tags":
			l.texts(key, val, &out.Tags)
		case "inputParameters":
			out.Inputs = list(l, key, val, (*loader).toolInput)
		case "semantics":
			l.semantics(key, val, out)
		case "outputMediaType":
			l.text(key, val, &out.OutputMediaType)
		default:
			l.unknownKey(key, functionShape)
		}
	}
	if !out.Name.Set() {
		l.missing(n, out.Span, functionShape, "name", "ref names it")
	}
	if !out.Description.Set() {
		l.recommended(n, out.Span, functionShape, "description", "tools and operations that refer to it inherit it")
	}
}

func (l *loader) semantics(key, val *node, out *Function) {
	val = l.mapping(key, val)
	pairs := l.members(val)
	for i := 0; i < len(pairs); i += 2 {
		key, val := pairs[i], pairs[i+1]
		switch key.Value {
		case "safe":
			l.boolean(key, val, &out.Safe)
		case "idempotent":
			l.boolean(key, val, &out.Idempotent)
		case "cacheable":
			l.boolean(key, val, &out.Cacheable)
		default:
			l.unknownKey(key, semanticsShape)
		}
	}
}

// anySize is the upper end of a number that has none of its own.
const anySize = math.MaxInt32
