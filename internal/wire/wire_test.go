package wire

import (
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"patchbay/internal/jsonvalue"
)

func parse(t *testing.T, text string) jsonvalue.Value {
	t.Helper()
	v, err := jsonvalue.ParseString(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func TestAppendForm(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"scalars", `{"A":"x y","B":true,"C":12.50,"D":null}`, "A=x+y&B=true&C=12.50"},
		{"object is one field of JSON", `{"Channel":{"type":"web","n":9007199254740993}}`, "Channel=%7B%22type%22%3A%22web%22%2C%22n%22%3A9007199254740993%7D"},
		{"array of scalars repeats", `{"E":["a","b&c"]}`, "E=a&E=b%26c"},
		{"array of objects repeats with JSON", `{"P":[{"a":1},"x"]}`, "P=%7B%22a%22%3A1%7D&P=x"},
		{"dots are part of the name", `{"Configuration.Filters":"é"}`, "Configuration.Filters=%C3%A9"},
		{"empty array and null elements send nothing", `{"a":[],"b":[null],"c":"1"}`, "c=1"},
		{"empty form", `{}`, ""},
		{"empty text is a field", `{"a":""}`, "a="},
		{"spaces inside JSON", `{"a":{"b":"c d"}}`, "a=%7B%22b%22%3A%22c+d%22%7D"},
	} {
		v := parse(t, tt.in)
		if got := string(AppendForm(nil, &v)); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestParseForm(t *testing.T) {
	v, err := ParseForm([]byte("b=1&a=x+y%26&b=2&c&&d="))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`{"b":["1","2"],"a":"x y&","c":"","d":""}`, string(v.Append(nil))); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"a=%", "a=%zz", "%2=1", "a=%ff"} {
		if _, err := ParseForm([]byte(bad)); err == nil {
			t.Errorf("ParseForm(%q) accepted", bad)
		}
	}
}

func TestAppendQuery(t *testing.T) {
	for _, tt := range []struct {
		style    QueryStyle
		in, want string
	}{
		{FormExploded, `"a b"`, "p=a%20b"},
		{FormExploded, `["x","y"]`, "p=x&p=y"},
		{FormJoined, `["x","y,z"]`, "p=x,y%2Cz"},
		{SpaceDelimited, `["x","y"]`, "p=x%20y"},
		{PipeDelimited, `["x","y"]`, "p=x%7Cy"},
		{DeepObject, `{"a":1,"b":"2"}`, "p%5Ba%5D=1&p%5Bb%5D=2"},
		{FormExploded, `{"a":1}`, "a=1"},
		{JSONContent, `{"a":1}`, "p=%7B%22a%22%3A1%7D"},
		{FormExploded, `null`, ""},
		{FormExploded, `["x",null,"y"]`, "p=x&p=y"},
		{FormJoined, `[]`, ""},
		{FormJoined, `[null]`, ""},
		{FormJoined, `{"R":100,"G":200,"B":null}`, "p=R,100,G,200"},
		{SpaceDelimited, `{"R":100,"G":200}`, "p=R%20100%20G%20200"},
		{PipeDelimited, `{"R":100}`, "p=R%7C100"},
		{DeepObject, `{"a":{"b":1,"c":[1,2]},"d":null}`, "p%5Ba%5D%5Bb%5D=1&p%5Ba%5D%5Bc%5D=1&p%5Ba%5D%5Bc%5D=2"},
		{DeepObject, `["x","y"]`, "p=x&p=y"},
		{FormExploded, `true`, "p=true"},
	} {
		v := parse(t, tt.in)
		if got := string(AppendQuery(nil, 0, "p", &v, tt.style)); got != tt.want {
			t.Errorf("style %d of %s: got %s, want %s", tt.style, tt.in, got, tt.want)
		}
	}
	one, two := parse(t, `1`), parse(t, `"$"`)
	if got := string(AppendQuery(AppendQuery([]byte("/x?"), 3, "a", &one, 0), 3, "b[c]", &two, 0)); got != "/x?a=1&b%5Bc%5D=%24" {
		t.Errorf("got %s", got)
	}
}

func TestSimple(t *testing.T) {
	for _, tt := range []struct {
		in      string
		explode bool
		want    string
	}{
		{`"a b"`, false, "a b"},
		{`5`, false, "5"},
		{`[3,"four",null,true]`, false, "3,four,true"},
		{`[]`, false, ""},
		{`{"R":100,"G":null,"B":150}`, false, "R,100,B,150"},
		{`{"R":100,"B":150}`, true, "R=100,B=150"},
	} {
		v := parse(t, tt.in)
		if got := Simple(&v, tt.explode); got != tt.want {
			t.Errorf("%s, exploded %t: got %q, want %q", tt.in, tt.explode, got, tt.want)
		}
	}
}

func FuzzForm(f *testing.F) {
	f.Add([]byte(`{"a":"x","b":[1,{"c":"d e"}],"c":{"é":"&=+%"}}`))
	f.Add([]byte(`{"a":" ","b":{"":[]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := jsonvalue.Parse(data)
		if err != nil || v.Kind() != jsonvalue.Object {
			return
		}
		encoded := string(AppendForm(nil, &v))
		// net/url is the oracle: it reads every pair back as it was meant.
		want := url.Values{}
		for _, m := range v.Elems() {
			values := []jsonvalue.Member{{Value: m.Value}}
			if m.Value.Kind() == jsonvalue.Array {
				values = m.Value.Elems()
			}
			for _, e := range values {
				if !e.Value.IsNull() {
					want.Add(m.Name, plain(&e.Value))
				}
			}
		}
		got, err := url.ParseQuery(encoded)
		if err != nil {
			t.Fatalf("%s: %v", encoded, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\n%s", encoded, diff)
		}
	})
}
