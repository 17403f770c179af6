package lint

import "patchbay/internal/diag"

// The codes of this package's findings. [Codes] says what each means and what
// its reader should do.
const (
	// CodeBaseURISlash: a base address ends with a slash.
	CodeBaseURISlash diag.Code = "base-uri-slash"
	// CodeControlExposed: a control adapter listens beyond loopback.
	CodeControlExposed diag.Code = "control-exposed"
	// CodeControlTwice: there is more than one control adapter.
	CodeControlTwice diag.Code = "control-twice"
	// CodeExampleAddress: an address belongs to nobody.
	CodeExampleAddress diag.Code = "example-address"
	// CodeNamespaceShared: parts of different kinds have one namespace.
	CodeNamespaceShared diag.Code = "namespace-shared"
	// CodeOAuth2NotHTTPS: an address of an oauth2 scheme is no https address.
	CodeOAuth2NotHTTPS diag.Code = "oauth2-not-https"
	// CodeOAuth2Scopes: an oauth2 scheme names no scopes.
	CodeOAuth2Scopes diag.Code = "oauth2-scopes-missing"
	// CodePathQuery: a consumed path has a query string.
	CodePathQuery diag.Code = "path-query"
	// CodePathSlash: an exposed path ends with a slash.
	CodePathSlash diag.Code = "path-slash"
	// CodeScriptIncomplete: a script step lacks what runs it.
	CodeScriptIncomplete diag.Code = "script-incomplete"
	// CodeScriptInText: a text for people holds code.
	CodeScriptInText diag.Code = "script-in-text"
	// CodeSemantics: hints or a method contradict a function's semantics.
	CodeSemantics diag.Code = "semantics-contradicted"
	// CodeStdioAuthentication: an adapter on standard input checks callers.
	CodeStdioAuthentication diag.Code = "stdio-authentication"
	// CodeStepName: a step's name has unusual characters.
	CodeStepName diag.Code = "step-name"
)

// Codes returns the codes of this package, by name. docs/diagnostics.md is
// compared with it by a test.
func Codes() []diag.CodeInfo {
	return []diag.CodeInfo{
		{
			Code: CodeBaseURISlash, Severity: diag.Warning,
			Meaning: "A base address ends with a slash. It is taken off here; other engines refuse the file or call addresses with two slashes.",
			Fix:     "Remove the slash.",
		},
		{
			Code: CodeControlExposed, Severity: diag.Warning,
			Meaning: "A control adapter is to listen on an address that is not loopback, so that others could change how the capability runs.",
			Fix:     "Write address: localhost, or leave it out.",
		},
		{
			Code: CodeControlTwice, Severity: diag.Warning,
			Meaning: "A capability has more than one control adapter; one is enough, and only the first counts. A port that two adapters share is port-clash.",
			Fix:     "Keep one of them.",
		},
		{
			Code: CodeExampleAddress, Severity: diag.Warning,
			Meaning: "An address is one of those that are reserved for examples (RFC 2606), so nothing answers there.",
			Fix:     "Write the real address, or give it when serving: --upstream NAMESPACE=URL, --listen NAMESPACE=HOST:PORT.",
		},
		{
			Code: CodeNamespaceShared, Severity: diag.Warning,
			Meaning: "A binding, a consumed API and an adapter share a namespace, or two bindings do. The file runs, but a reader cannot tell what a reference means. Two adapters, or two consumed APIs, are namespace-twice.",
			Fix:     "Rename one of them.",
		},
		{
			Code: CodeOAuth2NotHTTPS, Severity: diag.Error,
			Meaning: "The authorization server of an oauth2 scheme is no https address, so tokens could be read or forged on the way. For the resource that tokens are meant for, this is a warning. Loopback is free of it.",
			Fix:     "Write an https address.",
		},
		{
			Code: CodeOAuth2Scopes, Severity: diag.Warning,
			Meaning: "An oauth2 scheme names no scopes, so any token of the server is as good as another.",
			Fix:     "List in scopes what a token has to allow.",
		},
		{
			Code: CodePathQuery, Severity: diag.Warning,
			Meaning: "A consumed path has a query string. It is sent as it is; no caller, schema or contract sees its parameters.",
			Fix:     "Declare the parameters: inputParameters with in: query and, where it is fixed, a value.",
		},
		{
			Code: CodePathSlash, Severity: diag.Warning,
			Meaning: "An exposed path ends with a slash. Callers have to write it, too: without it, it is another path.",
			Fix:     "Remove the slash.",
		},
		{
			Code: CodeScriptInText, Severity: diag.Warning,
			Meaning: "A label or description holds a script tag or a call of eval. Patchbay escapes it wherever it is shown; a catalogue that renders Markdown may run it.",
			Fix:     "Say it in words.",
		},
		{
			Code: CodeScriptIncomplete, Severity: diag.Warning,
			Meaning: "A script step has no language or no location, and the control adapter's management.scripting has no default for it.",
			Fix:     "Add language and location to the step, or defaultLanguage and defaultLocation to the control adapter.",
		},
		{
			Code: CodeSemantics, Severity: diag.Warning,
			Meaning: "A tool's hints, or the method of a REST operation, say something else about effects than the function that it refers to.",
			Fix:     "Let both say the same. A safe function is read-only and behind GET; one that is idempotent is not behind POST.",
		},
		{
			Code: CodeStdioAuthentication, Severity: diag.Warning,
			Meaning: "An MCP adapter on standard input and output has an authentication. There are no requests there that could carry credentials.",
			Fix:     "Remove it, or let transport be http.",
		},
		{
			Code: CodeStepName, Severity: diag.Warning,
			Meaning: "The name of a step has other characters than letters, digits, '-' and '_'. References of other engines cannot spell it.",
			Fix:     "Rename the step; the hint has a name that would do.",
		},
	}
}
