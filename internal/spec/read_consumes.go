package spec

import "strings"

func (l *loader) consumes(_, n *node, out *Consumes) {
	out.Span = l.lines.Node(n)
	kind := l.findText(n, "type")
	pairs := l.members(n)
	for i := 0; i < len(pairs); i += 2 {
		key, val := pairs[i], pairs[i+1]
		if l.importMember(key, val, &out.Import) {
			continue
		}
		switch key.Value {
		case "namespace":
			l.text(key, val, &out.Namespace)
		case "type":
			l.text(key, val, &out.Type)
		case "baseUri":
			l.text(key, val, &out.BaseURI)
		case "description":
			l.text(key, val, &out.Description)
		case "inputParameters":
			out.Inputs = list(l, key, val, (*loader).consumedInput)
		case "headers":
			l.deviate(deviationHeaders, key)
			out.Headers = l.entries(key, val)
		case "authentication", "auth":
			l.authentication(key, val, &out.Authentication)
		case "resources":
			out.Resources = list(l, key, val, (*loader).consumedResource)
		case "tunnel":
			out.Tunnel = l.nodeOrNil(key, val)
		default:
			if kind == "" || kind == "http" { // the keys of other types are not known
				l.unknownKey(key, consumesShape)
			}
		}
	}
	l.imported(out.Import, &out.Namespace, consumesShape)
	if out.Import == nil && !out.Namespace.Set() {
		l.missing(n, out.Span, consumesShape, "namespace", "call names its operations by it")
	}
	if out.Import == nil && !out.Description.Set() {
		l.advised(n, out.Span, consumesShape, "description", "it says what the API is for")
	}
}

func (l *loader) consumedResource(name, n *node, out *ConsumedResource) {
	out.Span = l.span(name, n)
	l.name(name, &out.Name)
	pairs := l.members(n)
	for i := 0; i < len(pairs); i += 2 {
		key, val := pairs[i], pairs[i+1]
		switch key.Value {
		case "name":
			l.text(key, val, &out.Name)
		case "label", "display":
			l.text(key, val, &out.Label)
		case "description":
			l.text(key, val, &out.Description)
		case "tags":
			l.texts(key, val, &out.Tags)
		case "path":
			l.text(key, val, &out.Path)
		case "inputParameters":
			out.Inputs = list(l, key, val, (*loader).consumedInput)
		case "operations":
			out.Operations = list(l, key, val, (*loader).consumedOperation)
		default:
			l.unknownKey(key, consumedResourceShape)
		}
	}
	if out.Path.Set() {
		return
	}
	for i := range out.Operations {
		if !out.Operations[i].Path.Set() {
			l.missing(n, out.Span, consumedResourceShape, "path", "its operations have no address without it")
			return
		}
	}
}

func (l *loader) consumedOperation(name, n *node, out *ConsumedOperation) {
	out.Span = l.span(name, n)
	l.name(name, &out.Name)
	pairs := l.members(n)
	for i := 0; i < len(pairs); i += 2 {
		key, val := pairs[i], pairs[i+1]
		switch key.Value {
		case "name":
			l.text(key, val, &out.Name)
		case "label", "display":
			l.text(key, val, &out.Label)
		case "description":
			l.text(key, val, &out.Description)
		case "tags":
			l.texts(key, val, &out.Tags)
		case "method":
			l.text(key, val, &out.Method)
		case "path":
			l.deviate(deviationOperationPath, key)
			l.text(key, val, &out.Path)
		case "inputParameters":
			out.Inputs = list(l, key, val, (*loader).consumedInput)
		case "outputParameters":
			out.Outputs = l.outputs(key, val, (*loader).consumedOutput)
		case "outputRawFormat":
			l.rawFormat(key, val, &out.OutputRawFormat)
		case "outputSchema":
			l.text(key, val, &out.OutputSchema)
		case "outputMediaType":
			l.text(key, val, &out.OutputMediaType)
		case "maxBinarySize":
			l.text(key, val, &out.MaxBinarySize)
		case "body":
			out.Body = l.body(key, val)
		default:
			l.unknownKey(key, consumedOperationShape)
		}
	}
	if !out.Name.Set() {
		l.missing(n, out.Span, consumedOperationShape, "name", "call names it")
	}
	if !out.Method.Set() {
		l.recommended(n, out.Span, consumedOperationShape, "method", "without it, the method is GET")
	}
}

// rawFormat reads the form of an upstream's answers; its letter case is free.
func (l *loader) rawFormat(key, val *node, dst *Text) {
	known := rawFormats()
	if v := follow(val); v.Kind == scalarNode {
		known = append(known, foldedMatch(known, v.Value)...)
	}
	l.word(key, val, dst, known...)
}

func foldedMatch(known []string, word string) []string {
	for _, k := range known {
		if strings.EqualFold(k, word) {
			return []string{word}
		}
	}
	return nil
}

// body reads a request body: text, a type with data, or data alone.
func (l *loader) body(key, val *node) *Body {
	val = follow(val)
	if isNull(val) {
		l.empty(key)
		return nil
	}
	out := &Body{Span: l.lines.Node(val)}
	if val.Kind != mappingNode {
		if val.Kind == sequenceNode {
			l.deviate(deviationBody, key)
		}
		out.Data = l.node(val)
		return out
	}
	kind, data := l.find(val, "type"), l.find(val, "data")
	typed := kind != nil && kind.Kind == scalarNode && !isNull(kind)
	if !typed && data == nil {
		l.deviate(deviationBody, key)
		out.Data = l.node(val)
		return out
	}
	if data == nil {
		l.deviate(deviationBody, key)
	}
	var rest []NodeMember
	pairs := l.members(val)
	for i := 0; i < len(pairs); i += 2 {
		key, val := pairs[i], pairs[i+1]
		switch {
		case key.Value == "type" && typed:
			l.text(key, val, &out.Type)
		case key.Value == "data":
			out.Data = l.node(val)
		default:
			rest = append(rest, NodeMember{Name: l.textOf(key), Value: l.node(val)})
		}
	}
	switch {
	case data == nil && len(rest) > 0:
		out.Data = Node{Span: out.Span, Kind: Mapping, Tag: val.Tag, Members: rest}
	default:
		for i := range rest {
			l.unknownName(rest[i].Name, bodyShape)
		}
	}
	return out
}
