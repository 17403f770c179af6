package doctest

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A block is a fenced block of a document.
type block struct {
	// line is the number of the fence's line, from 1.
	line     int
	language string
	// words are what follows the language on the fence's line.
	words []string
	// text is the content; every line ends with a line feed.
	text string
}

// languages are those that the package comment explains.
func languages() []string {
	return []string{"sh", "output", "console", "yaml", "json", "text", "go", "http"}
}

// parseBlocks returns the fenced blocks of a Markdown text. A block may be
// indented, as inside of a list; its content is taken without that indentation.
func parseBlocks(text string) ([]block, error) {
	var out []block
	var open *block
	indent := ""
	for i, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimLeft(line, " ")
		fence := strings.HasPrefix(trimmed, "```")
		switch {
		case open == nil && fence:
			words := strings.Fields(strings.TrimPrefix(trimmed, "```"))
			if len(words) == 0 || !slices.Contains(languages(), words[0]) {
				return nil, fmt.Errorf("line %d: the block has no language of %v", i+1, languages())
			}
			open = &block{line: i + 1, language: words[0], words: words[1:]}
			indent = line[:len(line)-len(trimmed)]
		case open != nil && fence && strings.TrimSpace(trimmed) == "```":
			out = append(out, *open)
			open = nil
		case open != nil:
			open.text += strings.TrimPrefix(line, indent) + "\n"
		}
	}
	if open != nil {
		return nil, fmt.Errorf("line %d: the block has no end", open.line)
	}
	return out, nil
}

func TestParseBlocks(t *testing.T) {
	got, err := parseBlocks("a\n```sh exit=1\necho\n\nx\n```\n- b\n  ```output json\n  {\n    1\n  ```\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []block{
		{line: 2, language: "sh", words: []string{"exit=1"}, text: "echo\n\nx\n"},
		{line: 8, language: "output", words: []string{"json"}, text: "{\n  1\n"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(block{})); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"```\nx\n```\n", "```sh\nx\n", "```perl\n```\n"} {
		if _, err := parseBlocks(bad); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

// prose is a document without its fenced blocks and inline code.
func prose(text string) string {
	blocks := regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	inline := regexp.MustCompile("`[^`\n]*`")
	return inline.ReplaceAllString(blocks.ReplaceAllString(text, ""), "``")
}

// anchors are the names that headings can be linked by, as GitHub makes them.
func anchors(text string) map[string]bool {
	blocks := regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	heading := regexp.MustCompile(`(?m)^#{1,6} +(.+)$`)
	dropped := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	out := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(blocks.ReplaceAllString(text, ""), -1) {
		name := dropped.ReplaceAllString(strings.ToLower(strings.TrimSpace(m[1])), "")
		name = strings.ReplaceAll(name, " ", "-")
		for i := 1; out[name]; i++ {
			name = fmt.Sprintf("%s-%d", strings.TrimSuffix(name, fmt.Sprintf("-%d", i-1)), i)
		}
		out[name] = true
	}
	return out
}

// checkLink returns what is wrong with a link of a document, or nil. exists
// tells the text of a path below the root.
func checkLink(from document, target string, read func(string) (string, error)) error {
	file, anchor, _ := strings.Cut(target, "#")
	text := from.text
	if file != "" {
		where := path.Join(path.Dir(from.name), file)
		if strings.HasPrefix(where, "..") {
			return errors.New("leads out of the repository")
		}
		var err error
		if text, err = read(where); err != nil {
			return errors.New("leads to nothing")
		}
	}
	if anchor != "" && !anchors(text)[anchor] {
		return errors.New("leads to no heading")
	}
	return nil
}

// TestLinks follows every relative link.
func TestLinks(t *testing.T) {
	read := func(name string) (string, error) {
		at := filepath.Join(root, filepath.FromSlash(name))
		info, err := os.Stat(at)
		if err != nil || info.IsDir() {
			return "", err
		}
		text, err := os.ReadFile(at)
		return string(text), err
	}
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	linked := map[string]bool{}
	for _, doc := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(prose(doc.text), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if err := checkLink(doc, m[1], read); err != nil {
				t.Errorf("%s: %s %v", doc.name, m[1], err)
			}
			file, _, _ := strings.Cut(m[1], "#")
			if doc.name == "README.md" {
				linked[path.Clean(file)] = true
			}
		}
	}
	for _, doc := range documents(t) {
		if doc.name != "README.md" && !linked[doc.name] {
			t.Errorf("README.md does not lead to %s", doc.name)
		}
	}
}

func TestCheckLink(t *testing.T) {
	files := map[string]string{"docs/a.md": "# One `x`\n```sh\n# Not one\n```\n## Two words, more\n## Two words, more\n"}
	read := func(name string) (string, error) {
		text, ok := files[name]
		if !ok {
			return "", os.ErrNotExist
		}
		return text, nil
	}
	from := document{"docs/a.md", files["docs/a.md"]}
	for target, ok := range map[string]bool{
		"a.md": true, "../docs/a.md": true, "a.md#one-x": true, "#two-words-more": true, "#two-words-more-1": true,
		"b.md": false, "../../x.md": false, "#not-one": false, "a.md#three": false,
	} {
		if err := checkLink(from, target, read); (err == nil) != ok {
			t.Errorf("%s: %v, want ok %t", target, err, ok)
		}
	}
}
