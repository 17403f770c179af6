// Package bind gives values to the variables that a capability names: from the
// process environment, from env files, and from the files of `binds` with a
// location. It is the only reader of environment and secret files, and it runs
// after compiling and before serving; requests never reach it.
package bind

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"patchbay/internal/secret"
)

// Environment answers which value a variable has. It is immutable after
// [New] and safe for concurrent use.
type Environment struct {
	process func(string) (string, bool)
	files   []envFile
	renames map[string]string
}

type envFile struct {
	name   string
	values map[string]string
}

// Options says where values come from.
type Options struct {
	// Process looks up the process environment; nil means that there is none.
	Process func(string) (string, bool)
	// EnvFiles are paths of files with NAME=value lines. The process comes
	// first, then the files in order.
	EnvFiles []string
	// Renames maps a variable of a capability to the name under which the
	// operator has it, as --map-env says; see also [Environment.For].
	Renames map[string]string
}

// maxFile bounds env and binding files, in bytes.
const maxFile = 1 << 20

// New reads the env files.
func New(opts Options) (*Environment, error) {
	env := &Environment{process: opts.Process, renames: opts.Renames}
	for _, name := range opts.EnvFiles {
		data, err := readBounded(name)
		if err != nil {
			return nil, fmt.Errorf("env file: %w", err)
		}
		values, err := ParseEnvFile(data)
		if err != nil {
			return nil, fmt.Errorf("env file %s: %w", name, err)
		}
		env.files = append(env.files, envFile{name, values})
	}
	return env, nil
}

func readBounded(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	// A pipe or device has no size to look at first.
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		return nil, fmt.Errorf("%s is larger than %d bytes", name, maxFile)
	}
	return data, err
}

// Lookup returns the value of a variable, and where it was found. An empty
// value counts as set; whether that is enough is for the caller to say.
func (e *Environment) Lookup(variable string) (value secret.Value, origin string, ok bool) {
	name := variable
	if to, renamed := e.renames[variable]; renamed {
		name = to
	}
	if e.process != nil {
		if v, found := e.process(name); found {
			return secret.New(v), "environment variable " + name, true
		}
	}
	for i := range e.files {
		if v, found := e.files[i].values[name]; found {
			return secret.New(v), name + " in " + e.files[i].name, true
		}
	}
	return secret.Value{}, "", false
}

// For returns an environment in which the renames of namespaces, given as
// NAMESPACE.NAME, hold before those for all. A * in NAMESPACE stands for any
// characters; what is written without one comes first.
func (e *Environment) For(namespaces ...string) *Environment {
	own := *e
	own.renames = map[string]string{}
	for variable, name := range e.renames {
		if _, plain := Qualified(variable); plain == variable {
			own.renames[variable] = name
		}
	}
	for _, variable := range slices.SortedFunc(maps.Keys(e.renames), patternsFirst) {
		namespace, plain := Qualified(variable)
		if slices.ContainsFunc(namespaces, func(n string) bool { return Matches(namespace, n) }) {
			own.renames[plain] = e.renames[variable]
		}
	}
	return &own
}

// Qualified parts NAMESPACE.NAME; the namespace of a plain NAME is "". Namespaces
// may hold dots, names of variables do not.
func Qualified(variable string) (namespace, name string) {
	dot := strings.LastIndexByte(variable, '.')
	return variable[:max(dot, 0)], variable[dot+1:]
}

func patternsFirst(a, b string) int {
	isA, isB := strings.Contains(a, "*"), strings.Contains(b, "*")
	if isA != isB {
		if isA {
			return -1
		}
		return 1
	}
	return strings.Compare(a, b)
}

// Matches reports whether a namespace is what a text means, in which * stands
// for any characters.
func Matches(pattern, namespace string) bool {
	parts := strings.Split(pattern, "*")
	rest, ok := strings.CutPrefix(namespace, parts[0])
	if len(parts) == 1 {
		return ok && rest == ""
	}
	for _, part := range parts[1 : len(parts)-1] {
		if ok {
			_, rest, ok = strings.Cut(rest, part)
		}
	}
	return ok && strings.HasSuffix(rest, parts[len(parts)-1])
}

// Renamed returns the name under which a variable is looked up.
func (e *Environment) Renamed(variable string) string {
	if to, ok := e.renames[variable]; ok {
		return to
	}
	return variable
}

// Has reports whether a name has a non-empty value, without regard to renames.
func (e *Environment) Has(name string) bool {
	if e.process != nil {
		if v, found := e.process(name); found && v != "" {
			return true
		}
	}
	for i := range e.files {
		if v := e.files[i].values[name]; v != "" {
			return true
		}
	}
	return false
}

// File reads the values of a binding with a location. The location is a file
// URI; a path that is not absolute (file:///./x, file://./x) is taken from dir,
// the directory of the capability. YAML and JSON files give their top-level
// scalars, any other file is read as an env file.
func File(location, dir string) (map[string]secret.Value, error) {
	path, err := filePath(location, dir)
	if err != nil {
		return nil, err
	}
	data, err := readBounded(path)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("there is no file %s", path)
		}
		return nil, err
	}
	var values map[string]string
	switch strings.ToLower(filepath.Ext(path)) {
	case ".yaml", ".yml", ".json":
		values, err = topLevelScalars(data)
	default:
		values, err = ParseEnvFile(data)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	out := make(map[string]secret.Value, len(values))
	for k, v := range values {
		out[k] = secret.New(v)
	}
	return out, nil
}

func filePath(location, dir string) (string, error) {
	u, err := url.Parse(location)
	if err != nil {
		return "", fmt.Errorf("not a URI: %q", location)
	}
	if u.Scheme != "file" {
		return "", fmt.Errorf("no provider for %s: locations", u.Scheme)
	}
	path := u.Path
	switch {
	case u.Host == "." || u.Host == "..":
		path = filepath.Join(dir, u.Host, path)
	case u.Host != "" && u.Host != "localhost":
		return "", fmt.Errorf("a file on another host (%s) cannot be read", u.Host)
	case strings.HasPrefix(path, "/./") || strings.HasPrefix(path, "/../"):
		path = filepath.Join(dir, path[1:])
	}
	return filepath.Clean(path), nil
}

func topLevelScalars(data []byte) (map[string]string, error) {
	var doc yaml.Node
	if err := yaml.Load(data, &doc); err != nil {
		// The message of a YAML error quotes the text, which here is a secret.
		return nil, errors.New("not valid YAML or JSON")
	}
	root := &doc
	if root.Kind == yaml.DocumentNode && len(root.Content) == 1 {
		root = root.Content[0]
	}
	if root.Kind != yaml.MappingNode {
		return nil, errors.New("not a mapping of names to values")
	}
	out := make(map[string]string, len(root.Content)/2)
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i+1].Kind == yaml.ScalarNode {
			out[root.Content[i].Value] = root.Content[i+1].Value
		}
	}
	return out, nil
}
