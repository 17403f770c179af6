package spec

// deviation is a kind of thing that the published schema refuses and that is
// read all the same. Generated files are full of them, so each kind is one note
// for the file.
type deviation uint8

const (
	deviationConsumedInput deviation = iota
	deviationExposedInput
	deviationToolInput
	deviationArgument
	deviationInputExtra
	deviationAdapterInputs
	deviationRESTDescription
	deviationObjectOutput
	deviationArrayOutput
	deviationOutputShape
	deviationOutputExtra
	deviationConsumedMapping
	deviationOperationPath
	deviationHeaders
	deviationAuthName
	deviationAPIKey
	deviationText
	deviationNotText
	deviationWith
	deviationWithData
	deviationBindKeys
	deviationOneForMany
	deviationBody
	deviationStepType
	deviationToolExtension
	deviationRootConsumes
	deviationCount
)

// String names what the schema refuses.
func (d deviation) String() string {
	switch d {
	case deviationConsumedInput:
		return "more than name, in and value on a consumed input"
	case deviationExposedInput:
		return "more than name, in, type, description, pattern and value on an exposed input"
	case deviationToolInput:
		return "more than name, type, description and required on a tool's input"
	case deviationArgument:
		return "more than name, label, description and required on a prompt's argument"
	case deviationInputExtra:
		return "a key on an input that has no effect here"
	case deviationAdapterInputs:
		return "inputParameters on an adapter"
	case deviationRESTDescription:
		return "description on a rest adapter"
	case deviationObjectOutput:
		return "an object output without properties; it is the mapped value itself"
	case deviationArrayOutput:
		return "an array output without items; it is the mapped value itself"
	case deviationOutputShape:
		return "outputs that are neither a list nor a mapping of names"
	case deviationOutputExtra:
		return "a key on an output that has no effect here"
	case deviationConsumedMapping:
		return "mapping in place of value on a consumed output"
	case deviationOperationPath:
		return "path on a consumed operation"
	case deviationHeaders:
		return "headers on a consumed API"
	case deviationAuthName:
		return "auth in place of authentication"
	case deviationAPIKey:
		return "an apikey without key, value and placement"
	case deviationText:
		return "a number, a date or a boolean where text is due; it is taken as it is written"
	case deviationNotText:
		return "text where a number or a boolean is due"
	case deviationBindKeys:
		return "a list of variables in place of keys"
	case deviationWith:
		return "a boolean in with"
	case deviationWithData:
		return "a list or a mapping in with"
	case deviationOneForMany:
		return "a single value in place of a list"
	case deviationBody:
		return "a body without type and data"
	case deviationStepType:
		return "a step without type; with call it is a call"
	case deviationToolExtension:
		return "inputSchema, content or requiresClientCapabilities on a tool"
	case deviationRootConsumes:
		return "consumes, exposes or aggregates beside capability"
	default:
		return "something"
	}
}

// deviate counts a deviation at the place of a key or value.
func (l *loader) deviate(d deviation, at *node) {
	if l.deviations[d].count == 0 {
		l.deviations[d].first = l.lines.Node(at)
	}
	l.deviations[d].count++
}

func (l *loader) reportDeviations() {
	for d := range deviationCount {
		p := &l.deviations[d]
		switch p.count {
		case 0:
		case 1:
			l.findings.Notef(CodeSchemaDeviation, p.first, "the published schema refuses %s", d)
		default:
			l.findings.Notef(CodeSchemaDeviation, p.first, "the published schema refuses %s (first of %d places)", d, p.count)
		}
	}
}
