package spec

// rootFields are the fields of the document's frame and of its aggregates.
func (s shape) rootFields() []field {
	switch s {
	case rootShape:
		return with(sectionFields(), []field{
			{key: "naftiko", form: wordForm, words: versions("naftiko"), doc: "The version of the format that the file was written for, under the format's first name. A file has this key or `ikanos`."},
			{key: "ikanos", form: wordForm, words: versions("ikanos"), doc: "The version of the format that the file was written for, under the format's second name. A file has this key or `naftiko`."},
			{key: "info", form: mappingForm, of: infoShape, doc: "What people should know about the capability."},
			{key: "capability", form: mappingForm, of: capabilityShape, doc: "What the file consumes and exposes."},
		})
	case capabilityShape:
		return sectionFields()
	case infoShape:
		return with(labelFields("The name that people see."), []field{
			{key: "description", doc: "What the capability is good for, in a few sentences."},
			{key: "version", doc: "The version of the capability itself."},
			{key: "tags", form: textsForm, doc: "Words by which a catalogue groups capabilities."},
			{key: "created", doc: "The day on which the capability was written: `YYYY-MM-DD`."},
			{key: "modified", doc: "The day of its last change: `YYYY-MM-DD`."},
			{key: "stakeholders", form: listOnlyForm, of: stakeholderShape, doc: "The people who answer for the capability."},
		})
	case stakeholderShape:
		return []field{
			{key: "role", doc: "What the person does for the capability, such as `owner`."},
			{key: "fullName", doc: "The person's name."},
			{key: "email", doc: "The person's address."},
		}
	case bindShape:
		return with([]field{
			{key: "namespace", doc: "The name before the dot in `{{namespace.VARIABLE}}`."},
			{key: "description", doc: "What the values are for."},
			{key: "location", doc: "Where the values come from: absent for the environment, or `file:///./secrets.yaml` for a file beside this one."},
			{key: "keys", form: bindKeysForm, doc: "The variables: each with the key that it has at the source. A list of names stands for variables that are called the same there."},
		}, importFields()[:2], importFields()[3:])
	case aggregateShape:
		return with(importFields(), labelFields("A name for people."), []field{
			{key: "namespace", doc: "The name before the dot in `ref: namespace.function`."},
			{key: "description", doc: "What the functions have in common."},
			{key: "functions", form: listForm, of: functionShape, doc: "What tools and operations can `ref`. Versions from 1.0.0-alpha3 on call them `flows`."},
			{key: "flows", form: listForm, of: functionShape, doc: "What tools and operations can `ref`. Versions before 1.0.0-alpha3 call them `functions`."},
		})
	case functionShape:
		return with(runningFields(), labelFields("A name for people."), []field{
			{key: "name", doc: "The name behind the dot in `ref: namespace.function`."},
			{key: "description", doc: "What the function does. Tools and operations that `ref` it inherit it."},
			{key: "tags", form: textsForm, doc: "Words that group functions."},
			{key: "inputParameters", form: listForm, of: inputShape, doc: "What a caller gives."},
			{key: "semantics", form: mappingForm, of: semanticsShape, doc: "What a call does to the world. Hints of tools follow from it."},
			{key: "outputMediaType", doc: "The media type of a binary result."},
		})
	default: // semanticsShape
		return []field{
			{key: "safe", form: booleanForm, doc: "A call changes nothing."},
			{key: "idempotent", form: booleanForm, doc: "A second call with the same inputs changes nothing more."},
			{key: "cacheable", form: booleanForm, doc: "A result may be used again."},
		}
	}
}

// sectionFields are the sections that may stand at the root and in capability.
func sectionFields() []field {
	return []field{
		{key: "binds", form: listOnlyForm, of: bindShape, doc: "Named values from outside of the file, such as credentials. They are readable on the consumed side only."},
		{key: "consumes", form: listOnlyForm, of: consumesShape, doc: "The HTTP APIs that the capability calls."},
		{key: "exposes", form: listOnlyForm, of: adapterShape, doc: "The adapters that the capability offers: REST, MCP, skills, control."},
		{key: "aggregates", form: listOnlyForm, of: aggregateShape, doc: "Functions that several tools and operations can `ref`."},
	}
}
