package dialect

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestDialect21ThousandTools serves a file as large as the largest in public:
// 1,158 tools in 1.8 MB. The list comes in pages that leave nothing out, and
// the last tool runs like the first.
func TestDialect21ThousandTools(t *testing.T) {
	const tools = 1158
	var operations, exposed strings.Builder
	filler := strings.Repeat("A description as long as those of generated files are. ", 22)
	for i := range tools {
		fmt.Fprintf(&operations, "      - {name: op-%04d, method: GET, path: '/things/%04d/{id}', description: '%s', inputParameters: [{name: id, in: path, description: Which one}]}\n", i, i, filler)
		fmt.Fprintf(&exposed, "    - {name: op-%04d, description: Number %d, call: api.op-%04d, with: {id: tools.id}, outputParameters: [{type: object, mapping: $.}]}\n", i, i, i)
	}
	file := "naftiko: 1.0.0-alpha2\ninfo: {label: Large}\ncapability:\n  consumes:\n  - type: http\n    namespace: api\n    baseUri: https://api.example.com\n" +
		"    resources:\n    - name: things\n      path: /things\n      operations:\n" + operations.String() +
		"  exposes:\n  - type: mcp\n    namespace: tools\n    port: 9090\n    tools:\n" + exposed.String()
	if len(file) < 1_600_000 {
		t.Fatalf("the file has %d bytes; the largest known has 1.8 MB", len(file))
	}
	s := &story{path: "21", archive: &txtar.Archive{Files: []txtar.File{{Name: "capability.yaml", Data: []byte(file)}}}}
	at := serve(t, s, s.files(t))
	seen := map[string]bool{}
	for _, tool := range at.tools(t) {
		seen[tool.Name] = true
	}
	if len(seen) != tools {
		t.Errorf("%d tools are listed, want %d", len(seen), tools)
	}
	for _, n := range []int{0, tools - 1} {
		at.callTool(t, fmt.Sprintf("op-%04d", n), `{"id": "a/b"}`)
		if got, want := at.upstream.take(), fmt.Sprintf("  GET /things/%04d/a%%2Fb\n", n); got != want {
			t.Errorf("tool %d asked %q, want %q", n, got, want)
		}
	}
}

// TestDialect36CutFiles looks at files that a collector cut at 32 KB: inside of
// a line, or with a note.
func TestDialect36CutFiles(t *testing.T) {
	var whole strings.Builder
	whole.WriteString("naftiko: 1.0.0-alpha2\ninfo: {label: Cut}\ncapability:\n  consumes:\n")
	for i := 0; whole.Len() < 40<<10; i++ {
		fmt.Fprintf(&whole, "  - type: http\n    namespace: api-%d\n    baseUri: https://api.example.com\n    description: Number %d\n", i, i)
	}
	const size = 32 << 10
	cut := whole.String()[:size]
	for name, text := range map[string]string{
		"bare":       cut,
		"in a quote": cut[:strings.LastIndex(cut, "  - type")] + "  - {type: 'ht",
		"noted":      cut[:size-4000] + "\n\n# --- truncated at 32 KB (96 KB total) ---\n# Full source: https://example.com/capability.yaml\n",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "capability.yaml"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		code, said := patchbay(t, dir, nil, "validate", "capability.yaml")
		if code == 0 || !strings.Contains(said, "not a whole capability file: it is cut off at") || !strings.Contains(said, "fetch the whole file") {
			t.Errorf("%s: exit %d\n%s", name, code, said)
		}
	}
}
