package spec

import "slices"

// field is a key that a mapping of some shape may have. The tables of fields
// say what the reader takes: its hints come from them, and so does the schema
// for editors. A test holds them and the reader together.
type field struct {
	key  string
	form form
	// of is the shape of the mappings in a section.
	of shape
	// words are what the key may say; see the forms.
	words []string
	// low and high bound a number.
	low, high int
	// later means that the reader keeps any text, and that a later stage judges
	// the word.
	later bool
	state state
	// doc is for people, in a sentence or two; keys and words of the format
	// stand in backquotes.
	doc string
}

// form is what values a key takes. Most are named after the method that reads
// them.
type form uint8

const (
	// textForm is a scalar, taken as it is written.
	textForm form = iota
	// wordForm is one of the words.
	wordForm
	// foldedForm is that in any letter case.
	foldedForm
	// exampleForm is text of which the words are examples.
	exampleForm
	integerForm
	booleanForm
	// textsForm is a list of scalars, or one.
	textsForm
	// entriesForm is a mapping from name to scalar.
	entriesForm
	// withForm is a mapping from name to scalar, list or mapping.
	withForm
	// bindKeysForm is that of scalars, or a list of names.
	bindKeysForm
	// requiredForm is a boolean or a list of names.
	requiredForm
	// mappingForm is one mapping of a shape.
	mappingForm
	// oneForm is that, or a list of which the first counts.
	oneForm
	// listForm is a list of mappings, or a mapping from name to mapping.
	listForm
	// partsForm is that for entries that need no name.
	partsForm
	// listOnlyForm is a list of mappings, or one of them alone.
	listOnlyForm
	// outputsForm is listForm, or one output alone.
	outputsForm
	// messagesForm is listOnlyForm, or text.
	messagesForm
	// authenticationForm is a mapping, or a scheme's name alone.
	authenticationForm
	// bodyForm is a request body: anything but nothing.
	bodyForm
	// anyForm is a value whose structure belongs to the author; it may be
	// anything but nothing.
	anyForm
	// freeForm is anything; the words are examples.
	freeForm
)

// state is how a key stands in the format.
type state uint8

const (
	current state = iota
	// older is a spelling of earlier versions; the doc says of which.
	older
	// unofficial is read, though no version of the format has it under this name.
	unofficial
	// idle is read without effect.
	idle
)

// fields returns the fields of a shape, by key.
func (s shape) fields() []field {
	switch s {
	case rootShape, capabilityShape, infoShape, stakeholderShape, bindShape, aggregateShape, functionShape, semanticsShape:
		return s.rootFields()
	case consumesShape, consumedResourceShape, consumedOperationShape, authenticationShape, bodyShape:
		return s.consumedFields()
	case inputShape, outputShape, callStepShape, lookupStepShape, scriptStepShape, stepMappingShape:
		return s.runFields()
	default:
		return s.exposedFields()
	}
}

// isOpen reports whether keys that are not among the fields are nobody's to
// judge, because another stage keeps the mapping as it is.
func (s shape) isOpen() bool {
	switch s {
	case bodyShape, adapterShape, controlShape, managementShape, scriptingShape, exposedSkillShape, forwardShape:
		return true
	default:
		return false
	}
}

// keys returns the keys that a mapping of the shape may have, sorted. What is
// read but has no effect is not among them.
func (s shape) keys() []string {
	fields := s.fields()
	out := make([]string, 0, len(fields))
	for i := range fields {
		if fields[i].state != idle {
			out = append(out, fields[i].key)
		}
	}
	slices.Sort(out)
	return out
}

// needs returns what a mapping of the shape cannot do without: of each group,
// one key. A mapping of names gives its entries the name.
func (s shape) needs(named bool) [][]string {
	var out [][]string
	switch s {
	case consumedOperationShape, inputShape, functionShape:
		out = [][]string{{"name"}}
	case toolShape:
		out = [][]string{{"name", "ref"}}
	case promptShape:
		out = [][]string{{"name"}, {"template", "location"}}
	case mcpResourceShape:
		return [][]string{{"uri"}}
	case exposedResourceShape:
		return [][]string{{"path"}}
	case promptMessageShape:
		return [][]string{{"content"}}
	case stepMappingShape:
		return [][]string{{"target", "targetName"}, {"value"}}
	case authenticationShape:
		return [][]string{{"type"}}
	}
	if named && len(out) > 0 {
		out = out[1:]
	}
	return out
}

// importKeys make an entry stand for another file's.
func importKeys() []string { return []string{"import", "from", "as", "location"} }

// importNeeds returns what an entry that may be an import needs when it is none.
func (s shape) importNeeds() (key string, ok bool) {
	switch s {
	case consumesShape, aggregateShape:
		return "namespace", true
	case adapterShape, restShape, mcpShape, skillShape, controlShape:
		return "type", true
	case bindShape:
		return "", true
	default:
		return "", false
	}
}

// importFields are the keys of an entry that may stand for another file's.
func importFields() []field {
	return []field{
		{key: "import", doc: "The namespace that this entry takes over from another file."},
		{key: "from", doc: "The file that holds what is imported, relative to this one."},
		{key: "location", state: older, doc: "The file that holds what is imported, as versions before 1.0.0-alpha3 say; later ones say `from`."},
		{key: "as", doc: "The namespace under which the import is known here."},
	}
}

// labelFields are both spellings of a name for people.
func labelFields(doc string) []field {
	return []field{
		{key: "label", doc: doc + " Versions from 1.0.0-alpha3 on call it `display`."},
		{key: "display", doc: doc + " Versions before 1.0.0-alpha3 call it `label`."},
	}
}

// valueTypes are the types that inputs and outputs have.
func valueTypes() []string {
	return []string{"string", "number", "integer", "boolean", "object", "array"}
}

// rawFormats are the forms of answers that the format names, in any letter case.
func rawFormats() []string {
	return []string{"json", "xml", "csv", "tsv", "psv", "yaml", "html", "markdown", "avro", "protobuf", "text", "binary"}
}

// with returns the lists as one.
func with(lists ...[]field) []field { return slices.Concat(lists...) }
