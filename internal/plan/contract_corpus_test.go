package plan

import (
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"patchbay/internal/contract"
	"patchbay/internal/openapi"
	"patchbay/internal/spec"
)

// folder parses the documents of a folder under names that tell the folder.
func folder(t testing.TB, dir, ending string) []*openapi.Document {
	t.Helper()
	docs := parseAll(t, shared(t, "contracts", dir), ending)
	for _, d := range docs {
		d.Name = path.Join(dir, d.Name)
	}
	return docs
}

// Twilio's documents have the operations of seven files at another server than
// the files say, and nothing else that could be taken for it; a folder that
// agrees with the files and comes later does not hide that, one that comes first
// decides.
func TestCorpusServers(t *testing.T) {
	files := readAll(t, shared(t, "corpus", "twilio"), ".yaml")
	provider, others := folder(t, "twilio-oai", ".json"), folder(t, "api-evangelist", ".yml")
	contradicted := map[string]int{
		"https://accounts.twilio.com/v1 accounts-auth-tokens.yaml":          3,
		"https://accounts.twilio.com/v1 accounts-credentials.yaml":          4,
		"https://accounts.twilio.com/v1 accounts-safelist.yaml":             3,
		"https://messaging.twilio.com/v1 messaging-alpha-senders.yaml":      2,
		"https://messaging.twilio.com/v1 messaging-messaging-services.yaml": 5,
		"https://messaging.twilio.com/v1 messaging-phone-numbers.yaml":      2,
		"https://messaging.twilio.com/v1 messaging-short-codes.yaml":        2,
	}
	for _, c := range []struct {
		name      string
		documents []*openapi.Document
		want      map[string]int
		total     int
		conflicts bool
	}{
		{"the provider's documents", provider, contradicted, 21, false},
		{"the provider's documents, then others", slices.Concat(provider, others), contradicted, 21, true},
		{"others, then the provider's", slices.Concat(others, provider), map[string]int{}, 0, true},
		{"others alone", others, map[string]int{}, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			opts := Options{Contracts: contract.NewSet(c.documents...), Profiles: profiles(t)}
			got := map[string]int{}
			total, conflicts := 0, 0
			for _, name := range slices.Sorted(maps.Keys(files)) {
				doc, _ := spec.Load(name, files[name])
				p, diags := Compile(doc, opts)
				for _, d := range diags {
					switch d.Code {
					case CodeContractServer:
						total++
						if len(d.Related) != 1 || d.Related[0].Span.Line == 0 || d.Span.Line <= d.Related[0].Span.Line {
							t.Errorf("%s: the finding does not lead to operation and address: %+v", name, d)
						}
					case CodeContractConflict:
						conflicts++
					}
				}
				for _, u := range p.Upstreams {
					for _, use := range u.Contracts() {
						if use.Server != "" {
							got[use.Server+" "+name]++
						}
					}
				}
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("operations at another server (-want +got):\n%s", d)
			}
			if total != c.total {
				t.Errorf("%d findings, want %d", total, c.total)
			}
			if (conflicts > 0) != c.conflicts {
				t.Errorf("documents disagree about %d operations", conflicts)
			}
			t.Logf("documents disagree about %d operations", conflicts)
		})
	}
}

// Bodies of the embedded capability's siblings follow the document that comes
// first; where the later one says otherwise, the note names both.
func TestCorpusConflict(t *testing.T) {
	files := readAll(t, shared(t, "corpus", "twilio"), ".yaml")
	docs := slices.Concat(folder(t, "twilio-oai", ".json"), folder(t, "api-evangelist", ".yml"))
	const name = "flex-interactions.yaml"
	doc, _ := spec.Load(name, files[name])
	_, diags := Compile(doc, Options{Contracts: contract.NewSet(docs...), Profiles: profiles(t)})
	var found []string
	for _, d := range diags {
		if d.Code == CodeContractConflict && strings.Contains(d.Message, "the body is in") {
			found = append(found, d.Message)
		}
	}
	if len(found) != 2 {
		t.Fatalf("%d notes about bodies: %q", len(found), found)
	}
	for _, message := range found {
		for _, part := range []string{
			"twilio-oai/twilio_flex_v1.json", "api-evangelist/twilio-flex-openapi.yml",
			"the body is in application/x-www-form-urlencoded, in the second in application/json",
		} {
			if !strings.Contains(message, part) {
				t.Errorf("%s: lacks %q", message, part)
			}
		}
	}
}
