package cli

import (
	"github.com/spf13/cobra"

	"patchbay/internal/spec"
)

func (c *command) schema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of capability files, for editors",
		Long: `Prints the JSON Schema of capability files, with which an editor completes keys
and words, explains them, and marks mistakes while you type. It is as tolerant as
Patchbay is; patchbay validate also judges what keys refer to.

Save it beside your files and begin each with the line
  # yaml-language-server: $schema=capability.schema.json`,
		Example: `  patchbay schema > capability.schema.json`,
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			text, err := spec.JSONSchema()
			if err != nil {
				return err
			}
			_, err = c.Out.Write(text)
			return err
		},
	}
}
