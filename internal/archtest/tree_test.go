package archtest

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// A tree is one repository: the product's module at its root and the modules
// nested in it.
type tree struct {
	module string // path of the product's module
	fset   *token.FileSet
	files  []*goFile
	texts  []textFile
	// requires is what the product's go.mod requires.
	requires []requirement
}

// A goFile is one parsed file outside testdata.
type goFile struct {
	path   string // slash-separated, below the root
	dir    string // the same without the file's name; "." is the root
	nested bool   // belongs to a module nested in the product's
	test   bool
	lines  int
	syntax *ast.File
	fset   *token.FileSet
}

// A textFile is any file that is not binary, testdata included.
type textFile struct {
	path, content string
}

// A requirement is one line of go.mod.
type requirement struct {
	module   string
	line     int
	indirect bool
}

// maxText bounds the files that are read as text; what is larger is data.
const maxText = 4 << 20

// load reads a repository.
func load(fsys fs.FS) (*tree, error) {
	t := &tree{fset: token.NewFileSet()}
	nested, err := nestedModules(fsys)
	if err != nil {
		return nil, err
	}
	err = walk(fsys, func(name string) error {
		content, err := readText(fsys, name)
		if content == nil || err != nil {
			return err
		}
		t.texts = append(t.texts, textFile{name, string(content)})
		if name == "go.mod" {
			t.module, t.requires = parseModFile(string(content))
		}
		if path.Ext(name) != ".go" || strings.Contains("/"+name, "/testdata/") {
			return nil
		}
		f, err := t.parse(name, content)
		if err != nil {
			return err
		}
		f.nested = within(f.dir, nested)
		t.files = append(t.files, f)
		return nil
	})
	if err == nil && t.module == "" {
		err = errors.New("go.mod names no module")
	}
	return t, err
}

func (t *tree) parse(name string, content []byte) (*goFile, error) {
	syntax, err := parser.ParseFile(t.fset, name, content, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	return &goFile{
		path:   name,
		dir:    path.Dir(name),
		test:   strings.HasSuffix(name, "_test.go"),
		lines:  bytes.Count(content, []byte("\n")),
		syntax: syntax,
		fset:   t.fset,
	}, nil
}

// product returns the files of the product's module that are not tests.
func (t *tree) product() []*goFile {
	var out []*goFile
	for _, f := range t.files {
		if !f.nested && !f.test {
			out = append(out, f)
		}
	}
	return out
}

// tests returns the test files of all modules.
func (t *tree) tests() []*goFile {
	var out []*goFile
	for _, f := range t.files {
		if f.test {
			out = append(out, f)
		}
	}
	return out
}

// ours returns an import's directory below the root, if it is a package of the
// product's module.
func (t *tree) ours(importPath string) (string, bool) {
	return strings.CutPrefix(importPath, t.module+"/")
}

// imports returns a file's import paths with their places.
func (f *goFile) imports() []located {
	var out []located
	for _, spec := range f.syntax.Imports {
		// The parser accepts string literals only.
		name, _ := strconv.Unquote(spec.Path.Value)
		out = append(out, located{name, f.line(spec.Pos())})
	}
	return out
}

// importName returns the name by which a file refers to a package, or "" if it
// does not import it.
func (f *goFile) importName(importPath string) string {
	for _, spec := range f.syntax.Imports {
		if name, _ := strconv.Unquote(spec.Path.Value); name != importPath {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(importPath)
	}
	return ""
}

func (f *goFile) line(pos token.Pos) int {
	return f.fset.Position(pos).Line
}

type located struct {
	text string
	line int
}

// walk calls visit with the name of every file, in lexical order, except for
// what git and package managers keep. Files that vanish meanwhile are left out:
// an editor may be at work in the tree.
func walk(fsys fs.FS, visit func(name string) error) error {
	return fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case entry.Name() == ".git" && !entry.IsDir():
			return nil // a worktree's pointer to its repository
		case !entry.IsDir():
			err := visit(name)
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		case entry.Name() == ".git" || entry.Name() == "node_modules" || name == "bin":
			return fs.SkipDir
		}
		return nil
	})
}

// nestedModules returns the directories of the modules below the root.
func nestedModules(fsys fs.FS) ([]string, error) {
	var out []string
	err := walk(fsys, func(name string) error {
		if path.Base(name) == "go.mod" && name != "go.mod" && !strings.Contains("/"+name, "/testdata/") {
			out = append(out, path.Dir(name))
		}
		return nil
	})
	return out, err
}

// readText returns nil for what is no text: links, binaries, very large files.
func readText(fsys fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxText {
		return nil, err
	}
	content, err := fs.ReadFile(fsys, name)
	if err != nil || bytes.IndexByte(content, 0) >= 0 {
		return nil, err
	}
	// An empty file is a text as well.
	return append([]byte{}, content...), nil
}

func within(dir string, parents []string) bool {
	for _, parent := range parents {
		if dir == parent || strings.HasPrefix(dir, parent+"/") {
			return true
		}
	}
	return false
}

// parseModFile reads the module's path and the requirements of a go.mod. It
// knows what "go mod tidy" writes, not every form that is legal.
func parseModFile(text string) (module string, requires []requirement) {
	block := ""
	number := 0
	for line := range strings.Lines(text) {
		number++
		code, comment, _ := strings.Cut(line, "//")
		words := strings.Fields(code)
		if len(words) == 0 {
			continue
		}
		if words[len(words)-1] == "(" {
			block = words[0]
			continue
		}
		if block != "" {
			words = append([]string{block}, words...)
		}
		switch {
		case words[len(words)-1] == ")":
			block = ""
		case words[0] == "module" && len(words) == 2:
			module = words[1]
		case words[0] == "require" && len(words) == 3:
			requires = append(requires, requirement{words[1], number, strings.HasPrefix(strings.TrimSpace(comment), "indirect")})
		}
	}
	return module, requires
}

// A finding is one breach of a rule.
type finding struct {
	path string
	line int
	// key names the offender in a rule's allowed list.
	key  string
	text string
}

func (f finding) String() string {
	return fmt.Sprintf("%s:%d: %s", f.path, f.line, f.text)
}
