package spec

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"patchbay/internal/diag"
)

const head = "naftiko: 1.0.0-alpha2\ninfo: {label: x, tags: [t]}\n"

func only(t *testing.T, list diag.List, code diag.Code, words string) {
	t.Helper()
	if len(list) != 1 || list[0].Code != code || !strings.Contains(list[0].Message, words) {
		t.Errorf("findings %+v, want one %s with %q", list, code, words)
	}
}

func TestSizeIsBounded(t *testing.T) {
	_, list := Load("f", make([]byte, MaxSize+1))
	only(t, list, CodeLimitExceeded, "at most 16777216")

	if raceEnabled {
		return // the rest is slow with it
	}
	// A file of the largest size is read.
	source := []byte(head + "capability: {}\n# ")
	source = append(source, bytes.Repeat([]byte("x"), MaxSize-len(source))...)
	if _, list := Load("f", source); len(list) > 0 {
		t.Errorf("findings %+v", list)
	}
}

func TestNodesAreBounded(t *testing.T) {
	_, list := Load("f", []byte(head+"x-y: ["+strings.Repeat("a,", maxMarks)+"]\n"))
	only(t, list, CodeLimitExceeded, "1500000 values")
}

func TestListsAreBounded(t *testing.T) {
	source := head + "capability: {exposes: [{type: mcp, namespace: m, tools: [" + strings.Repeat("{},", maxObjects+1) + "]}]}\n"
	doc, list := Load("f", []byte(source))
	only(t, list, CodeLimitExceeded, "200000 entries")
	if n := len(doc.Exposes[0].Tools); n > 0 {
		t.Errorf("%d tools are read", n)
	}
}

// Errors cannot be pushed out of the list by warnings before them.
func TestFindingsAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString(head)
	for i := range 3 * maxFindings {
		fmt.Fprintf(&b, "unknown%d: x\n", i)
	}
	b.WriteString("capability: {consumes: [")
	b.WriteString(strings.Repeat("{type: http},", 3*maxFindings))
	b.WriteString("]}\n")
	_, list := Load("f", []byte(b.String()))
	counts := fmt.Sprint(diag.ByCode(list))
	want := fmt.Sprintf("[{missing-field error %d 1} {unknown-key warning %d 1} {too-many-findings note 2 1}]", maxFindings, maxFindings)
	if counts != want {
		t.Errorf("findings %s, want %s", counts, want)
	}
}

func TestLargeFile(t *testing.T) {
	var b strings.Builder
	b.WriteString(head + "capability:\n  exposes:\n  - type: mcp\n    namespace: m\n    tools:\n")
	const tools = 5000
	for i := range tools {
		fmt.Fprintf(&b, "    - name: tool-%d\n      description: %s\n      call: a.b\n      with:\n        x: tools.x\n", i, strings.Repeat("text — ", 40))
	}
	if b.Len() < 1_500_000 {
		t.Fatalf("only %d bytes", b.Len())
	}
	doc, list := Load("f", []byte(b.String()))
	if len(list) > 0 || len(doc.Exposes[0].Tools) != tools {
		t.Errorf("%d findings, %d tools", len(list), len(doc.Exposes[0].Tools))
	}
	if last := doc.Exposes[0].Tools[tools-1].Name; last.Value != "tool-4999" || last.Span.Line != 7+5*(tools-1)+1 {
		t.Errorf("last tool %+v", last)
	}
}

// A file on a single line stays linear: places far out are not measured.
func TestOneLongLine(t *testing.T) {
	for _, filler := range []string{"a", "é"} {
		source := `{naftiko: 1.0.0-alpha2, info: {label: x, tags: [t]}, capability: {exposes: [{type: mcp, namespace: m, tools: [` +
			strings.Repeat(`{name: "`+filler+`", description: "`+filler+`"},`, 10_000) + `]}]}}`
		doc, list := Load("f", []byte(source))
		if len(list) > 0 {
			t.Errorf("findings %+v", list[0])
		}
		last := doc.Exposes[0].Tools[9_999].Description
		if last.Value != filler || last.Span.Line != 1 {
			t.Errorf("last description %+v", last)
		}
		measured := last.Span.EndCol > last.Span.Col
		if ascii := filler == "a"; measured != ascii {
			t.Errorf("measured %t in a line of %q", measured, filler)
		}
	}
}

// Files that collectors cut at 32 KiB are told from faulty ones.
func TestCutFile(t *testing.T) {
	whole := head + "capability:\n  consumes:\n" + strings.Repeat("  - {type: http, namespace: abc, description: d, baseUri: 'https://example.com'}\n", 600)
	_, list := Load("f", []byte(whole[:32<<10]))
	only(t, list, CodeNotACapability, "cut off at 32768 bytes")
	// Another cut shows itself by a fault on a last line without an end.
	at := strings.LastIndex(whole[:20_000], "'https") + 4
	_, list = Load("f", []byte(whole[:at]))
	only(t, list, CodeNotACapability, "cut off")
}
