package doctest

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// rule is a row of the checklist in docs/security.md.
type rule struct{ number, text, how, proof string }

// checklist reads the table below the heading about MCP servers.
func checklist(text string) []rule {
	_, section, _ := strings.Cut(text, "## The rules for MCP servers\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var out []rule
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 6 || strings.HasPrefix(cells[1], "---") || strings.TrimSpace(cells[2]) == "rule" {
			continue
		}
		out = append(out, rule{strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2]), strings.TrimSpace(cells[3]), strings.TrimSpace(cells[4])})
	}
	return out
}

// unproved says what a rule's proof lacks, or "". read gives a file's text.
func unproved(r rule, read func(name string) (string, error)) string {
	link := regexp.MustCompile(`^\[((?:Test|Fuzz)\w+)\]\(([^)]+)\)$`)
	if r.proof == "" {
		if !strings.HasPrefix(r.how, "does not apply: ") {
			return "has neither a test nor a reason"
		}
		return ""
	}
	for one := range strings.SplitSeq(r.proof, ", ") {
		m := link.FindStringSubmatch(one)
		if m == nil {
			return one + " is no link to a test"
		}
		text, err := read(path.Join("docs", m[2]))
		if err != nil {
			return m[2] + " is not there"
		}
		if !strings.Contains(text, "\nfunc "+m[1]+"(") {
			return m[2] + " has no " + m[1]
		}
	}
	return ""
}

// TestSecurityChecklist looks that every rule has a test that exists, or a
// reason why it does not apply.
func TestSecurityChecklist(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) (string, error) {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		return string(text), err
	}
	rules := checklist(string(text))
	if len(rules) < 22 {
		t.Errorf("%d rules", len(rules))
	}
	for _, r := range rules {
		if r.text == "" || r.how == "" {
			t.Errorf("rule %s says nothing", r.number)
		}
		if fault := unproved(r, read); fault != "" {
			t.Errorf("rule %s (%s): %s", r.number, r.text, fault)
		}
	}
}

// TestAttackTable looks that every attack has a test that exists, and every test
// of internal/attack an attack.
func TestAttackTable(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) (string, error) {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		return string(text), err
	}
	_, section, _ := strings.Cut(string(text), "\n## Attacks\n")
	section, _, _ = strings.Cut(section, "\n## ")
	rows := 0
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 5 || strings.HasPrefix(cells[1], "---") || strings.TrimSpace(cells[1]) == "attack" {
			continue
		}
		rows++
		if fault := unproved(rule{how: cells[2], proof: strings.TrimSpace(cells[3])}, read); fault != "" {
			t.Errorf("%s: %s", strings.TrimSpace(cells[1]), fault)
		}
	}
	if rows < 20 {
		t.Errorf("%d attacks", rows)
	}
	files, err := filepath.Glob(filepath.Join(root, "internal", "attack", "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllStringSubmatch(string(text), -1) {
			if m[1] != "TestMain" && !strings.Contains(section, "["+m[1]+"]") {
				t.Errorf("docs/security.md does not name %s", m[1])
			}
		}
	}
}

func TestUnproved(t *testing.T) {
	read := func(name string) (string, error) {
		if name != "internal/a_test.go" {
			return "", os.ErrNotExist
		}
		return "package a\n\nfunc TestA(t *testing.T) {}\n", nil
	}
	for proof, ok := range map[string]bool{
		"[TestA](../internal/a_test.go)": true, "[TestB](../internal/a_test.go)": false, "[TestA](../internal/b_test.go)": false, "somewhere": false, "": false,
	} {
		if got := unproved(rule{how: "somehow", proof: proof}, read); (got == "") != ok {
			t.Errorf("%q: %q", proof, got)
		}
	}
	if got := unproved(rule{how: "does not apply: there is none"}, read); got != "" {
		t.Errorf("a reason: %q", got)
	}
}
