package plan

import "patchbay/internal/diag"

// Codes returns the codes of compiling and binding, by name. Severity is the
// usual one; where another occurs, Meaning says when. docs/diagnostics.md is
// compared with it by a test.
func Codes() []diag.CodeInfo {
	return []diag.CodeInfo{
		{
			Code: CodeAuthIncomplete, Severity: diag.Warning,
			Meaning: "An authentication lacks a field that its scheme needs. The operations of the consumed API are left out, because no call may leave unsigned. At an adapter it is an error, because none may open without its lock.",
			Fix:     "Add the field; its value may be a variable.",
		},
		{
			Code: CodeAuthUnsupported, Severity: diag.Warning,
			Meaning: "An authentication scheme, or the place of an API key, is not run. The operations of the consumed API are left out, because no call may leave unsigned. At an adapter it is an error, because none may open without the lock that its file asks for.",
			Fix:     "Use basic, bearer or apikey.",
		},
		{
			Code: CodeBaseURI, Severity: diag.Error,
			Meaning: "A base address is not absolute, or credentials would travel over it in clear text.",
			Fix:     "Write scheme, host and path; use https, or give another address with --upstream.",
		},
		{
			Code: CodeBaseURIMissing, Severity: diag.Warning,
			Meaning: "A base address is empty, or has placeholders that no caller may fill and no binding does. Tools are listed; calls say what is missing.",
			Fix:     "Give the whole address when serving: --upstream NAMESPACE=URL.",
		},
		{
			Code: CodeBindLocation, Severity: diag.Error,
			Meaning: "The file at a binding's location cannot be read, or the kind of location has no provider.",
			Fix:     "Correct the location. A relative file is looked for beside the capability.",
		},
		{
			Code: CodeBindNotReadable, Severity: diag.Error,
			Meaning: "A variable is used on the exposed side, where a caller could read its value.",
			Fix:     "Use variables on the consumed side only: authentication, headers, base address, fixed parameter values.",
		},
		{
			Code: CodeBindUndeclaredKey, Severity: diag.Warning,
			Meaning: "An authentication uses a variable that binds does not name. The environment variable of that name is read.",
			Fix:     "Declare the variable in binds.",
		},
		{
			Code: CodeBindUnknownNamespace, Severity: diag.Error,
			Meaning: "A variable outside of authentication is not declared in binds, so nothing says that its value may be read and sent.",
			Fix:     "Declare the variable in binds, or correct its name.",
		},
		{
			Code: CodeBindUnusedKey, Severity: diag.Warning,
			Meaning: "A declared variable is never used.",
			Fix:     "Remove it, or use it where the credential is named.",
		},
		{
			Code: CodeCallAmbiguous, Severity: diag.Note,
			Meaning: "A consumed API has several operations of the name that call gives. The n-th use in an adapter means the n-th of them; one use more than there are operations is an error.",
			Fix:     "Give the consumed operations names of their own.",
		},
		{
			Code: CodeCallUnresolved, Severity: diag.Error,
			Meaning: "The call names nothing that is consumed.",
			Fix:     "Write NAMESPACE.OPERATION of a consumed operation; the hint has the nearest one.",
		},
		{
			Code: CodeContentBlock, Severity: diag.Error,
			Meaning: "A content block has a type that does not exist, or lacks what its type needs. A key that means nothing in it, and content beside a call, are warnings.",
			Fix:     "Give a block type and text; an image or audio mimeType and data; a resource uri and text or data. Data is base64.",
		},
		{
			Code: CodeContractConflict, Severity: diag.Note,
			Meaning: "Two contracts describe an operation, and differ in what decides how a request is made: the media type or fields of its body, its parameters. The document that comes first holds.",
			Fix:     "Nothing, if the first document is the one to trust; otherwise give the documents in another order.",
		},
		{
			Code: CodeContractPlaceless, Severity: diag.Warning,
			Meaning: "A contract gives no address with a host for any of its operations, so that none of them can be joined.",
			Fix:     "Add the server to the document: the address that the capability has as baseUri.",
		},
		{
			Code: CodeContract, Severity: diag.Note,
			Meaning: "A part of an OpenAPI document cannot be used, such as a schema keyword or a media type. The rest of its contract holds.",
			Fix:     "Nothing, as long as the checks that remain are enough.",
		},
		{
			Code: CodeContractServer, Severity: diag.Warning,
			Meaning: "The contracts know nothing of an API at the server that the file names, and have its operations at another one. Calls go where the file says, all the same.",
			Fix:     "Correct baseUri, or give the address with --upstream.",
		},
		{
			Code: CodeCredential, Severity: diag.Error,
			Meaning: "A credential has characters that its scheme cannot carry, or a secret that guards an adapter is empty.",
			Fix:     "Look at the value; line breaks and a colon in a user name are the usual causes.",
		},
		{
			Code: CodeInputAmbiguous, Severity: diag.Error,
			Meaning: "A name means two inputs or placeholders, because case, '-' and '_' do not count where no name is exactly equal.",
			Fix:     "Rename one of them, or spell the reference exactly.",
		},
		{
			Code: CodeInputLocation, Severity: diag.Warning,
			Meaning: "The word in `in` is no place for a parameter, which is sent in the query; or the mapping of an input says none.",
			Fix:     "Use path, query, header, cookie or body, and with a mapping a name after that: body.title.",
		},
		{
			Code: CodeInputLost, Severity: diag.Note,
			Meaning: "The upstream's path needs a value that the exposed route does not carry. REST callers give it in the query, agents as an argument.",
			Fix:     "Nothing, or add the placeholder to the route.",
		},
		{
			Code: CodeInputReserved, Severity: diag.Note,
			Meaning: "A parameter would set a header that the gateway sets: credentials, content type, connection. It is left out. Authorization is one of them where the API has an authentication, or the adapter checks its callers by it. A name that no header can have is a warning.",
			Fix:     "Remove the parameter; configure authentication instead.",
		},
		{
			Code: CodeInputSchema, Severity: diag.Error,
			Meaning: "An inputSchema is not an object with type: object at its root, is not valid JSON Schema 2020-12, or refers to another document, which is never fetched; or an x-mcp-header breaks the rules of the protocol, so that clients would drop the tool. A keyword that cannot be checked is a warning, and so is the name of an argument that some hosts refuse.",
			Fix:     "Describe an object; put what is referred to below $defs. Let an x-mcp-header be a header name that occurs once, on a property that is a string, integer or boolean.",
		},
		{
			Code: CodeInputUnused, Severity: diag.Warning,
			Meaning: "The value of a placeholder in an exposed path is used by nothing. Callers have to give it all the same.",
			Fix:     "Pass it on in with, or remove it from the path.",
		},
		{
			Code: CodeMapping, Severity: diag.Error,
			Meaning: "An output mapping is not a JSONPath, or two mappings of steps have one place in the result.",
			Fix:     "Correct the expression; RFC 9535 is the grammar. Give each mapping a target of its own.",
		},
		{
			Code: CodeMethod, Severity: diag.Error,
			Meaning: "A method is none that is served or called.",
			Fix:     "Use GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS.",
		},
		{
			Code: CodeNamespaceTwice, Severity: diag.Error,
			Meaning: "Two adapters, or two consumed APIs, share a namespace, so that calls and options cannot tell them apart.",
			Fix:     "Rename one of them.",
		},
		{
			Code: CodeNothingRuns, Severity: diag.Error,
			Meaning: "Nothing that the document exposes can run.",
			Fix:     "See the other findings, or expose an operation with a call.",
		},
		{
			Code: CodePath, Severity: diag.Warning,
			Meaning: "An exposed path has a query string, which is left out. A path with too many placeholders or segments is an error.",
			Fix:     "Declare query parameters as inputParameters.",
		},
		{
			Code: CodePortClash, Severity: diag.Error,
			Meaning: "Two adapters want the same port of the same address.",
			Fix:     "Change one of the ports.",
		},
		{
			Code: CodePromptArgument, Severity: diag.Warning,
			Meaning: "A prompt's text has a placeholder that none of its arguments fills. It stays as it was written.",
			Fix:     "Declare the argument, or correct the name; the hint has the nearest one.",
		},
		{
			Code: CodePromptTwice, Severity: diag.Error,
			Meaning: "Two prompts of an adapter have the same name.",
			Fix:     "Rename one of them.",
		},
		{
			Code: CodeResourceTwice, Severity: diag.Error,
			Meaning: "Two MCP resources of an adapter have the same URI.",
			Fix:     "Change one of them.",
		},
		{
			Code: CodeResourceURI, Severity: diag.Error,
			Meaning: "The address of an MCP resource is not an absolute URI, has a placeholder that is more than {name}, or two without text between them, lacks a placeholder for an input that is required, or its files (or those of a prompt) are not at a file URI.",
			Fix:     "Write scheme and path, {name} for each required input, and file:///./folder for files beside the capability.",
		},
		{
			Code: CodeRouteClash, Severity: diag.Warning,
			Meaning: "Two operations have the same method and path; names of placeholders do not count. The first one is served.",
			Fix:     "Change one of the paths.",
		},
		{
			Code: CodeScopeNearMiss, Severity: diag.Warning,
			Meaning: "A value in with looks like a reference to the caller's input, but is none. It is sent as text.",
			Fix:     "Write rest.NAME or tools.NAME, or the adapter's own namespace.",
		},
		{
			Code: CodeStepShadowed, Severity: diag.Warning,
			Meaning: "A step has the name of an input, so that a placeholder of that name means the input.",
			Fix:     "Rename the step.",
		},
		{
			Code: CodeStepTwice, Severity: diag.Error,
			Meaning: "Two steps of an operation have the same name, so that nothing can refer to either.",
			Fix:     "Rename one of them.",
		},
		{
			Code: CodeStepUnknown, Severity: diag.Error,
			Meaning: "A mapping begins with a step that does not exist, or a value of with needs a step that runs later. A name that is nearly a step's is a warning: it is an input of the caller.",
			Fix:     "Begin with the name of a step, as in $.get-ship.name; the hint has the nearest one.",
		},
		{
			Code: CodeTemplate, Severity: diag.Error,
			Meaning: "A text with placeholders cannot be compiled. An input's pattern or enum that cannot be compiled is a warning, and is not checked.",
			Fix:     "Repair the place that the message names.",
		},
		{
			Code: CodeToolTwice, Severity: diag.Warning,
			Meaning: "Two tools of an adapter have the same name. The second one is offered with a number behind it.",
			Fix:     "Rename one of them.",
		},
		{
			Code: CodeUnsupported, Severity: diag.Warning,
			Meaning: "A part of the format is not run by this version: lookup and script steps, aggregates, imports, raw formats, forwarding, skill and control adapters; or something is not of the format at all: other kinds of steps, adapters and APIs, conditions and loops, addresses that are not HTTP. That part alone is left out. A type of adapter that is nearly one is an error.",
			Fix:     "Leave it, if the rest is enough, or declare a plain call.",
		},
		{
			Code: CodeVariableMissing, Severity: diag.Error,
			Meaning: "A variable that is used has no value.",
			Fix:     "Set it, name another with --map-env, or read it from a file with --env-file.",
		},
		{
			Code: CodeVariableUnset, Severity: diag.Note,
			Meaning: "A declared variable has no value, and nothing uses it.",
			Fix:     "Nothing, or remove it from binds.",
		},
		{
			Code: CodeWithUnknown, Severity: diag.Warning,
			Meaning: "with, or an input, names something that the called operation does not declare. Where the operation has a body of fields it is sent as one of them; otherwise the value is not used.",
			Fix:     "Correct the name; the hint has the nearest one.",
		},
	}
}
