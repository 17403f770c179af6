package idempotency

import (
	"net/http"
	"strings"
	"testing"

	"patchbay/internal/fault"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/plan"
)

func TestParseKey(t *testing.T) {
	for text, want := range map[string]string{
		"8e03978e-40d5-43dd-bc93-6894a57f9324":   "8e03978e-40d5-43dd-bc93-6894a57f9324",
		`"8e03978e-40d5-43dd-bc93-6894a57f9324"`: "8e03978e-40d5-43dd-bc93-6894a57f9324",
		`"a \"b\" \\"`:                           `a "b" \`, "x": "x", strings.Repeat("x", MaxKey): strings.Repeat("x", MaxKey),
		`a"b`: `a"b`,
		"":    "", `""`: "", `"`: "", `"a`: "", `"a"b"`: "", `"a\"`: "", `"a\n"`: "", "a b": "", "ü": "", "a\x7f": "", "\"a\t\"": "",
		strings.Repeat("x", MaxKey+1): "",
	} {
		got, f := ParseKey(text)
		if got != want || (f == nil) == (want == "") {
			t.Errorf("%q: %q, %v", text, got, f)
		}
		if f != nil && (f.Kind != fault.InvalidInput || len(text) > 2 && strings.Contains(f.Message, text)) {
			t.Errorf("%q: %v", text, f)
		}
	}
}

func FuzzParseKey(f *testing.F) {
	for _, seed := range []string{"a", `"a"`, `"\""`, `"\\"`, "", "\"", "ü"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		key, refused := ParseKey(text)
		if refused != nil {
			return
		}
		quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(key) + `"`
		if again, refused := ParseKey(quoted); refused != nil || again != key {
			t.Errorf("%q gave %q, and quoted %q gave %q (%v)", text, key, quoted, again, refused)
		}
	})
}

// TestFingerprint: what makes another request, and what does not.
func TestFingerprint(t *testing.T) {
	print := func(operation string, values ...string) Print {
		args := &plan.Args{}
		for _, text := range values {
			v := jsonvalue.Value{}
			if text != "" {
				var err error
				if v, err = jsonvalue.ParseString(text); err != nil {
					t.Fatal(err)
				}
			}
			args.Values = append(args.Values, v)
		}
		return fingerprint(operation, args)
	}
	same := [][2]Print{
		{print("a", `{"x":1,"y":[1,2]}`), print("a", ` { "y": [1, 2], "x": 1 } `)},
		{print("a", `"b"`, ""), print("a", `"b"`, "")},
	}
	for i, pair := range same {
		if pair[0] != pair[1] {
			t.Errorf("pair %d differs", i)
		}
	}
	if header := func(name, value string) Print {
		return fingerprint("a", &plan.Args{Header: http.Header{name: {value}}})
	}; header("If-Match", `"1"`) == header("If-Match", `"2"`) || header("If-Match", `"1"`) == header("If-None-Match", `"1"`) || header("Accept-Language", "de") != header("Accept-Language", "fr") {
		t.Error("what a change depends on is not part of the request, or more than that is")
	}
	seen := map[Print]int{}
	for i, p := range []Print{
		print("a"), print("b"), print("a", ""), print("a", "", ""), print("a", `""`), print("a", `null`), print("a", `"null"`), print("a", `1`), print("a", `"1"`),
		print("a", `1.0`), print("a", `true`), print("a", `[]`), print("a", `{}`), print("a", `[[]]`), print("a", `[1,2]`), print("a", `[2,1]`), print("a", `[12]`),
		print("a", `{"x":1}`), print("a", `{"x":2}`), print("a", `{"y":1}`), print("a", `{"x":{"y":1}}`), print("a", `"x"`, `"y"`), print("a", `"xy"`, `""`), print("a", `"y"`, `"x"`),
	} {
		if before, ok := seen[p]; ok {
			t.Errorf("%d and %d are the same", before, i)
		}
		seen[p] = i
	}
}
