package archtest

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// A rule is one property that the whole repository has.
type rule struct {
	name string
	// reason tells somebody whose build just broke why the rule is worth it.
	reason string
	// allowed maps the keys of tolerated findings to the reason for each.
	allowed map[string]string
	check   func(*tree) []finding
}

// rules returns all rules. The tables that people edit stand beside the checks
// that obey them.
func rules() []rule {
	return []rule{
		layerRule(),
		importHomeRule(),
		dependencyRule(),
		initRule(),
		packageStateRule(),
		panicRule(),
		processRule(),
		packageNameRule(),
		packageCommentRule(),
		fileSizeRule(),
		sleepRule(),
		fixedPortRule(),
		machinePathRule(),
	}
}

func TestRepository(t *testing.T) {
	t.Parallel()
	repository, err := load(os.DirFS(root(t)))
	if err != nil {
		t.Fatal(err)
	}
	if len(repository.product()) == 0 {
		t.Fatal("no files were read")
	}
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			unused := maps.Clone(r.allowed)
			for _, f := range r.check(repository) {
				delete(unused, f.key)
				if _, ok := r.allowed[f.key]; !ok {
					t.Error(f)
				}
			}
			for key := range unused {
				t.Errorf("%s is allowed but not there: remove it from the list", key)
			}
			if t.Failed() {
				t.Log("why:", r.reason)
			}
		})
	}
}

// want marks a line that has to be found, in the syntax of Go, go.mod or a shell. What
// follows must be part of the finding's text.
const want = `(?://|#|;) want: (.+)$`

func TestRules(t *testing.T) {
	t.Parallel()
	marker := regexp.MustCompile(want)
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			archive, err := txtar.ParseFile(filepath.Join("testdata", r.name+".txtar"))
			if err != nil {
				t.Fatal(err)
			}
			examples := fstest.MapFS{"go.mod": {Data: []byte("module patchbay\n")}}
			wants := map[string]string{}
			for _, file := range archive.Files {
				content := expand(string(file.Data))
				examples[file.Name] = &fstest.MapFile{Data: []byte(content)}
				for i, line := range strings.Split(content, "\n") {
					if m := marker.FindStringSubmatch(line); m != nil {
						wants[place(file.Name, i+1)] = m[1]
					}
				}
			}
			if len(wants) == 0 {
				t.Error("no line is marked: the examples cannot show that the rule works")
			}
			compare(t, examples, r, wants)
		})
	}
}

// expand fills in what an example cannot contain itself: ${/} is a slash, so
// that the examples pass the rules they are about, and ${blank} many lines.
func expand(example string) string {
	return strings.NewReplacer("${/}", "/", "${blank}", strings.Repeat("\n", maxLines-2)).Replace(example)
}

func place(name string, line int) string {
	return fmt.Sprintf("%s:%d", name, line)
}

// compare applies a rule, without its allowed list, and wants findings at
// exactly the given places. A finding stands for its wanted part.
func compare(t *testing.T, examples fs.FS, r rule, wants map[string]string) {
	t.Helper()
	repository, err := load(examples)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range r.check(repository) {
		at := place(f.path, f.line)
		got[at] = f.text
		if part := wants[at]; part != "" && strings.Contains(f.text, part) {
			got[at] = part
		}
	}
	if diff := cmp.Diff(wants, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// root returns the directory of the product's go.mod.
func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = parent
	}
}
