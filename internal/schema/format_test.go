package schema

import "testing"

func TestFormats(t *testing.T) {
	for name, tt := range map[string]struct{ good, bad []string }{
		"date-time": {
			[]string{"2026-02-28T23:59:60Z", "2026-01-02t03:04:05.123456789z", "2026-01-02T03:04:05-07:30", "2024-02-29T00:00:00.0+00:00"},
			[]string{
				"2026-01-02", "2026-01-02 03:04:05Z", "2026-01-02T03:04:05", "2026-02-29T00:00:00Z", "2026-01-02T24:00:00Z", "2026-01-02T03:04:05.Z",
				"2026-01-02T03:04:05+0700", "2026-01-02T03:04:05.5", "2026-01-02T03:04Z", "2026-01-02T03:04:05+24:00", "",
			},
		},
		"date":  {[]string{"2026-12-31", "2000-02-29"}, []string{"2026-13-01", "2026-04-31", "1900-02-29", "26-01-01", "2026-1-01", "2026/01/01", "2026-00-10", "2026-01-00"}},
		"uri":   {[]string{"https://example.com/a?b#c", "urn:x", "mailto:a@example.com"}, []string{"example.com", "/a", "http://a b", "1a:b", ":a", "http://é"}},
		"uuid":  {[]string{"2eb8aa08-AA98-11ea-b4aa-73b441d16380"}, []string{"2eb8aa08aa9811eab4aa73b441d16380", "2eb8aa08-aa98-11ea-b4aa-73b441d1638g", ""}},
		"email": {[]string{"a@b", "a.b+c@example.com"}, []string{"a", "@b", "a@", "a b@c", "a@.b", "a@b.", "a@b..c"}},
	} {
		s := compiled(t, `{"format":"`+name+`"}`, Options{AssertFormat: true})
		annotation := compiled(t, `{"format":"`+name+`"}`, Options{})
		for _, text := range tt.good {
			if got := violations(t, s, `"`+text+`"`); got != nil {
				t.Errorf("%s: %v", name, got)
			}
		}
		for _, text := range tt.bad {
			if got := violations(t, s, `"`+text+`"`); len(got) != 1 {
				t.Errorf("%s %q: got %v", name, text, got)
			}
			if got := violations(t, annotation, `"`+text+`"`); got != nil {
				t.Errorf("an annotation refuses: %v", got)
			}
		}
	}
	s := compiled(t, `{"format":"hostname"}`, Options{AssertFormat: true})
	if got := violations(t, s, `"not a hostname"`); got != nil {
		t.Errorf("an unknown format refuses: %v", got)
	}
	s = compiled(t, `{"format":"date"}`, Options{AssertFormat: true})
	if got := violations(t, s, `"tomorrow"`); len(got) != 1 || got[0] != ` format: must be a date such as 2006-01-02; got "tomorrow"` {
		t.Errorf("got %v", got)
	}
}
