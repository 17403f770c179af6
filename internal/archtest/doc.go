// Package archtest keeps the shape of the repository: which package may import
// which, what code may do to the process it runs in, and what a package, a file
// and a test have to look like. It stands outside the path of a request and
// holds tests only. They read source text; nothing is compiled or executed.
//
// Each rule is a value with a reason, which the failure prints, and with
// examples in testdata: a txtar tree in which the lines that break the rule,
// and only those, carry a "want" comment. An exception to a rule is an entry in
// that rule's allowed list, with its own reason; an entry that nothing needs any
// more fails as well.
package archtest
