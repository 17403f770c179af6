package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"patchbay/internal/bind"
	"patchbay/internal/deploy"
	"patchbay/internal/deployfile"
	"patchbay/internal/diag"
	"patchbay/internal/engine"
	"patchbay/internal/watch"
)

// configFlag registers the deployment file.
func (f *flags) configFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.config, "config", "", "the deployment `FILE`, usually patchbay.yaml; flags win over what it says")
}

// decisions are what the operator decided: the flags over the deployment file.
type decisions struct {
	opts *deploy.Options
	// file is nil where there is none.
	file *deployfile.File
	// found are the findings about it.
	found diag.List
	// incomplete reports that documents are missing, without which the rest
	// cannot be judged.
	incomplete bool
	// env is nil where no values are wanted.
	env *bind.Environment
}

// decide reads the deployment file and puts the flags over it. With values, it
// also reads env files and secrets. The error is for flags and for files that
// cannot be read; what is wrong inside of the deployment file is findings.
func (c *command) decide(f *flags, files []string, values bool) (*decisions, error) {
	d := &decisions{}
	var err error
	if f.config == "" {
		if d.opts, err = f.options(files, deploy.Defaults()); err != nil {
			return nil, err
		}
		if values {
			f.read(d)
			d.env, err = f.environment(d.opts)
		}
		return d, err
	}
	source, err := readConfig(f.config)
	if err != nil {
		return nil, err
	}
	if err := d.parse(f, files, source, nil); err != nil {
		return nil, err
	}
	if values {
		f.read(d)
	}
	missing := d.missing(values)
	if values && !missing.HasErrors() {
		if d.env, err = f.environment(d.opts); err != nil {
			return nil, err
		}
		if err := d.parse(f, files, source, d.env); err != nil {
			return nil, err
		}
	}
	d.found = append(d.found, missing...).Sorted()
	return d, nil
}

// parse reads the deployment file's text and puts the flags over it.
func (d *decisions) parse(f *flags, files []string, source []byte, secrets deployfile.Secrets) (err error) {
	d.file, d.found = deployfile.Parse(f.config, source, secrets)
	d.opts, err = f.options(files, d.file.Options)
	if d.opts != nil && d.found.HasErrors() {
		return nil // the findings say it with its place
	}
	return err
}

// read tells which files are about to be read.
func (f *flags) read(d *decisions) {
	if f.reads != nil {
		f.reads(d)
	}
}

// wrong reports whether the deployment file has errors among the findings.
func (d *decisions) wrong(found diag.List) bool {
	return d.file != nil && slices.ContainsFunc(found, func(f diag.Diagnostic) bool { return f.Severity == diag.Error && f.Span.File == d.file.Name })
}

// missing reports files that the deployment file names and that are not there.
// What only counts where something is served is passed over otherwise, and so is
// what a flag replaced.
func (d *decisions) missing(served bool) diag.List {
	var out diag.List
	used := slices.Concat(d.opts.Files, d.opts.Contracts, d.opts.EnvFiles)
	for _, p := range d.file.Paths {
		if !p.Input && !served || isAmong(p.Path, &d.file.Options) && !slices.Contains(used, p.Path) || d.overridden(p.Path) {
			continue
		}
		if _, err := os.Stat(p.Path); errors.Is(err, fs.ErrNotExist) {
			d.incomplete = d.incomplete || p.Input
			out.Errorf(deployfile.CodeNoFile, p.Span, "there is no file %s", p.Path).WithHint("paths are relative to the deployment file")
		}
	}
	return out
}

// overridden reports a file of the TLS for all that a flag replaced, and that no
// adapter of the deployment file names.
func (d *decisions) overridden(path string) bool {
	of := func(t *deploy.ServerTLS) []string { return []string{t.Certificate, t.Key, t.ClientCA} }
	for _, a := range d.file.Options.AdapterSettings {
		if slices.Contains(of(&a.TLS), path) {
			return false
		}
	}
	for _, u := range d.file.Options.UpstreamSettings {
		if path == u.TLS.CA || path == u.TLS.Certificate || path == u.TLS.Key {
			return false
		}
	}
	return slices.Contains(of(&d.file.Options.TLS), path) && !slices.Contains(of(&d.opts.TLS), path)
}

// isAmong reports whether a path is in one of the lists that flags replace.
func isAmong(path string, o *deploy.Options) bool {
	return slices.Contains(o.Files, path) || slices.Contains(o.Contracts, path) || slices.Contains(o.EnvFiles, path)
}

// source returns the text of a file for diagnostics: of a capability, or of the
// deployment file.
func (d *decisions) source(loaded *engine.Loaded) func(string) []byte {
	return func(name string) []byte {
		if d.file != nil && name == d.file.Name {
			return d.file.Source
		}
		if loaded == nil {
			return nil
		}
		return loaded.Source(name)
	}
}

// inputs lists the files and folders that the deployment is made of.
func (d *decisions) inputs() []watch.Path {
	var out []watch.Path
	add := func(counts func(string) bool, names ...string) {
		for _, name := range names {
			out = append(out, watch.Path{Name: name, Counts: counts})
		}
	}
	add(engine.IsCapability, d.opts.Files...)
	add(engine.IsContract, d.opts.Contracts...)
	add(nil, d.opts.EnvFiles...)
	if d.file != nil {
		add(nil, d.file.Name)
		add(nil, d.file.SecretFiles...)
		for _, p := range d.file.Paths {
			add(nil, p.Path)
		}
	}
	return out
}

// maxConfig bounds what is read of a deployment file, in bytes; the parser judges
// a file of that size.
const maxConfig = 2 << 20

func readConfig(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("--config: there is no file %s", name)
		}
		return nil, fmt.Errorf("--config: %w", err)
	}
	defer f.Close()
	source, err := io.ReadAll(io.LimitReader(f, maxConfig))
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	return source, nil
}

// overlay fills the options with what the deployment file says, and then again
// with the flags that were given. A list of a flag replaces the file's.
func (f *flags) overlay(base deploy.Options) {
	type given struct {
		flag *pflag.Flag
		text string
		list []string
	}
	var all []given
	f.set.Visit(func(flag *pflag.Flag) {
		g := given{flag: flag, text: flag.Value.String()}
		if list, ok := flag.Value.(pflag.SliceValue); ok {
			g.list = list.GetSlice()
		}
		all = append(all, g)
	})
	f.opts = base
	if f.set.Changed("tool") || f.set.Changed("tag") {
		f.opts.Tools, f.opts.Tags = nil, nil // they are one choice
	}
	for _, g := range all {
		if list, ok := g.flag.Value.(pflag.SliceValue); ok {
			_ = list.Replace(g.list) // what it gave, it takes
			continue
		}
		_ = g.flag.Value.Set(g.text)
	}
	if f.set.Changed("sandbox") && f.opts.Sandbox.Enabled {
		clear(f.opts.Upstreams) // the file's addresses are not called
	}
}
