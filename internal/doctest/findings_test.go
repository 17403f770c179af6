package doctest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"patchbay/internal/bind"
	"patchbay/internal/cli"
	"patchbay/internal/deploy"
	"patchbay/internal/deployfile"
	"patchbay/internal/diag"
	"patchbay/internal/engine"
	"patchbay/internal/lint"
	"patchbay/internal/plan"
	"patchbay/internal/spec"
)

// codes are all findings that a capability can lead to.
func codes() []diag.CodeInfo {
	all := slices.Concat(spec.Codes(), lint.Codes(), plan.Codes(), engine.Codes(), deployfile.Codes())
	slices.SortFunc(all, func(a, b diag.CodeInfo) int { return strings.Compare(string(a.Code), string(b.Code)) })
	return all
}

// withoutExample are codes whose example would be too long to show.
func withoutExample() map[diag.Code]string {
	return map[diag.Code]string{
		spec.CodeTooManyFindings: "A thousand findings of a severity are listed.",
		deployfile.CodeLimit:     "A megabyte is read.",
	}
}

// TestFindingsPage keeps docs/diagnostics.md in step with the codes. Each
// example is what patchbay prints about a file in testdata.
func TestFindingsPage(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/findings.txtar")
	if err != nil {
		t.Fatal(err)
	}
	examples := map[diag.Code]string{}
	for _, f := range archive.Files {
		examples[diag.Code(f.Name)] = string(f.Data)
	}
	base := examples["base"]
	delete(examples, "base")
	deployments, err := txtar.ParseFile("testdata/config-findings.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range deployments.Files {
		examples[diag.Code(f.Name)] = string(f.Data)
	}
	var page strings.Builder
	for _, info := range codes() {
		fmt.Fprintf(&page, "\n## %s\n\n%s. %s\n", info.Code, capital(info.Severity.String()), info.Meaning)
		edits, ok := examples[info.Code]
		delete(examples, info.Code)
		switch reason, excused := withoutExample()[info.Code]; {
		case ok && strings.HasPrefix(string(info.Code), "config-"):
			fmt.Fprintf(&page, "\n```text\n%s\n```\n", strings.TrimRight(configFinding(t, info.Code, edits), "\n"))
		case ok:
			fmt.Fprintf(&page, "\n```text\n%s\n```\n", strings.TrimRight(finding(t, info.Code, base, edits), "\n"))
		case excused:
			fmt.Fprintf(&page, "\n%s\n", reason)
		default:
			t.Errorf("testdata/findings.txtar has no example of %s", info.Code)
		}
		fmt.Fprintf(&page, "\nWhat to do: %s\n", info.Fix)
	}
	for code := range examples {
		t.Errorf("testdata/findings.txtar has an example of %s, which is no code", code)
	}
	generated(t, "diagnostics.md", page.String())
}

// configFinding is what validate prints about a deployment file.
func configFinding(t *testing.T, code diag.Code, text string) (out string) {
	t.Helper()
	t.Run(string(code), func(t *testing.T) {
		t.Chdir(t.TempDir())
		for name, text := range map[string]string{"patchbay.yaml": text, "open": "s3cret\n"} {
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chmod("open", 0o644); err != nil {
			t.Fatal(err)
		}
		var printed, errs strings.Builder
		none := func(name string) (string, bool) { return "", strings.HasPrefix(name, "TWILIO_") }
		cli.Main(t.Context(), []string{"validate", "--bind", "--config", "patchbay.yaml", "--code", string(code)}, cli.Streams{In: strings.NewReader(""), Out: &printed, Err: &errs}, none)
		_, findings, _ := strings.Cut(printed.String(), "\n")
		if strings.HasPrefix(printed.String(), "patchbay.yaml:") {
			findings = printed.String() // of one file alone
		}
		out, _, _ = strings.Cut(findings, "\n\n")
		if !strings.Contains(out, "["+string(code)+"]") {
			t.Errorf("no %s in\n%s%s", code, printed.String(), errs.String())
		}
	})
	return out
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// finding is what is printed about the first place with a code, in the base
// file after some edits.
func finding(t *testing.T, code diag.Code, base, edits string) string {
	t.Helper()
	text, env, err := apply(base, edits)
	if err != nil {
		t.Fatalf("%s: %v", code, err)
	}
	dir := t.TempDir()
	name := filepath.Join(dir, "ships.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	options := deploy.Defaults()
	options.Files = []string{name}
	for i, document := range contractExamples()[code] {
		name := filepath.Join(dir, []string{"ships.openapi.yaml", "old.openapi.yaml"}[i])
		if err := os.WriteFile(name, []byte(document), 0o600); err != nil {
			t.Fatal(err)
		}
		options.Contracts = append(options.Contracts, name)
	}
	loaded, found, err := engine.Load(&options)
	if err != nil {
		t.Fatalf("%s: %v", code, err)
	}
	if env != nil {
		lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
		environment, err := bind.New(bind.Options{Process: lookup})
		if err != nil {
			t.Fatal(err)
		}
		bound, more, err := engine.Bind(loaded, &options, engine.BindOptions{Environment: environment, Version: "test"})
		if err != nil {
			t.Fatalf("%s: %v", code, err)
		}
		bound.Close()
		found = append(found, more...)
	}
	at := slices.IndexFunc(found, func(d diag.Diagnostic) bool { return d.Code == code })
	if at < 0 {
		t.Errorf("the example of %s leads to %v", code, found)
		return ""
	}
	one := found[at]
	one.Span.File = filepath.Base(one.Span.File)
	one.Message = strings.ReplaceAll(one.Message, dir+string(filepath.Separator), "")
	one.Hint = strings.ReplaceAll(one.Hint, dir+string(filepath.Separator), "")
	for i := range one.Related {
		one.Related[i].Span.File = filepath.Base(one.Related[i].Span.File)
	}
	var out strings.Builder
	if err := diag.PrintText(&out, diag.List{one}, func(string) []byte { return []byte(text) }, diag.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// contractExamples are the OpenAPI documents of findings about contracts, in
// their order.
func contractExamples() map[diag.Code][]string {
	const (
		head   = "openapi: 3.1.0\ninfo: {title: Ships, version: '1'}\n"
		server = "servers: [{url: 'https://ships.example.com/v1'}]\n"
	)
	operation := func(parameters string) string {
		return "paths: {'/ships/{imo}': {get: {parameters: [" + parameters + "], responses: {'200': {description: A ship}}}}}\n"
	}
	return map[diag.Code][]string{
		plan.CodeContract:          {head + server + operation("{name: imo, in: path, required: true, schema: {type: string, pattern: '(?<=x)[0-9]+'}}")},
		plan.CodeContractConflict:  {head + server + operation("{name: fields, in: query}"), head + server + operation("{name: fields, in: query, required: true}, {name: at, in: query}")},
		plan.CodeContractPlaceless: {head + operation("")},
		plan.CodeContractServer:    {head + "servers: [{url: 'https://fleet.example.com/v2'}]\n" + operation("")},
	}
}

// apply edits a text: a line "- x" and the line "+ y" after it replace the
// first x by y; "env NAME=VALUE" sets a variable, and makes the file be bound;
// text without such lines stands for itself. In a "+" line \n and \xHH stand
// for bytes.
func apply(base, edits string) (text string, env map[string]string, err error) {
	text = base
	old := ""
	for line := range strings.Lines(edits) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "- "):
			if old = line[2:]; !strings.Contains(text, old) {
				return "", nil, fmt.Errorf("%q is not there", old)
			}
		case strings.HasPrefix(line, "+ ") && old != "":
			replacement, err := strconv.Unquote(`"` + strings.ReplaceAll(line[2:], `"`, `\"`) + `"`)
			if err != nil {
				return "", nil, fmt.Errorf("%q: %w", line, err)
			}
			text = strings.Replace(text, old, replacement, 1)
		case strings.HasPrefix(line, "env"):
			if env == nil {
				env = map[string]string{}
			}
			if name, value, ok := strings.Cut(strings.TrimSpace(line[3:]), "="); ok {
				value, err := strconv.Unquote(`"` + value + `"`)
				if err != nil {
					return "", nil, fmt.Errorf("%q: %w", line, err)
				}
				env[name] = value
			}
		default:
			return edits, nil, nil
		}
	}
	return text, env, nil
}

// Every code that the compiler has is in the list that it gives.
func TestCompilerCodesAreListed(t *testing.T) {
	listed := map[diag.Code]bool{}
	for _, info := range plan.Codes() {
		if info.Meaning == "" || info.Fix == "" || listed[info.Code] {
			t.Errorf("%s is listed twice or without words", info.Code)
		}
		listed[info.Code] = true
	}
	if !slices.IsSortedFunc(plan.Codes(), func(a, b diag.CodeInfo) int { return strings.Compare(string(a.Code), string(b.Code)) }) {
		t.Error("the list is not sorted")
	}
	for _, code := range declaredCodes(t, "../plan/codes.go") {
		if !listed[code] {
			t.Errorf("%s is declared and not listed", code)
		}
		delete(listed, code)
	}
	for code := range listed {
		t.Errorf("%s is listed and not declared", code)
	}
}

// declaredCodes reads the constants of type diag.Code from a source file.
func declaredCodes(t *testing.T, path string) []diag.Code {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.FromSlash(path), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []diag.Code
	for n := range ast.Preorder(file) {
		v, ok := n.(*ast.ValueSpec)
		if !ok || len(v.Values) != 1 || !strings.HasPrefix(v.Names[0].Name, "Code") {
			continue
		}
		if literal, ok := v.Values[0].(*ast.BasicLit); ok {
			text, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, diag.Code(text))
		}
	}
	if len(out) == 0 {
		t.Fatalf("%s declares no codes", path)
	}
	return out
}
