package template

import (
	"encoding/xml"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzXML puts any text into an attribute and into an element: a parser reads
// the text back, and no more.
func FuzzXML(f *testing.F) {
	f.Add("a & <b> \"c\" 'd'")
	f.Add("]]>\r\n\x00\ufffe")
	f.Fuzz(func(t *testing.T, text string) {
		escaped := string(AppendXML(nil, text))
		var got struct {
			Attribute string `xml:"a,attr"`
			Text      string `xml:",chardata"`
		}
		if err := xml.Unmarshal([]byte(`<x a="`+escaped+`">`+escaped+`</x>`), &got); err != nil {
			t.Fatalf("%q: %v", escaped, err)
		}
		want := strings.Map(func(r rune) rune {
			if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
				return utf8.RuneError
			}
			return r
		}, text)
		if got.Text != want {
			t.Errorf("%q arrived as %q", want, got.Text)
		}
	})
}

func TestSPARQLString(t *testing.T) {
	if got := string(SPARQLString.AppendText(nil, "a\"'\\\n\r}")); got != `a\"\'\\\n\r}` {
		t.Errorf("got %s", got)
	}
}
