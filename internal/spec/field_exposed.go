package spec

// exposedFields are the fields of the exposed side.
func (s shape) exposedFields() []field {
	switch s {
	case adapterShape:
		return adapterFields()
	case restShape:
		return with(adapterFields(), []field{
			{key: "resources", form: listForm, of: exposedResourceShape, doc: "The paths that callers see, with their operations."},
			{key: "inputParameters", form: listForm, of: inputShape, state: unofficial, doc: "Inputs that every operation of the adapter has."},
			{key: "maxBinarySize", doc: "The largest binary answer, such as `10MiB`."},
		})
	case mcpShape:
		return with(adapterFields(), []field{
			{key: "transport", form: wordForm, words: []string{"http", "stdio"}, doc: "How clients reach the adapter; `http` where it is absent."},
			{key: "tools", form: listForm, of: toolShape, doc: "What agents can call."},
			{key: "resources", form: listForm, of: mcpResourceShape, doc: "What clients can read, by URI."},
			{key: "prompts", form: listForm, of: promptShape, doc: "What people can ask for by name."},
			{key: "maxBinarySize", doc: "The largest binary answer, such as `10MiB`."},
			{key: "ttlMs", form: integerForm, high: anySize, doc: "How long clients may keep a list, in milliseconds."},
			{key: "cacheScope", form: wordForm, words: []string{"public", "private"}, doc: "Who may share what a client keeps."},
		})
	case skillShape:
		return with(adapterFields(), []field{
			{key: "skills", form: listForm, of: exposedSkillShape, doc: "What agents can learn."},
		})
	case exposedSkillShape:
		return []field{
			{key: "name", form: freeForm, doc: "The skill's name."},
			{key: "description", form: freeForm, doc: "When an agent should use the skill."},
			{key: "license", form: freeForm, doc: "The license of the skill's files."},
			{key: "compatibility", form: freeForm, doc: "What the skill needs to work."},
			{key: "metadata", form: freeForm, doc: "Further facts, by name."},
			{key: "allowed-tools", form: freeForm, doc: "The tools that the skill may use."},
			{key: "argument-hint", form: freeForm, doc: "What to write behind the skill's name."},
			{key: "user-invocable", form: freeForm, doc: "Whether people can start it."},
			{key: "disable-model-invocation", form: freeForm, doc: "Whether only people can start it."},
			{key: "location", form: freeForm, doc: "The folder of the skill's files: `file:///…`."},
			{key: "tools", form: freeForm, doc: "The tools of the skill: from an adapter, or an instruction."},
		}
	case controlShape:
		return with(adapterFields(), []field{
			{key: "management", form: mappingForm, of: managementShape, doc: "What can be asked and changed at run time."},
			{key: "observability", form: freeForm, doc: "Metrics and traces, and where they go."},
		})
	case managementShape:
		return []field{
			{key: "health", form: freeForm, doc: "Whether health is answered."},
			{key: "info", form: freeForm, doc: "Whether facts about the engine are answered."},
			{key: "reload", form: freeForm, doc: "Whether the file can be read again."},
			{key: "validate", form: freeForm, doc: "Whether a file can be judged."},
			{key: "logs", form: freeForm, doc: "Whether the log can be read and its level be changed."},
			{key: "scripting", form: mappingForm, of: scriptingShape, doc: "What scripts of steps may do, and what they say when they say nothing."},
		}
	case scriptingShape:
		return []field{
			{key: "enabled", form: freeForm, doc: "Whether scripts run."},
			{key: "defaultLocation", form: freeForm, doc: "The folder of scripts whose steps name none: `file:///…`."},
			{key: "defaultLanguage", form: freeForm, words: []string{"javascript", "python", "groovy"}, doc: "The language of scripts whose steps name none."},
			{key: "timeout", form: freeForm, doc: "The time of one script, in milliseconds."},
			{key: "statementLimit", form: freeForm, doc: "The most statements of one script."},
			{key: "allowedLanguages", form: freeForm, doc: "The languages that scripts may have."},
		}
	case exposedResourceShape:
		return with(labelFields("A name for people."), []field{
			{key: "path", doc: "The path that callers use, such as `/ships/{imo}`. Placeholders are inputs."},
			{key: "name", doc: "The resource's name."},
			{key: "description", doc: "What the resource is."},
			{key: "tags", form: textsForm, doc: "Words that group resources."},
			{key: "inputParameters", form: listForm, of: inputShape, doc: "Inputs that every operation of the resource has."},
			{key: "operations", form: listForm, of: exposedOperationShape, doc: "The methods of the resource."},
			{key: "forward", form: anyForm, of: forwardShape, doc: "Passes requests for which there is no operation on to a consumed API."},
		})
	case forwardShape:
		return []field{
			{key: "targetNamespace", form: freeForm, doc: "The consumed API that requests go to."},
			{key: "trustedHeaders", form: freeForm, doc: "The headers of callers that go with them."},
		}
	case exposedOperationShape:
		return with(runningFields(), labelFields("A name for people."), []field{
			{key: "method", form: foldedForm, later: true, words: methodWords(), doc: "The HTTP method; `GET` where it is absent."},
			{key: "name", doc: "The operation's name."},
			{key: "description", doc: "What the operation does."},
			{key: "tags", form: textsForm, doc: "Words that group operations."},
			{key: "inputParameters", form: listForm, of: inputShape, doc: "What a caller gives. Placeholders of the path, and what `with` refers to, are inputs without being listed."},
			{key: "responses", form: anyForm, doc: "The answers, for readers. It is kept and not used."},
			{key: "responseBinary", form: anyForm, doc: "A binary answer, for readers. It is kept and not used."},
		})
	case toolShape:
		return with(runningFields(), labelFields("The tool's name for people."), []field{
			{key: "name", doc: "The name by which agents call the tool."},
			{key: "description", doc: "When to use the tool and what it does. Agents choose by it."},
			{key: "tags", form: textsForm, doc: "Words by which `--tag` and addresses select tools."},
			{key: "inputParameters", form: listForm, of: inputShape, doc: "The tool's arguments. What `with` refers to is an argument without being listed."},
			{key: "hints", form: mappingForm, of: hintsShape, doc: "What the tool does to the world, as MCP annotations."},
			{key: "inputSchema", form: anyForm, state: unofficial, doc: "The JSON Schema of the arguments, spelled out; an object at its root."},
			{key: "content", form: anyForm, state: unofficial, doc: "Content blocks that are the tool's fixed answer."},
			{key: "requiresClientCapabilities", form: textsForm, state: unofficial, doc: "What a client has to be able to do to be offered the tool."},
		})
	case hintsShape:
		return []field{
			{key: "readOnly", form: booleanForm, doc: "The tool changes nothing."},
			{key: "destructive", form: booleanForm, doc: "The tool may destroy something."},
			{key: "idempotent", form: booleanForm, doc: "A second call with the same arguments changes nothing more."},
			{key: "openWorld", form: booleanForm, doc: "The tool reaches out to others."},
		}
	case mcpResourceShape:
		return with(runningFields(), labelFields("The resource's name for people."), []field{
			{key: "name", doc: "The resource's name in lists."},
			{key: "uri", doc: "The address by which clients read it; with `{name}` in it, a template."},
			{key: "description", doc: "What the resource is. Agents choose by it."},
			{key: "tags", form: textsForm, doc: "Words that group resources."},
			{key: "mimeType", doc: "The media type of its content."},
			{key: "location", doc: "A file or folder that is the content: `file:///./guides`."},
			{key: "binary", form: booleanForm, doc: "Whether the content is binary."},
		})
	case promptShape:
		return with(labelFields("The prompt's name for people."), []field{
			{key: "name", doc: "The name by which clients ask for the prompt."},
			{key: "description", doc: "What the prompt is for. People choose by it."},
			{key: "arguments", form: listForm, of: inputShape, doc: "What a client fills in; each is a placeholder `{{name}}`."},
			{key: "template", form: messagesForm, of: promptMessageShape, doc: "The messages, or the text of one message of the user."},
			{key: "location", doc: "A file that holds the text: `file:///./prompt.md`."},
		})
	default: // promptMessageShape
		return []field{
			{key: "role", form: wordForm, words: []string{"user", "assistant"}, doc: "Who speaks; the user where it is absent."},
			{key: "content", form: freeForm, doc: "What is said, with placeholders; or a content block."},
		}
	}
}

// adapterFields are what adapters of every type have.
func adapterFields() []field {
	return with(importFields(), []field{
		{key: "type", form: wordForm, later: true, words: []string{"rest", "mcp", "skill", "control"}, doc: "What the adapter speaks."},
		{key: "namespace", doc: "The adapter's name. Options such as `--listen` use it, and `with` may begin references with it."},
		{key: "description", doc: "What the adapter offers."},
		{key: "address", doc: "The name or address on which it listens; loopback where it is absent."},
		{key: "port", form: integerForm, low: 1, high: 65535, doc: "The port on which it listens."},
		{key: "authentication", form: authenticationForm, of: authenticationShape, doc: "How callers are checked."},
		{key: "auth", form: authenticationForm, of: authenticationShape, state: unofficial, doc: "Write `authentication`."},
	})
}
