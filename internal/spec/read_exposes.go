package spec

// exposes reads an adapter. One of a type that is not known keeps its type and
// what adapters have in common; the next stage disables it.
func (l *loader) exposes(_, n *node, out *Exposes) {
	out.Span = l.lines.Node(n)
	kind := l.findText(n, "type")
	pairs := l.members(n)
	for i := 0; i < len(pairs); i += 2 {
		key, val := pairs[i], pairs[i+1]
		if l.importMember(key, val, &out.Import) || l.adapterMember(kind, key, val, out) {
			continue
		}
		switch kind {
		case "rest":
			l.restMember(key, val, out)
		case "mcp":
			l.mcpMember(key, val, out)
		case "skill":
			l.skillMember(key, val, out)
		}
	}
	if kind == "control" {
		out.Control = l.node(n)
	}
	l.imported(out.Import, &out.Namespace, adapterShape)
	switch {
	case out.Import != nil:
	case !out.Type.Set():
		l.missing(n, out.Span, adapterShape, "type", "rest, mcp, skill or control")
	case !out.Namespace.Set() && kind != "control":
		l.recommended(n, out.Span, adapterShape, "namespace", "options and references name it by that")
	}
}

// adapterMember reads what adapters of every type have.
func (l *loader) adapterMember(kind string, key, val *node, out *Exposes) bool {
	switch key.Value {
	case "type":
		l.text(key, val, &out.Type)
	case "namespace":
		l.text(key, val, &out.Namespace)
	case "description":
		if kind == "rest" {
			l.deviate(deviationRESTDescription, key)
		}
		l.text(key, val, &out.Description)
	case "address":
		l.text(key, val, &out.Address)
	case "port":
		l.integer(key, val, &out.Port, 1, 65535)
	case "authentication", "auth":
		l.authentication(key, val, &out.Authentication)
	default:
		return false
	}
	return true
}

func (l *loader) restMember(key, val *node, out *Exposes) {
	switch key.Value {
	case "resources":
		out.Resources = list(l, key, val, (*loader).exposedResource)
	case "inputParameters":
		l.deviate(deviationAdapterInputs, key)
		out.Inputs = list(l, key, val, (*loader).exposedInput)
	case "maxBinarySize":
		l.text(key, val, &out.MaxBinarySize)
	default:
		l.unknownKey(key, restShape)
	}
}

func (l *loader) mcpMember(key, val *node, out *Exposes) {
	switch key.Value {
	case "tools":
		out.Tools = list(l, key, val, (*loader).tool)
	case "resources":
		out.MCPResources = list(l, key, val, (*loader).mcpResource)
	case "prompts":
		out.Prompts = list(l, key, val, (*loader).prompt)
	case "transport":
		l.word(key, val, &out.Transport, "http", "stdio")
	case "maxBinarySize":
		l.text(key, val, &out.MaxBinarySize)
	case "ttlMs":
		l.integer(key, val, &out.TTL, 0, anySize)
	case "cacheScope":
		l.word(key, val, &out.CacheScope, "public", "private")
	default:
		l.unknownKey(key, mcpShape)
	}
}

func (l *loader) skillMember(key, val *node, out *Exposes) {
	if key.Value != "skills" {
		l.unknownKey(key, skillShape)
		return
	}
	out.Skills = list(l, key, val, (*loader).skill)
}

// skill keeps a skill as it is; the key of a mapping of names becomes its name.
func (l *loader) skill(name, n *node, out *Node) {
	if n != nil {
		*out = l.node(n)
	} else {
		*out = Node{Kind: Mapping, Span: l.lines.Node(name)}
	}
	if name == nil {
		return
	}
	named := NodeMember{Name: derived("name", l.lines.Node(name)), Value: l.node(name)}
	out.Members = append([]NodeMember{named}, out.Members...)
}

func (l *loader) exposedResource(name, n *node, out *ExposedResource) {
	out.Span = l.span(name, n)
	l.name(name, &out.Name)
	pairs := l.members(n)
	for i := 0; i < len(pairs); i += 2 {
		key, val := pairs[i], pairs[i+1]
		switch key.Value {
		case "path":
			l.text(key, val, &out.Path)
		case "name":
			l.text(key, val, &out.Name)
		case "label", "display":
			l.text(key, val, &out.Label)
		case "description":
			l.text(key, val, &out.Description)
		case "tags":
			l.texts(key, val, &out.Tags)
		case "inputParameters":
			out.Inputs = list(l, key, val, (*loader).exposedInput)
		case "operations":
			out.Operations = list(l, key, val, (*loader).exposedOperation)
		case "forward":
			out.Forward = l.nodeOrNil(key, val)
		default:
			l.unknownKey(key, exposedResourceShape)
		}
	}
	if !out.Path.Set() {
		l.missing(n, out.Span, exposedResourceShape, "path", "requests find it by that")
	}
	if !out.Description.Set() {
		l.advised(n, out.Span, exposedResourceShape, "description", "callers read it in the description of the API")
	}
}

func (l *loader) exposedOperation(name, n *node, out *ExposedOperation) {
	out.Span = l.span(name, n)
	l.name(name, &out.Name)
	pairs := l.members(n)
	for i := 0; i < len(pairs); i += 2 {
		key, val := pairs[i], pairs[i+1]
		if l.runMember(key, val, &out.Run) {
			continue
		}
		switch key.Value {
		case "method":
			l.text(key, val, &out.Method)
		case "name":
			l.text(key, val, &out.Name)
		case "label", "display":
			l.text(key, val, &out.Label)
		case "description":
			l.text(key, val, &out.Description)
		case "tags":
			l.texts(key, val, &out.Tags)
		case "inputParameters":
			out.Inputs = list(l, key, val, (*loader).exposedInput)
		case "responses":
			out.Responses = l.nodeOrNil(key, val)
		case "responseBinary":
			out.ResponseBinary = l.nodeOrNil(key, val)
		default:
			l.unknownKey(key, exposedOperationShape)
		}
	}
	if !out.Method.Set() {
		l.recommended(n, out.Span, exposedOperationShape, "method", "without it, the method is GET")
	}
	if !out.Description.Set() && !out.Run.Ref.Set() {
		l.advised(n, out.Span, exposedOperationShape, "description", "callers read it in the description of the API")
	}
}

func (l *loader) tool(name, n *node, out *Tool) {
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
		case "hints":
			l.hints(key, val, &out.Hints)
		case "inputSchema":
			l.deviate(deviationToolExtension, key)
			out.InputSchema = l.nodeOrNil(key, val)
		case "content":
			l.deviate(deviationToolExtension, key)
			out.Content = l.nodeOrNil(key, val)
		case "requiresClientCapabilities":
			l.deviate(deviationToolExtension, key)
			l.texts(key, val, &out.RequiresClientCapabilities)
		default:
			l.unknownKey(key, toolShape)
		}
	}
	if !out.Name.Set() && !out.Run.Ref.Set() {
		l.missing(n, out.Span, toolShape, "name", "agents call it by that")
	}
	if !out.Description.Set() && !out.Run.Ref.Set() {
		l.recommended(n, out.Span, toolShape, "description", "agents choose it by that")
	}
}

func (l *loader) hints(key, val *node, out *Hints) {
	val = l.mapping(key, val)
	if val == nil {
		return
	}
	out.Span = l.lines.Node(val)
	pairs := l.members(val)
	for i := 0; i < len(pairs); i += 2 {
		key, val := pairs[i], pairs[i+1]
		switch key.Value {
		case "readOnly":
			l.boolean(key, val, &out.ReadOnly)
		case "destructive":
			l.boolean(key, val, &out.Destructive)
		case "idempotent":
			l.boolean(key, val, &out.Idempotent)
		case "openWorld":
			l.boolean(key, val, &out.OpenWorld)
		default:
			l.unknownKey(key, hintsShape)
		}
	}
}

func (l *loader) mcpResource(name, n *node, out *MCPResource) {
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
		case "uri":
			l.text(key, val, &out.URI)
		case "mimeType":
			l.text(key, val, &out.MimeType)
		case "location":
			l.text(key, val, &out.Location)
		case "binary":
			l.boolean(key, val, &out.Binary)
		default:
			l.unknownKey(key, mcpResourceShape)
		}
	}
	if !out.URI.Set() {
		l.missing(n, out.Span, mcpResourceShape, "uri", "clients read it by that")
	}
	if !out.Name.Set() {
		l.recommended(n, out.Span, mcpResourceShape, "name", "clients list it by that")
	}
	if !out.Description.Set() {
		l.recommended(n, out.Span, mcpResourceShape, "description", "agents choose it by that")
	}
}

func (l *loader) prompt(name, n *node, out *Prompt) {
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
		case "arguments":
			out.Arguments = list(l, key, val, (*loader).argument)
		case "template":
			l.promptTemplate(key, val, out)
		case "location":
			l.text(key, val, &out.Location)
		default:
			l.unknownKey(key, promptShape)
		}
	}
	if !out.Name.Set() {
		l.missing(n, out.Span, promptShape, "name", "clients ask for it by that")
	}
	if out.Template == nil && !out.Location.Set() {
		l.missing(n, out.Span, promptShape, "template", "it has no messages without that or location")
	}
	if !out.Description.Set() {
		l.recommended(n, out.Span, promptShape, "description", "people choose it by that")
	}
}

// promptTemplate reads the messages of a prompt; text alone is what a user says.
func (l *loader) promptTemplate(key, val *node, out *Prompt) {
	val = follow(val)
	if val.Kind != scalarNode || isNull(val) {
		out.Template = listOnly(l, key, val, (*loader).promptMessage)
		return
	}
	l.deviate(deviationOneForMany, key)
	content := l.node(val)
	out.Template = []PromptMessage{{Span: content.Span, Role: derived("user", content.Span), Content: content}}
}

func (l *loader) promptMessage(_, n *node, out *PromptMessage) {
	out.Span = l.lines.Node(n)
	pairs := l.members(n)
	for i := 0; i < len(pairs); i += 2 {
		key, val := pairs[i], pairs[i+1]
		switch key.Value {
		case "role":
			l.word(key, val, &out.Role, "user", "assistant")
		case "content":
			out.Content = l.node(val)
		default:
			l.unknownKey(key, promptMessageShape)
		}
	}
	if out.Content.Kind == NoNode {
		l.missing(n, out.Span, promptMessageShape, "content", "there is nothing to say without it")
	}
	if !out.Role.Set() {
		l.recommended(n, out.Span, promptMessageShape, "role", "without it, the user speaks")
	}
}
