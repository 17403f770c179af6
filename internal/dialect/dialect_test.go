// Package dialect holds the stories of the dialect: for each thing that real
// capability files do, a file that does it, calls through REST and MCP, and the
// requests that reached an upstream. It stands outside the path of a request and
// holds tests only; the numbers of the stories are those of the project's list of what
// public files contain.
package dialect

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite the transcripts")

// A story is one point of the dialect: testdata/NN-title.txtar. Its comment says
// what the point is. Sections:
//
//	capability.yaml  the file; other files lie beside it
//	flags            further arguments of serve, one a line
//	upstreams        the consumed namespaces that the recorder stands for; all
//	                 of the file where absent
//	env              the environment, NAME=value
//	calls            what is done, in blocks; see [server.block]
//	findings         expected: what validate finds, without excerpts
//	transcript       expected: for each block what reached the upstream, and
//	                 what the caller read
type story struct {
	path    string
	archive *txtar.Archive
}

func stories(t *testing.T) []*story {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	var out []*story
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, &story{path, archive})
	}
	return out
}

func (s *story) section(name string) string {
	for i := range s.archive.Files {
		if s.archive.Files[i].Name == name {
			return string(s.archive.Files[i].Data)
		}
	}
	return ""
}

// lines are the lines of a section, without empty ones.
func (s *story) lines(name string) []string {
	return slices.DeleteFunc(strings.Split(s.section(name), "\n"), func(l string) bool { return l == "" })
}

// expect compares a section with what was observed, or rewrites it.
func (s *story) expect(t *testing.T, name, got string) {
	t.Helper()
	if !*update {
		if diff := cmp.Diff(s.section(name), got); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", s.path, name, diff)
		}
		return
	}
	s.archive.Files = slices.DeleteFunc(s.archive.Files, func(f txtar.File) bool { return f.Name == name })
	if got != "" {
		s.archive.Files = append(s.archive.Files, txtar.File{Name: name, Data: []byte(got)})
	}
}

// TestDialect tells the stories. The subtests begin with the point's number.
func TestDialect(t *testing.T) {
	for _, s := range stories(t) {
		t.Run(strings.TrimSuffix(filepath.Base(s.path), ".txtar"), func(t *testing.T) {
			dir := s.files(t)
			s.expect(t, "findings", validate(t, dir))
			transcript := ""
			if s.section("calls") != "" {
				transcript = s.tell(t, serve(t, s, dir))
			}
			s.expect(t, "transcript", transcript)
			if *update && !t.Failed() {
				if err := os.WriteFile(s.path, txtar.Format(s.archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestDialectIsToldWhole counts the stories: each point that runs or is refused
// has one.
func TestDialectIsToldWhole(t *testing.T) {
	told := map[int]bool{}
	told[21] = true // TestDialect21ThousandTools
	for _, s := range stories(t) {
		number, _, ok := strings.Cut(filepath.Base(s.path), "-")
		n, err := strconv.Atoi(number)
		if !ok || err != nil {
			t.Errorf("%s does not begin with the number of a point", s.path)
		}
		told[n] = true
	}
	for point := 1; point <= 36; point++ {
		if !told[point] {
			t.Errorf("point %d has no story", point)
		}
	}
}

// files writes the story's files into a directory of its own.
func (s *story) files(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range s.archive.Files {
		if filepath.Ext(f.Name) == "" {
			continue
		}
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// finding is the first line of what validate prints about one.
var finding = regexp.MustCompile(`(?m)^\S*capability\.yaml(?::\d+:\d+)?: (?:error|warning): .*\n(?:(?:[ \d]+\||\s+\|).*\n)*(?:    hint: .*\n)?`)

func validate(t *testing.T, dir string) string {
	t.Helper()
	_, said := patchbay(t, dir, nil, "validate", "capability.yaml")
	excerpt := regexp.MustCompile(`(?m)^[ \d]+\|.*\n`)
	return excerpt.ReplaceAllString(strings.Join(finding.FindAllString(said, -1), ""), "")
}

// tell performs the blocks of calls, and writes down what happened.
func (s *story) tell(t *testing.T, at *server) string {
	var out strings.Builder
	for block := range strings.SplitSeq(strings.TrimSpace(s.section("calls")), "\n\n") {
		if strings.HasPrefix(block, "ANSWER ") {
			at.upstream.script(block)
			continue
		}
		first, _, _ := strings.Cut(block, "\n")
		fmt.Fprintf(&out, "> %s\n", first)
		said := at.block(t, block)
		if asked := at.upstream.take(); asked != "" {
			out.WriteString(asked)
		} else if strings.HasPrefix(first, "REST ") || strings.HasPrefix(first, "MCP ") {
			out.WriteString("  no request\n")
		}
		out.WriteString(said)
		out.WriteString("\n")
	}
	return out.String()
}
