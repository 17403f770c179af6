package jsonvalue

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseKeepsWhatWasWritten(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{`{"b":1,"a":[true,null,"x"],"n":9007199254740993}`, `{"b":1,"a":[true,null,"x"],"n":9007199254740993}`},
		{` { "z" : { } , "y" : [ ] , "x" : [[],{}] } `, `{"z":{},"y":[],"x":[[],{}]}`},
		{`"a\u00e9\n\"\\\/"`, `"aé\n\"\\/"`},
		{`1.50e+3`, `1.50e+3`},
		{`[{"a":[1,2,{"b":[3]}]},4]`, `[{"a":[1,2,{"b":[3]}]},4]`},
		{`"😀,{["`, `"😀,{["`},
	} {
		v, err := Parse([]byte(tt.in))
		if err != nil {
			t.Errorf("Parse(%s): %v", tt.in, err)
			continue
		}
		if got := string(v.Append(nil)); got != tt.want {
			t.Errorf("Parse(%s) = %s, want %s", tt.in, got, tt.want)
		}
	}
}

func TestParseExplainsWhatIsWrong(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"empty", ``, "line 1, column 1: empty"},
		{"cut", `{"a":`, "line 1, column 6: "},
		{"trailing", `{} {}`, "more data after the end of the value"},
		{"duplicate", "{\"a\":1,\n \"a\":2}", `the name "a" occurs twice in one object`},
		{"bad literal", "{\n  \"a\": nope}", "line 2, column "},
		{"utf-8", "\"\xff\"", "UTF-8"},
		{"deep", strings.Repeat("[", 200) + strings.Repeat("]", 200), "nested deeper than 128 levels"},
	} {
		_, err := Parse([]byte(tt.in))
		if _, ok := errors.AsType[*SyntaxError](err); !ok {
			t.Errorf("%s: got %v, want a syntax error", tt.name, err)
			continue
		}
		if !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %q, want it to contain %q", tt.name, err, tt.want)
		}
	}
}

func TestCheckLetsDuplicatesThrough(t *testing.T) {
	if err := Check([]byte(`{"a":1,"a":2}`)); err != nil {
		t.Errorf("Check: %v", err)
	}
	if err := Check([]byte(`{"a":1`)); err == nil {
		t.Error("Check accepted a cut object")
	}
}

func TestEqual(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{`{"a":1,"b":2}`, `{"b":2,"a":1.0}`, true},
		{`[1,2]`, `[2,1]`, false},
		{`1`, `true`, false},
		{`9007199254740993`, `9007199254740992`, false},
		{`9007199254740993.0`, `9007199254740993`, true},
		{`1e400`, `2e400`, false},
		{`1e400`, `10e399`, true},
		{`0`, `-0.0e5`, true},
		{`123456789012345678901`, `123456789012345678902`, false},
		{`1.20`, `12e-1`, true},
		{`0.5`, `5e-1`, true},
	} {
		a, _ := Parse([]byte(tt.a))
		b, _ := Parse([]byte(tt.b))
		if got := Equal(&a, &b); got != tt.want {
			t.Errorf("Equal(%s, %s) = %v", tt.a, tt.b, got)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, tt := range []struct {
		in      string
		integer bool
		n       int64
		ok      bool
	}{
		{"3", true, 3, true},
		{"3.0", true, 3, true},
		{"1e3", true, 1000, true},
		{"3.5", false, 0, false},
		{"123456789012345678901234567890", true, 0, false},
		{"-7", true, -7, true},
		{"9007199254740993.0", true, 9007199254740993, true},
		{"1e-400", false, 0, false},
		{"1e400", true, 0, false},
		{"-0.0", true, 0, true},
		{"9223372036854775807e0", true, 9223372036854775807, true},
		{"9223372036854775808e0", true, 0, false},
		{"12.5e1", true, 125, true},
	} {
		v, ok := NumberOf(tt.in)
		if !ok {
			t.Fatalf("NumberOf(%s) refused", tt.in)
		}
		n, okInt := v.Int()
		if v.IsInteger() != tt.integer || n != tt.n || okInt != tt.ok {
			t.Errorf("%s: integer %v, Int %d %v", tt.in, v.IsInteger(), n, okInt)
		}
	}
	for _, bad := range []string{"", "-", "01", "1.", ".5", "1e", "0x1", "NaN", "1 "} {
		if _, ok := NumberOf(bad); ok {
			t.Errorf("NumberOf(%q) accepted", bad)
		}
	}
}

func TestAppendStringMatchesStandardLibrary(t *testing.T) {
	for _, s := range []string{"", "plain", "\"\\\n\r\t\x00\x1f", "é😀", "a\xffb", "\u2028"} {
		var back string
		if err := json.Unmarshal(AppendString(nil, s), &back); err != nil {
			t.Errorf("%q: %v", s, err)
			continue
		}
		if want := strings.ToValidUTF8(s, "\uFFFD"); back != want {
			t.Errorf("%q came back as %q", s, back)
		}
	}
}

func TestParseAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	body := []byte(`{"Channel":{"type":"web","initiated_by":"api","participants":[{"identity":"v"}]},"Routing":{"properties":{"a":"b"}}}`)
	if got := testing.AllocsPerRun(100, func() {
		if _, err := Parse(body); err != nil {
			t.Fatal(err)
		}
	}); got > 3 {
		t.Errorf("Parse allocates %v times, want at most 3", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"a":[1,{"b":null}],"c":"\ud83d\ude00"}`, `[]`, `"x"`, `{"a":1,"a":2}`, `[,]`, `{"":{"":[]}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := Parse(data)
		if err != nil {
			return
		}
		once := v.Append(nil)
		again, err := Parse(once)
		if err != nil {
			t.Fatalf("own output %q does not parse: %v", once, err)
		}
		if diff := cmp.Diff(string(once), string(again.Append(nil))); diff != "" {
			t.Errorf("not stable: %s", diff)
		}
		if !Equal(&v, &again) {
			t.Errorf("%q and its own output differ", data)
		}
	})
}
