package template

import (
	"net/url"
	"testing"
)

func TestEscapesAgreeWithStandardLibrary(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	if got, err := url.PathUnescape(string(AppendSegment(nil, all))); got != string(all) {
		t.Errorf("segment: got %q, %v", got, err)
	}
	if got, err := url.QueryUnescape(string(AppendForm(nil, string(all)))); got != string(all) {
		t.Errorf("form: got %q, %v", got, err)
	}
	if got, ok := DecodeSegment(string(AppendSegment(nil, all))); got != string(all) || !ok {
		t.Errorf("decoded: got %q, %v", got, ok)
	}
	if got := string(AppendSegment(nil, "-._~aZ09!*'()")); got != "-._~aZ09%21%2A%27%28%29" {
		t.Errorf("segment: got %s", got)
	}
}

func TestAppendLiteral(t *testing.T) {
	for in, want := range map[string]string{
		"/a/b.json?x=1&y=$z":    "/a/b.json?x=1&y=$z",
		"/a b/é":                "/a%20b/%C3%A9",
		"/%2f%zz%":              "/%2f%25zz%25",
		"/a#b[c]{d}|\"<>\\^`\n": "/a%23b%5Bc%5D%7Bd%7D%7C%22%3C%3E%5C%5E%60%0A",
	} {
		got := string(AppendLiteral(nil, in))
		if got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
		if again := string(AppendLiteral(nil, got)); again != got {
			t.Errorf("%q: encoded twice it is %s", in, again)
		}
	}
}

func TestDecodeSegment(t *testing.T) {
	for _, tt := range []struct {
		in, want string
		ok       bool
	}{
		{"", "", true},
		{"a+b", "a+b", true},
		{"a%20b%2Fc%2f", "a b/c/", true},
		{"%C3%A9%ff", "é\xff", true},
		{"%", "", false},
		{"a%2", "", false},
		{"%g0", "", false},
		{"%0g", "", false},
	} {
		if got, ok := DecodeSegment(tt.in); got != tt.want || ok != tt.ok {
			t.Errorf("%q: got %q, %v", tt.in, got, ok)
		}
	}
	if n := testing.AllocsPerRun(100, func() { DecodeSegment("KDaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa") }); n != 0 {
		t.Errorf("%v allocations for a plain segment, want none", n)
	}
}

func TestHasDotSegment(t *testing.T) {
	for path, want := range map[string]bool{
		"": false, "/": false, "/a/b": false, "/a.b/..c": false, "/...": false, "/a/.json": false, "/%2e%2ea": false, "/a?x=/../": false,
		".": true, "..": true, "/a/..": true, "/./b": true, "/%2e/b": true, "/a/.%2E": true, "/a/%2e.?x": true, "../a": true,
	} {
		if got := HasDotSegment(path); got != want {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
}
