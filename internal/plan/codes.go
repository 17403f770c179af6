package plan

import "patchbay/internal/diag"

// The codes of the compiler's findings.
const (
	// CodeNamespaceTwice: two adapters or two consumed APIs share a namespace.
	CodeNamespaceTwice diag.Code = "namespace-twice"
	// CodeBindUndeclaredKey: a variable is used that `binds` does not name.
	CodeBindUndeclaredKey diag.Code = "bind-undeclared-key"
	// CodeBindUnknownNamespace: a variable's namespace is no binding.
	CodeBindUnknownNamespace diag.Code = "bind-unknown-namespace"
	// CodeBindUnusedKey: a declared variable is never used.
	CodeBindUnusedKey diag.Code = "bind-unused-key"
	// CodeBindNotReadable: a variable is used where callers could read it.
	CodeBindNotReadable diag.Code = "bind-not-readable-here"
	// CodeTemplate: a template cannot be compiled.
	CodeTemplate diag.Code = "template-invalid"
	// CodeBaseURI: a base address cannot be used.
	CodeBaseURI diag.Code = "base-uri-invalid"
	// CodeBaseURIMissing: a base address is empty and must be given by option.
	CodeBaseURIMissing diag.Code = "base-uri-missing"
	// CodeAuthUnsupported: an authentication scheme is not run.
	CodeAuthUnsupported diag.Code = "auth-unsupported"
	// CodeAuthIncomplete: an authentication lacks a field.
	CodeAuthIncomplete diag.Code = "auth-incomplete"
	// CodeMethod: a method is not one of HTTP's.
	CodeMethod diag.Code = "method-invalid"
	// CodePath: a path cannot be used.
	CodePath diag.Code = "path-invalid"
	// CodeInputLocation: a parameter's `in` is not known.
	CodeInputLocation diag.Code = "input-location"
	// CodeInputReserved: a parameter would set a header that is not a caller's.
	CodeInputReserved diag.Code = "input-reserved"
	// CodeInputAmbiguous: a name means two inputs.
	CodeInputAmbiguous diag.Code = "input-ambiguous"
	// CodeInputUnused: a placeholder of an exposed path is used by nothing.
	CodeInputUnused diag.Code = "input-unused"
	// CodeInputLost: the upstream path needs a value that the route lacks.
	CodeInputLost diag.Code = "input-lost"
	// CodeCallUnresolved: `call` names nothing that is consumed.
	CodeCallUnresolved diag.Code = "call-unresolved"
	// CodeCallAmbiguous: `call` names several operations.
	CodeCallAmbiguous diag.Code = "call-ambiguous"
	// CodeWithUnknown: `with` names an input that the operation does not have.
	CodeWithUnknown diag.Code = "with-unknown-name"
	// CodeScopeNearMiss: a literal in `with` looks like a reference.
	CodeScopeNearMiss diag.Code = "scope-near-miss"
	// CodeMapping: an output mapping cannot be compiled.
	CodeMapping diag.Code = "mapping-invalid"
	// CodeRouteClash: two operations have the same method and path.
	CodeRouteClash diag.Code = "route-clash"
	// CodePortClash: two adapters want the same port.
	CodePortClash diag.Code = "port-clash"
	// CodeToolTwice: two tools have the same name.
	CodeToolTwice diag.Code = "tool-twice"
	// CodeStepTwice: two steps of an operation have the same name.
	CodeStepTwice diag.Code = "step-twice"
	// CodeStepUnknown: a mapping or a value of with names a step that does not
	// exist, or that runs later.
	CodeStepUnknown diag.Code = "step-unknown"
	// CodeStepShadowed: a step has the name of an input.
	CodeStepShadowed diag.Code = "step-shadowed"
	// CodeResourceTwice: two MCP resources have the same URI.
	CodeResourceTwice diag.Code = "resource-twice"
	// CodeResourceURI: the address of an MCP resource, or the place of its
	// files, cannot be used.
	CodeResourceURI diag.Code = "resource-uri"
	// CodePromptTwice: two prompts have the same name.
	CodePromptTwice diag.Code = "prompt-twice"
	// CodePromptArgument: a prompt's text has a placeholder without argument.
	CodePromptArgument diag.Code = "prompt-argument"
	// CodeInputSchema: an input schema that the file spells out cannot be used
	// as it is.
	CodeInputSchema diag.Code = "input-schema"
	// CodeContentBlock: a content block cannot be used.
	CodeContentBlock diag.Code = "content-block"
	// CodeUnsupported: a part of the format is not run by this version.
	CodeUnsupported diag.Code = "unsupported"
	// CodeContract: a part of a contract cannot be used.
	CodeContract diag.Code = "contract-problem"
	// CodeContractConflict: two contracts disagree about an operation.
	CodeContractConflict diag.Code = "contract-conflict"
	// CodeContractPlaceless: a contract says of no operation where it is.
	CodeContractPlaceless diag.Code = "contract-placeless"
	// CodeContractServer: contracts have an operation at another server.
	CodeContractServer diag.Code = "contract-server"
	// CodeVariableMissing: a variable that is used has no value.
	CodeVariableMissing diag.Code = "variable-missing"
	// CodeVariableUnset: a declared, unused variable has no value.
	CodeVariableUnset diag.Code = "variable-unset"
	// CodeBindLocation: a binding's file cannot be read.
	CodeBindLocation diag.Code = "bind-location"
	// CodeCredential: a credential cannot travel as its scheme wants.
	CodeCredential diag.Code = "credential-invalid"
	// CodeNothingRuns: nothing that the document exposes can run.
	CodeNothingRuns diag.Code = "nothing-runs"
)
