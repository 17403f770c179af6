package spec

import "patchbay/internal/diag"

// The codes of the loader's findings. [Codes] says what each means and what
// its reader should do.
const (
	// CodeYAMLSyntax: the text is no YAML. Repair the place; only the first
	// such fault of a file can be found.
	CodeYAMLSyntax diag.Code = "yaml-syntax"
	// CodeNotUTF8: the file is in another encoding, or damaged. Save it as UTF-8.
	CodeNotUTF8 diag.Code = "not-utf8"
	// CodeLimitExceeded: the file is larger, deeper or fuller than what is
	// read. Split it.
	CodeLimitExceeded diag.Code = "limit-exceeded"
	// CodeNotACapability: the file is something else; the message says what
	// gives it away. Name another file.
	CodeNotACapability diag.Code = "not-a-capability"
	// CodeMultipleDocuments: a second YAML document follows. Put it in a file
	// of its own.
	CodeMultipleDocuments diag.Code = "multiple-documents"
	// CodeVersionMissing: the document has neither a naftiko nor an ikanos
	// key. Add the version it was written for.
	CodeVersionMissing diag.Code = "version-missing"
	// CodeVersionUnknown: the version is none that is known. The document is
	// read like the known ones; correct the version.
	CodeVersionUnknown diag.Code = "version-unknown"
	// CodeDuplicateKey: a key is given twice, or under two of its names. The
	// first one counts; remove the other.
	CodeDuplicateKey diag.Code = "duplicate-key"
	// CodeUnknownKey: a key means nothing where it stands, and has no effect.
	// Correct its name or remove it.
	CodeUnknownKey diag.Code = "unknown-key"
	// CodeWrongKind: a value has another form than its key wants. Write it in
	// the form that the message names.
	CodeWrongKind diag.Code = "wrong-kind"
	// CodeOutOfRange: a number is outside of what its key allows.
	CodeOutOfRange diag.Code = "out-of-range"
	// CodeUnknownValue: a word is none of those that its key allows. Use one
	// that the hint lists.
	CodeUnknownValue diag.Code = "unknown-value"
	// CodeEmptyValue: a key stands without a value. Give it one or remove it.
	CodeEmptyValue diag.Code = "empty-value"
	// CodeMissingField: something cannot be used because it lacks a field.
	CodeMissingField diag.Code = "missing-field"
	// CodeRecommendedField: something works without a field that people,
	// agents or other engines want.
	CodeRecommendedField diag.Code = "recommended-field"
	// CodeSchemaDeviation: something is read here that the format's published
	// schema refuses. Nothing needs to be done for Patchbay; other engines may
	// ignore it.
	CodeSchemaDeviation diag.Code = "schema-deviation"
	// CodeTooManyFindings: the loader stopped listing findings of a severity.
	// Repair what is listed and look again.
	CodeTooManyFindings diag.Code = "too-many-findings"
)

// Codes returns the codes of this package, by name. The documentation is
// compared with it by a test.
func Codes() []diag.CodeInfo {
	return []diag.CodeInfo{
		{
			Code: CodeDuplicateKey, Severity: diag.Error,
			Meaning: "A key is given twice in one mapping, or once under each of its two names. The first one counts.",
			Fix:     "Keep one of them.",
		},
		{
			Code: CodeEmptyValue, Severity: diag.Warning,
			Meaning: "A key stands without a value. It is read as if it were not there.",
			Fix:     "Give it a value or remove it.",
		},
		{
			Code: CodeLimitExceeded, Severity: diag.Error,
			Meaning: "The file is larger, deeper or fuller than what is read, or aliases make it so.",
			Fix:     "Split the file.",
		},
		{
			Code: CodeMissingField, Severity: diag.Error,
			Meaning: "Something cannot be used because it lacks a field.",
			Fix:     "Add the field.",
		},
		{
			Code: CodeMultipleDocuments, Severity: diag.Error,
			Meaning: "A second YAML document follows the first one, which alone is read.",
			Fix:     "Put each document in a file of its own.",
		},
		{
			Code: CodeNotACapability, Severity: diag.Error,
			Meaning: "The file is not a capability file; the message says what gives it away.",
			Fix:     "Name another file.",
		},
		{
			Code: CodeNotUTF8, Severity: diag.Error,
			Meaning: "The file is not encoded in UTF-8.",
			Fix:     "Save it as UTF-8.",
		},
		{
			Code: CodeOutOfRange, Severity: diag.Error,
			Meaning: "A number is outside of what its key allows.",
			Fix:     "Use a number in the range that the message gives.",
		},
		{
			Code: CodeRecommendedField, Severity: diag.Note,
			Meaning: "Something works without a field that people, agents or other engines want. For parts that a file has many of, one note stands for all of them.",
			Fix:     "Add the field when there is something to say.",
		},
		{
			Code: CodeSchemaDeviation, Severity: diag.Note,
			Meaning: "Something is read that the format's published schema refuses. One note stands for all places of its kind in the file.",
			Fix:     "Nothing, as long as only Patchbay runs the file.",
		},
		{
			Code: CodeTooManyFindings, Severity: diag.Note,
			Meaning: "More findings were made than are listed.",
			Fix:     "Repair what is listed and look again.",
		},
		{
			Code: CodeUnknownKey, Severity: diag.Warning,
			Meaning: "A key means nothing where it stands, and has no effect.",
			Fix:     "Correct its name, or remove it. Keys that start with x- are yours and never reported.",
		},
		{
			Code: CodeUnknownValue, Severity: diag.Warning,
			Meaning: "A word is none of those that its key allows.",
			Fix:     "Use one of the words that the hint lists.",
		},
		{
			Code: CodeVersionMissing, Severity: diag.Error,
			Meaning: "The document looks like a capability but does not say for which version of the format it was written.",
			Fix:     "Add the line naftiko: 1.0.0-alpha2, or the version that applies.",
		},
		{
			Code: CodeVersionUnknown, Severity: diag.Warning,
			Meaning: "The version is none that is known. The document is read like those that are.",
			Fix:     "Correct the version.",
		},
		{
			Code: CodeWrongKind, Severity: diag.Error,
			Meaning: "A value has another form than its key wants: a list where text is due, a word where a number is.",
			Fix:     "Write the value in the form that the message names.",
		},
		{
			Code: CodeYAMLSyntax, Severity: diag.Error,
			Meaning: "The text is not YAML. Only the first such fault of a file can be found.",
			Fix:     "Repair the place and look again.",
		},
	}
}
