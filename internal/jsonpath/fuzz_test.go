package jsonpath

import (
	"errors"
	"testing"
	"unicode/utf8"

	"patchbay/internal/jsonvalue"
)

// Nothing panics; errors point into the text; what is valid by the RFC is also
// valid to the lenient compiler and selects the same.
func FuzzCompile(f *testing.F) {
	for _, seed := range []string{
		"$", "$.", "$.a.b", "a-b.c d", "$['a',\"b\",0,-1,1:2:3,::-1,*]", "$..*", "$..['a']",
		"$[?@.a == 'x' && !(@.b < 1.5e3 || $.c)]", "$[?length(@.a) >= count($..b)]", "$[?match(@.a, 'a.[.]{2}') || search(@.b, $.c)]",
		"$[?value(@..a) == null]", `$["\ud83d\ude00\n\/"]`, "$[?@ == -0 ]", "[0]", "@id",
	} {
		f.Add(seed, `{"a":[1,{"b":"x"},null],"b":"x","c":"x|y"}`)
	}
	f.Fuzz(func(t *testing.T, text, document string) {
		doc, err := jsonvalue.ParseString(document)
		if err != nil || len(document) > 1000 {
			doc = parse(t, `{"a":[1,2,{"a":"b"}]}`)
		}
		strict, strictErr := Compile(text)
		lenient, lenientErr := CompileLenient(text)
		for _, err := range []error{strictErr, lenientErr} {
			if err == nil {
				continue
			}
			fault, ok := errors.AsType[*Error](err)
			if !ok || fault.Col < 1 || fault.Col > utf8.RuneCountInString(text)+1 || fault.Message == "" {
				t.Fatalf("%q: error %#v", text, err)
			}
		}
		if strictErr == nil && lenientErr != nil {
			t.Fatalf("%q is valid, but not to the lenient compiler: %v", text, lenientErr)
		}
		if lenientErr != nil {
			return
		}
		got, err := lenient.Query(&doc)
		one, ok := lenient.One(&doc)
		if lenient.Singular() && (len(got) > 1 || ok != (len(got) == 1) || ok && one != got[0]) {
			t.Fatalf("%q: One gives %v %v, Query %d values", text, one, ok, len(got))
		}
		if lenient.Identity() && (len(got) != 1 || got[0] != &doc) {
			t.Fatalf("%q: identity, but selects %v", text, texts(got))
		}
		if strictErr != nil {
			return
		}
		same, sameErr := strict.Query(&doc)
		if !errors.Is(err, sameErr) || len(same) != len(got) {
			t.Fatalf("%q: strict %v %v, lenient %v %v", text, texts(same), sameErr, texts(got), err)
		}
		for i := range same {
			if same[i] != got[i] {
				t.Fatalf("%q: strict and lenient differ at %d", text, i)
			}
		}
	})
}
