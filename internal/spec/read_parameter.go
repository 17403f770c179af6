package spec

// inputSide is who declares an input; the published schema allows each side
// other keys.
type inputSide uint8

const (
	consumedSide inputSide = 1 << iota
	exposedSide
	toolSide
	argumentSide
	nestedSide
)

func (s inputSide) deviation() deviation {
	switch s {
	case consumedSide:
		return deviationConsumedInput
	case exposedSide:
		return deviationExposedInput
	case toolSide:
		return deviationToolInput
	default:
		return deviationArgument
	}
}

func (l *loader) consumedInput(name, n *node, out *Parameter) { l.input(consumedSide, name, n, out) }
func (l *loader) exposedInput(name, n *node, out *Parameter)  { l.input(exposedSide, name, n, out) }
func (l *loader) toolInput(name, n *node, out *Parameter)     { l.input(toolSide, name, n, out) }
func (l *loader) argument(name, n *node, out *Parameter)      { l.input(argumentSide, name, n, out) }
func (l *loader) nestedInput(name, n *node, out *Parameter)   { l.input(nestedSide, name, n, out) }

func (l *loader) input(side inputSide, name, n *node, out *Parameter) {
	out.Span = l.span(name, n)
	l.name(name, &out.Name)
	if n != nil {
		if !l.enter(n) {
			return
		}
		defer l.leave()
	}
	// required may be a list that names properties which come after it.
	var required *node
	pairs := l.members(n)
	for i := 0; i < len(pairs); i += 2 {
		key, val := pairs[i], pairs[i+1]
		if key.Value == "required" && follow(val).Kind == sequenceNode {
			required = follow(val)
			l.deviateInput(side, 0, key)
			continue
		}
		l.inputMember(side, key, val, out)
	}
	if required != nil {
		l.requireProperties(required, out)
	}
	if side != nestedSide && !out.Name.Set() {
		l.missing(n, out.Span, inputShape, "name", "nothing can refer to it without one")
	}
}

func (l *loader) inputMember(side inputSide, key, val *node, out *Parameter) {
	allowed := nestedSide
	switch key.Value {
	case "name":
		l.text(key, val, &out.Name)
		return
	case "in":
		l.text(key, val, &out.In)
		allowed |= consumedSide | exposedSide
	case "type":
		l.valueType(key, val, &out.Type)
		allowed |= exposedSide | toolSide
	case "description":
		l.text(key, val, &out.Description)
		allowed |= exposedSide | toolSide | argumentSide
	case "required":
		l.boolean(key, val, &out.Required)
		allowed |= toolSide | argumentSide
	case "value":
		l.text(key, val, &out.Value)
		allowed |= consumedSide | exposedSide
	case "pattern":
		l.text(key, val, &out.Pattern)
		allowed |= exposedSide
	case "label", "display":
		l.text(key, val, &out.Label)
		allowed |= argumentSide
	case "mapping":
		l.text(key, val, &out.Mapping)
	case "default":
		l.text(key, val, &out.Default)
	case "enum":
		l.texts(key, val, &out.Enum)
	case "items":
		out.Items = one(l, key, val, (*loader).nestedInput)
	case "properties":
		out.Properties = list(l, key, val, (*loader).nestedInput)
	case "x-mcp-header":
		l.text(key, val, &out.Header)
	case "template", "const", "selector", "values", "precision", "scale", "maxLength",
		"contentEncoding", "contentCompression", "contentMediaType":
		l.deviate(deviationInputExtra, key)
		return
	default:
		l.unknownKey(key, inputShape)
		return
	}
	l.deviateInput(side, allowed, key)
}

func (l *loader) deviateInput(side, allowed inputSide, key *node) {
	if side&(allowed|nestedSide) == 0 {
		l.deviate(side.deviation(), key)
	}
}

// requireProperties marks the properties that a list names.
func (l *loader) requireProperties(required *node, out *Parameter) {
	if !l.takePairs(required, len(required.Content)) {
		return
	}
	byName := make(map[string]*Parameter, len(out.Properties))
	for i := range out.Properties {
		byName[out.Properties[i].Name.Value] = &out.Properties[i]
	}
	for _, item := range required.Content {
		item = follow(item)
		if p := byName[item.Value]; p != nil && item.Kind == scalarNode {
			p.Required = Bool{Value: true, Span: l.lines.Node(item)}
			continue
		}
		names := make([]string, len(out.Properties))
		for i := range names {
			names[i] = out.Properties[i].Name.Value
		}
		l.wrongKind("an entry of required", item, "the name of a property").WithNearest(item.Value, names, "the object has ")
	}
}

// one reads a single part: a mapping, or a list of which the first counts.
func one[T any](l *loader, key, val *node, read func(l *loader, name, n *node, out *T)) *T {
	val = follow(val)
	if val.Kind == sequenceNode && len(val.Content) > 0 {
		val = follow(val.Content[0])
	}
	switch {
	case isNull(val):
		l.empty(key)
		return nil
	case val.Kind != mappingNode:
		l.wrongKind(key.Value, val, "a mapping")
		return nil
	}
	out := new(T)
	read(l, nil, val, out)
	return out
}

// outputs reads output parameters: a list, a mapping of names, or one output alone.
func (l *loader) outputs(key, val *node, read func(l *loader, name, n *node, out *Output)) []Output {
	val = follow(val)
	if val.Kind == mappingNode && (l.findText(val, "type") != "" || l.findText(val, "mapping") != "") {
		l.deviate(deviationOutputShape, key)
		out := make([]Output, 1)
		read(l, nil, val, &out[0])
		return out
	}
	return list(l, key, val, read)
}

func (l *loader) consumedOutput(name, n *node, out *Output) {
	l.output(name, n, out, (*loader).consumedOutput)
	if out.Mapping.Set() && !out.Value.Set() {
		l.deviate(deviationConsumedMapping, n)
	}
}

func (l *loader) exposedOutput(name, n *node, out *Output) {
	l.output(name, n, out, (*loader).exposedOutput)
	switch {
	case out.Type.Value == "object" && !out.HasProperties:
		l.deviate(deviationObjectOutput, n)
	case out.Type.Value == "array" && out.Items == nil:
		l.deviate(deviationArrayOutput, n)
	}
}

// output reads an output whose parts are read by nested.
func (l *loader) output(name, n *node, out *Output, nested func(l *loader, name, n *node, out *Output)) {
	out.Span = l.span(name, n)
	l.name(name, &out.Name)
	if n == nil {
		return
	}
	if !l.enter(n) {
		return
	}
	defer l.leave()
	pairs := l.members(n)
	for i := 0; i < len(pairs); i += 2 {
		key, val := pairs[i], pairs[i+1]
		switch key.Value {
		case "name":
			l.text(key, val, &out.Name)
		case "type":
			l.valueType(key, val, &out.Type)
		case "description":
			l.text(key, val, &out.Description)
		case "value":
			l.text(key, val, &out.Value)
		case "mapping":
			l.text(key, val, &out.Mapping)
		case "properties":
			out.HasProperties = true
			out.Properties = list(l, key, val, nested)
		case "items":
			out.Items = one(l, key, val, nested)
		case "maxLength":
			l.integer(key, val, &out.MaxLength, 0, anySize)
		case "const": // allowed by the schema, without effect in any engine
		case "template", "selector", "values", "required", "enum", "precision", "scale", "pattern",
			"contentEncoding", "contentCompression", "contentMediaType":
			l.deviate(deviationOutputExtra, key)
		default:
			l.unknownKey(key, outputShape)
		}
	}
}
