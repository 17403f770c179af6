package wire

import (
	"bytes"
	"encoding/base64"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseBinary(t *testing.T) {
	for text, want := range map[string]Binary{
		"aGVsbG8=":                              {Data: []byte("hello")},
		"aGVsbG8":                               {Data: []byte("hello")},
		"-_-_":                                  {Data: []byte{0xfb, 0xff, 0xbf}},
		"aGVs\r\nbG8=\n":                        {Data: []byte("hello")},
		"":                                      {Data: []byte{}},
		"data:image/png;base64,iVBORw==":        {Data: []byte("\x89PNG"), Media: "image/png"},
		"data:image/png;name=a.png;base64,iVBO": {Data: []byte("\x89PN"), Media: "image/png", Filename: "a.png"},
		"data:,a%20b+c":                         {Data: []byte("a b+c")},
		"DATA:;charset=utf-8,%C3%A9":            {Data: []byte("é"), Media: "text/plain; charset=utf-8"},
	} {
		got, err := ParseBinary(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
	for _, text := range []string{"not base64!", "a", "data:image/png;base64,!", "data:png,x", "data:text/plain,%zz", "data:text/plain"} {
		if got, err := ParseBinary(text); err == nil {
			t.Errorf("%q gave %+v", text, got)
		}
	}
}

func FuzzParseBinary(f *testing.F) {
	f.Add("data:image/png;name=p;base64,iVBORw==")
	f.Add("aGVsbG8=")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseBinary(text)
		if err != nil {
			return
		}
		again, err := ParseBinary(base64.StdEncoding.EncodeToString(got.Data))
		if err != nil || !bytes.Equal(again.Data, got.Data) {
			t.Errorf("%q gave %q, and that %q (%v)", text, got.Data, again.Data, err)
		}
		if !headerText(got.Media) {
			t.Errorf("the type %q can be in no header", got.Media)
		}
	})
}
