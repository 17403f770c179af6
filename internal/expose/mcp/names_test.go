package mcp

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHostNames(t *testing.T) {
	long := strings.Repeat("a", 82)
	for _, c := range []struct {
		name        string
		form        nameForm
		names, want []string
	}{
		{"accepted names stay", propertyNames, []string{"InteractionSid", "_private", "a.b-c_d", "9"}, []string{"InteractionSid", "_private", "a.b-c_d", "9"}},
		{"a tool's name has no dot", toolNames, []string{"twilio-fetch", "a.b", "get thing!", "über"}, []string{"twilio-fetch", "a_b", "get_thing", "ber"}},
		{
			"what is not allowed is an underscore, or nothing at the ends", propertyNames,
			[]string{"$select", "filter[x]", "@id", "a\n     required", "DateCreated<", "naïve"},
			[]string{"select", "filter_x", "id", "a______required", "DateCreated", "na_ve"},
		},
		{"an accepted name is not taken away", propertyNames, []string{"$select", "select", "@select"}, []string{"select_e1e2eacf", "select", "select_15179ab4"}},
		{"of two that become equal, the first has the plain name", propertyNames, []string{"$a", "@a", "a!"}, []string{"a", "a_5e75a6ff", "a_242ed538"}},
		{"a name given twice", toolNames, []string{"a", "a", "a"}, []string{"a", "a_ca978112", "a_a80c8a67"}},
		{
			"long names are cut", toolNames,
			[]string{long, long + "b", long[:64]},
			[]string{long[:55] + "_f5854359", long[:55] + "_59d95161", long[:64]},
		},
		{"nothing is left", propertyNames, []string{"", "日本", "$", "_"}, []string{"e3b0c442", "cf2abf0c", "09fc9608", "_"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.want, hostNames(c.names, c.form)); d != "" {
				t.Errorf("names (-want +got):\n%s", d)
			}
		})
	}
}

// Whatever the names are, hosts accept what is made of them, and can tell them apart.
func FuzzHostNames(f *testing.F) {
	f.Add("$select,select,_select,select_06efb28d", true)
	f.Add(strings.Repeat("a", 82)+","+strings.Repeat("a", 83)+",,", false)
	f.Fuzz(func(t *testing.T, list string, properties bool) {
		form, accepted := toolNames, regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
		if properties {
			form, accepted = propertyNames, regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)
		}
		names := strings.Split(list, ",")
		got := hostNames(names, form)
		if again := hostNames(names, form); !slices.Equal(got, again) {
			t.Errorf("%q, then %q", got, again)
		}
		seen := map[string]bool{}
		for i, name := range got {
			if !accepted.MatchString(name) || seen[name] {
				t.Errorf("%q becomes %q", names[i], name)
			}
			if accepted.MatchString(names[i]) && name != names[i] && !slices.Contains(names[:i], names[i]) {
				t.Errorf("%q was accepted and became %q", names[i], name)
			}
			seen[name] = true
		}
	})
}
