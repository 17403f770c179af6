package spec

// runFields are the fields of inputs, outputs and steps.
func (s shape) runFields() []field {
	switch s {
	case inputShape:
		return with(labelFields("The name of a prompt's argument that people see."), idleFields("template", "const", "selector", "values", "precision", "scale", "maxLength", "contentEncoding", "contentCompression", "contentMediaType"), []field{
			{key: "name", doc: "The input's name, which is also its name on the wire."},
			{key: "in", form: foldedForm, later: true, words: []string{"path", "query", "header", "cookie", "body", "environment"}, doc: "Where the input stands in a request."},
			{key: "type", form: wordForm, words: valueTypes(), doc: "What values it takes."},
			{key: "description", doc: "What the input means. Agents read it."},
			{key: "required", form: requiredForm, doc: "Whether a caller has to give it. On an object it may be the list of the properties that are."},
			{key: "value", doc: "A fixed value, or a text with placeholders."},
			{key: "mapping", doc: "A JSONPath into the body."},
			{key: "pattern", doc: "A regular expression that text has to match."},
			{key: "default", doc: "What is taken where a caller gives nothing."},
			{key: "enum", form: textsForm, doc: "The values that are allowed."},
			{key: "items", form: oneForm, of: inputShape, doc: "What the elements of an array are."},
			{key: "properties", form: partsForm, of: inputShape, doc: "The parts of an object."},
			{key: "x-mcp-header", doc: "The request header in which an MCP client repeats this argument of a tool."},
		})
	case outputShape:
		return with(idleFields("const", "template", "selector", "values", "required", "enum", "precision", "scale", "pattern", "contentEncoding", "contentCompression", "contentMediaType"), []field{
			{key: "name", doc: "The output's name."},
			{key: "type", form: wordForm, words: valueTypes(), doc: "What it is."},
			{key: "description", doc: "What the output means."},
			{key: "mapping", doc: "A JSONPath into the answer; `$.` is all of it."},
			{key: "value", doc: "A fixed value; on the consumed side a JSONPath into the answer."},
			{key: "properties", form: listForm, of: outputShape, doc: "The parts of an object. Without them an object is the mapped value itself."},
			{key: "items", form: oneForm, of: outputShape, doc: "What the elements of an array are. Without it an array is the mapped value itself."},
			{key: "maxLength", form: integerForm, high: anySize, doc: "The longest text."},
		})
	case callStepShape:
		return with(stepFields(), []field{
			{key: "call", doc: "The consumed operation: `namespace.operation`."},
			{key: "with", form: withForm, doc: "The inputs of the call, by name."},
		})
	case lookupStepShape:
		return with(stepFields(), []field{
			{key: "index", form: freeForm, doc: "The earlier step whose list is searched."},
			{key: "match", form: freeForm, doc: "The field that is compared."},
			{key: "lookupValue", form: freeForm, doc: "What it has to be."},
			{key: "outputParameters", form: freeForm, doc: "The fields of the match that become the step's result."},
		})
	case scriptStepShape:
		return with(stepFields(), []field{
			{key: "file", form: freeForm, doc: "The script, below `location`."},
			{key: "language", form: freeForm, words: []string{"javascript", "python", "groovy"}, doc: "The script's language, where the control adapter gives no default."},
			{key: "location", form: freeForm, doc: "The folder of scripts: `file:///…`, where the control adapter gives no default."},
			{key: "dependencies", form: freeForm, doc: "Files that the script needs."},
			{key: "with", form: withForm, doc: "The values that the script sees, by name."},
		})
	default: // stepMappingShape
		return []field{
			{key: "target", doc: "Where the value goes in the result; dots nest. Versions before 1.0.0-alpha3 say `targetName`."},
			{key: "targetName", state: older, doc: "Where the value goes in the result, as versions before 1.0.0-alpha3 say; later ones say `target`."},
			{key: "value", doc: "Where the value comes from: `$.step.field`."},
		}
	}
}

// stepFields are what steps of every type have.
func stepFields() []field {
	return []field{
		{key: "type", form: wordForm, later: true, words: []string{"call", "lookup", "script"}, doc: "What the step does: `call`, `lookup` or `script`."},
		{key: "name", doc: "The step's name. Later steps and mappings find its result by it."},
	}
}

// runningFields are what everything that runs has.
func runningFields() []field {
	return []field{
		{key: "ref", doc: "A function of an aggregate that runs here: `namespace.function`."},
		{key: "call", doc: "The consumed operation that runs here: `namespace.operation`."},
		{key: "with", form: withForm, doc: "The inputs of the call, by name: `rest.NAME` or `tools.NAME` is the caller's input, `'{{…}}'` a text with placeholders, everything else stands for itself."},
		{key: "steps", form: listForm, of: callStepShape, doc: "Several calls, one after the other. Each sees the results of those before it."},
		{key: "mappings", form: listOnlyForm, of: stepMappingShape, doc: "What of the steps' results is the result."},
		{key: "outputParameters", form: outputsForm, of: outputShape, doc: "What of the answer is the result; without a call, the answer itself. The first that is not null counts."},
	}
}

// idleFields are keys that are read without effect.
func idleFields(keys ...string) []field {
	out := make([]field, len(keys))
	for i, key := range keys {
		out[i] = field{key: key, form: freeForm, state: idle, doc: "It has no effect here."}
	}
	return out
}
