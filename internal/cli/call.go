package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"patchbay/internal/diag"
	"patchbay/internal/fault"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/plan"
	"patchbay/internal/sandbox"
)

func (c *command) call() *cobra.Command {
	var file, data string
	cmd := &cobra.Command{
		Use:   "call OPERATION [NAME=VALUE...]",
		Short: "Call one operation",
		Long: `Calls one operation and prints the answer. OPERATION is a tool's name, or
NAMESPACE.OPERATION of what is exposed or consumed. A value is text; one that
the operation wants as an object or array is JSON; @FILE and @- read it from a
file and from standard input. The exit code is 1 when the call fails or the
upstream answers with an error.`,
		Example: `  patchbay call --sandbox twilio-fetch-interaction InteractionSid=` + seedInteraction() + `
  patchbay call --sandbox flex-interactions.createinteraction body=@create.json
  patchbay call --sandbox flex-interactions.createinteraction --data '{"Channel":{"type":"web","initiated_by":"api"},"Routing":{"properties":{"workspace_sid":"` + sandbox.SeedWorkspace + `"}}}'`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{fmt.Errorf("call needs an operation; patchbay inspect lists them")}
			}
			return nil
		},
	}
	f := c.newFlags(cmd)
	f.sandboxFlags(cmd)
	f.limitFlags(cmd)
	f.logFlags(cmd)
	cmd.Flags().StringVarP(&file, "file", "f", "", "the capability `FILE` (default the embedded one)")
	cmd.Flags().StringVarP(&data, "data", "d", "", "the body, as `JSON|@FILE|@-`")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var files []string
		if file != "" {
			files = []string{file}
		}
		f.quiet = true
		s, err := c.prepare(f, files, false)
		defer s.end()
		if err != nil {
			return err
		}
		pairs := args[1:]
		if data != "" {
			pairs = append(pairs, "body="+data)
		}
		return c.runCall(cmd.Context(), s, args[0], pairs)
	}
	return cmd
}

func (c *command) runCall(ctx context.Context, s *session, name string, pairs []string) error {
	near := ""
	for _, b := range s.deploy.Bound {
		op, candidate := b.Plan.Find(name)
		if op == nil {
			near = candidate
			continue
		}
		values, err := c.values(op, pairs)
		if err != nil {
			return err
		}
		out, err := b.Run(ctx, op, &plan.Args{Values: values})
		if err != nil {
			return c.printFault(fault.Of(err))
		}
		defer out.Release()
		return c.printOutput(out)
	}
	hint := "; patchbay inspect lists them"
	if near != "" {
		hint = "; did you mean " + near + "?"
	}
	return usageError{fmt.Errorf("there is no operation %q%s", name, hint)}
}

// values reads NAME=VALUE arguments into the operation's inputs.
func (c *command) values(op *plan.Operation, pairs []string) ([]jsonvalue.Value, error) {
	values := make([]jsonvalue.Value, len(op.Inputs))
	for _, pair := range pairs {
		name, text, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, usageError{fmt.Errorf("%q is not NAME=VALUE", pair)}
		}
		at, err := inputNamed(op, name)
		if err != nil {
			return nil, err
		}
		if text, err = c.contents(text); err != nil {
			return nil, err
		}
		value := jsonvalue.StringOf(text)
		if in := &op.Inputs[at]; in.Location == plan.WholeBody || structured(&in.Schema) {
			if value, err = jsonvalue.ParseString(text); err != nil {
				return nil, usageError{fmt.Errorf("%s is not valid JSON: %w", name, err)}
			}
		}
		if !values[at].IsAbsent() {
			if !op.Inputs[at].Repeats() {
				return nil, usageError{fmt.Errorf("%s is given more than once", name)}
			}
			value = jsonvalue.ArrayOf(append(elements(values[at]), jsonvalue.Member{Value: value}))
		}
		values[at] = value
	}
	return values, nil
}

func elements(v jsonvalue.Value) []jsonvalue.Member {
	if v.Kind() == jsonvalue.Array {
		return append([]jsonvalue.Member(nil), v.Elems()...)
	}
	return []jsonvalue.Member{{Value: v}}
}

func structured(s *jsonvalue.Value) bool {
	t := s.Get("type")
	return t != nil && (t.Text() == "object" || t.Text() == "array")
}

func inputNamed(op *plan.Operation, name string) (int, error) {
	var names []string
	for i := range op.Inputs {
		if op.Inputs[i].Name == name {
			return i, nil
		}
		names = append(names, op.Inputs[i].Name)
	}
	for i := range op.Inputs {
		if diag.Fold(op.Inputs[i].Name) == diag.Fold(name) {
			return i, nil
		}
	}
	if near := diag.Nearest(name, names); near != "" {
		return 0, usageError{fmt.Errorf("%s has no input %q; did you mean %s?", op.Name, name, near)}
	}
	takes := "none"
	if len(names) > 0 {
		takes = strings.Join(names, ", ")
	}
	return 0, usageError{fmt.Errorf("%s has no input %q; it takes %s", op.Name, name, takes)}
}

// contents resolves @FILE and @-.
func (c *command) contents(text string) (string, error) {
	name, at := strings.CutPrefix(text, "@")
	if !at {
		return text, nil
	}
	const most = 64 << 20
	in := c.In
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return "", err
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, most))
	return string(bytes.TrimSpace(data)), err
}

func (c *command) printOutput(out *plan.Output) error {
	for _, a := range out.Advice {
		fmt.Fprintf(c.Err, "note: %s %s\n", a.Where(), a.Detail)
	}
	if len(out.Body) > 0 {
		body := jsontext.Value(bytes.Clone(out.Body))
		if isTerminal(c.Out) && body.Indent(jsontext.WithIndent("  ")) != nil {
			body = out.Body
		}
		fmt.Fprintf(c.Out, "%s\n", bytes.TrimRight(body, "\n"))
	}
	if out.OK() {
		return nil
	}
	fmt.Fprintf(c.Err, "patchbay: the upstream answered %d %s\n", out.Status, http.StatusText(out.Status))
	c.printStep(out.Step, out.Effects)
	return silentError{}
}

// printFault says what went wrong. It is the one place where faults become
// words on a terminal.
func (c *command) printFault(f *fault.Fault) error {
	fmt.Fprintf(c.Err, "patchbay: %s\n", f.Message)
	for _, field := range f.Fields {
		if len(f.Fields) > 1 {
			fmt.Fprintf(c.Err, "  %s %s\n", field.Where(), field.Detail)
		}
		if field.Hint != "" {
			fmt.Fprintf(c.Err, "    hint: %s\n", field.Hint)
		}
	}
	if f.Hint != "" {
		fmt.Fprintf(c.Err, "  hint: %s\n", f.Hint)
	}
	if f.Outcome != fault.NoCall {
		fmt.Fprintf(c.Err, "  outcome: %s\n", f.Outcome)
	}
	c.printStep(f.Step, f.Effects)
	return silentError{}
}

// printStep says which of several steps failed, and what had been done by then.
func (c *command) printStep(step string, effects []string) {
	if step != "" {
		fmt.Fprintf(c.Err, "  step: %s\n", step)
	}
	if len(effects) > 0 {
		fmt.Fprintf(c.Err, "  done before: %s\n", strings.Join(effects, ", "))
	}
}
