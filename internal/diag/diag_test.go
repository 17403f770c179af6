package diag

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func span(line, col, endLine, endCol int) Span {
	return Span{File: "f.yaml", Line: line, Col: col, EndLine: endLine, EndCol: endCol}
}

func TestSpanSub(t *testing.T) {
	for _, tt := range []struct {
		name   string
		s      Span
		off, n int
		want   Span
	}{
		{"inside", span(3, 10, 3, 20), 2, 4, span(3, 12, 3, 16)},
		{"all of it", span(3, 10, 3, 20), 0, 10, span(3, 10, 3, 20)},
		{"past the end", span(3, 10, 3, 20), 8, 4, span(3, 10, 3, 20)},
		{"several lines", span(3, 10, 4, 1), 2, 4, span(3, 10, 4, 1)},
		{"derived", span(3, 10, 3, 10), 0, 1, span(3, 10, 3, 10)},
		{"file only", Span{File: "f.yaml"}, 2, 4, Span{File: "f.yaml"}},
	} {
		if got := tt.s.Sub(tt.off, tt.n); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestSorted(t *testing.T) {
	var list List
	list.Warnf("b", span(2, 1, 2, 2), "second line")
	list.Errorf("a", span(1, 5, 1, 6), "later column")
	list.Notef("c", span(1, 1, 1, 2), "same place, later code")
	list.Notef("a", span(1, 1, 1, 2), "same place")
	list.Notef("a", span(1, 1, 1, 2), "same place")
	list.Notef("z", Span{File: "e.yaml"}, "another file")
	before := len(list)
	var got []string
	for _, d := range list.Sorted() {
		got = append(got, d.Message)
	}
	want := []string{"another file", "same place", "same place, later code", "later column", "second line"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if len(list) != before || list[0].Message != "second line" {
		t.Error("the receiver has changed")
	}
}

func TestStrict(t *testing.T) {
	var list List
	list.Warnf("w", span(1, 1, 1, 2), "warning")
	list.Notef("n", span(1, 1, 1, 2), "note")
	if list.HasErrors() {
		t.Error("there are errors without strict")
	}
	strict := list.Strict()
	if strict.Count(Error) != 1 || strict.Count(Note) != 1 || list.Count(Warning) != 1 {
		t.Errorf("strict %+v, before %+v", strict, list)
	}
}

func TestNearest(t *testing.T) {
	candidates := []string{"description", "inputParameters", "label", "name", "operations", "tags", "type"}
	for name, want := range map[string]string{
		"opertions":        "operations",
		"input-parameters": "inputParameters",
		"INPUT_PARAMETERS": "inputParameters",
		"lable":            "label",
		"tpye":             "type",
		"name":             "",
		"nam":              "name",
		"x":                "",
		"":                 "",
		"banana":           "",
	} {
		if got := Nearest(name, candidates); got != want {
			t.Errorf("Nearest(%q) is %q, want %q", name, got, want)
		}
	}
}

func TestFold(t *testing.T) {
	for name, want := range map[string]string{"": "", "plain": "plain", "ChannelSid": "channelsid", "channel_sid-": "channelsid", "É": "É"} {
		if got := Fold(name); got != want {
			t.Errorf("Fold(%q) is %q, want %q", name, got, want)
		}
	}
}

// The hint about a name that is none of those known has the one that is meant,
// and a list that ends.
func TestWithNearest(t *testing.T) {
	known := []string{"resources", "tools"}
	for name, want := range map[string]string{
		"resuorces": `did you mean "resources"? expected resources, tools`,
		"nonsense":  "expected resources, tools",
	} {
		var d Diagnostic
		if got := d.WithNearest(name, known, "expected ").Hint; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	var d Diagnostic
	if got := d.WithNearest("x", nil, "expected ").Hint; got != "" {
		t.Errorf("with nothing known: %q", got)
	}
	if got := d.WithNearest("x", make([]string, 1000), "expected ").Hint; len(got) > 200 || !strings.HasSuffix(got, ", …") {
		t.Errorf("with much known: %q", got)
	}
}
