package deployfile

import "patchbay/internal/diag"

// The codes of findings in a deployment file. All but [CodeSecretExposed] are
// errors: a deployment that says something other than its operator means is not
// begun.
const (
	CodeSyntax           diag.Code = "config-syntax"
	CodeLimit            diag.Code = "config-limit"
	CodeUnknownKey       diag.Code = "config-unknown-key"
	CodeDuplicateKey     diag.Code = "config-duplicate-key"
	CodeWrongKind        diag.Code = "config-wrong-kind"
	CodeBadValue         diag.Code = "config-bad-value"
	CodeEmpty            diag.Code = "config-empty"
	CodeMissingKey       diag.Code = "config-missing-key"
	CodeConflict         diag.Code = "config-conflict"
	CodeUnknownNamespace diag.Code = "config-unknown-namespace"
	CodeNoFile           diag.Code = "config-no-file"
	CodeSecretLiteral    diag.Code = "config-secret-literal"
	CodeSecretMissing    diag.Code = "config-secret-missing"
	CodeSecretExposed    diag.Code = "config-secret-exposed"
)

// Codes returns the codes of this package, by name.
func Codes() []diag.CodeInfo {
	return []diag.CodeInfo{
		{
			Code: CodeBadValue, Severity: diag.Error,
			Meaning: "A value of a deployment file is none of those that its key takes: a word, a number out of range, a text of another form.",
			Fix:     "Use a value that the message or its hint names.",
		},
		{
			Code: CodeConflict, Severity: diag.Error,
			Meaning: "Two keys of a deployment file exclude each other.",
			Fix:     "Remove one of them.",
		},
		{
			Code: CodeDuplicateKey, Severity: diag.Error,
			Meaning: "A key is given twice in one mapping of a deployment file.",
			Fix:     "Keep one of them.",
		},
		{
			Code: CodeEmpty, Severity: diag.Error,
			Meaning: "A key of a deployment file stands without a value, or the whole file is empty.",
			Fix:     "Give it a value or remove it.",
		},
		{
			Code: CodeLimit, Severity: diag.Error,
			Meaning: "A deployment file is larger or deeper than what is read.",
			Fix:     "Make it smaller; a megabyte and 64 levels are read.",
		},
		{
			Code: CodeMissingKey, Severity: diag.Error,
			Meaning: "A part of a deployment file lacks a key without which it means nothing.",
			Fix:     "Add the key.",
		},
		{
			Code: CodeNoFile, Severity: diag.Error,
			Meaning: "A file or folder that a deployment file names is not there.",
			Fix:     "Correct the path; it is relative to the deployment file.",
		},
		{
			Code: CodeSecretExposed, Severity: diag.Warning,
			Meaning: "Others than its owner may read a file that holds a secret.",
			Fix:     "Take their rights away: chmod 600.",
		},
		{
			Code: CodeSecretLiteral, Severity: diag.Error,
			Meaning: "A secret stands in a deployment file itself. Such files are kept under version control and shown to people.",
			Fix:     "Write ${file:PATH} or ${env:NAME}, and give out a new secret if the file has been seen.",
		},
		{
			Code: CodeSecretMissing, Severity: diag.Error,
			Meaning: "A secret that a deployment file refers to has no value, or its file cannot be read.",
			Fix:     "Set the variable, or write the file.",
		},
		{
			Code: CodeSyntax, Severity: diag.Error,
			Meaning: "A deployment file is not one YAML document in UTF-8. Only the first such fault can be found; its line is not shown, because a secret may stand in it.",
			Fix:     "Repair the place and look again.",
		},
		{
			Code: CodeUnknownKey, Severity: diag.Error,
			Meaning: "A key means nothing where it stands in a deployment file.",
			Fix:     "Correct its name, or remove it. Keys that start with x- are yours and never reported.",
		},
		{
			Code: CodeUnknownNamespace, Severity: diag.Error,
			Meaning: "A deployment file decides something about a namespace that no capability has.",
			Fix:     "Correct the name; patchbay inspect lists them.",
		},
		{
			Code: CodeWrongKind, Severity: diag.Error,
			Meaning: "A value of a deployment file has another form than its key wants.",
			Fix:     "Write the value in the form that the message names.",
		},
	}
}
