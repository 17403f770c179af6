package cli

import (
	"github.com/spf13/cobra"

	"patchbay/internal/deployfile"
	"patchbay/internal/spec"
)

func (c *command) schema() *cobra.Command {
	var config bool
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of capability files, or of the deployment file, for editors",
		Long: `Prints the JSON Schema of capability files, with which an editor completes keys
and words, explains them, and marks mistakes while you type. It is as tolerant as
Patchbay is; patchbay validate also judges what keys refer to.

Save it beside your files and begin each with the line
  # yaml-language-server: $schema=capability.schema.json

With --config it is the schema of the deployment file, patchbay.yaml.`,
		Example: `  patchbay schema > capability.schema.json
  patchbay schema --config > patchbay.schema.json`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			schemaOf := spec.JSONSchema
			if config {
				schemaOf = deployfile.JSONSchema
			}
			text, err := schemaOf()
			if err != nil {
				return err
			}
			_, err = c.Out.Write(text)
			return err
		},
	}
	cmd.Flags().BoolVar(&config, "config", false, "print the schema of the deployment file")
	return cmd
}
