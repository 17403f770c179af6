package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twilio/twilio-go/client"
	flex "github.com/twilio/twilio-go/rest/flex/v1"
)

// redirect makes a client that insists on https://flex-api.twilio.com speak to
// another address. It has to rewrite every request, because paging continues
// at the absolute URL that the simulator names.
type redirect struct {
	to *url.URL
	// lower maps the provider's paths to those of the REST adapter, which the
	// capability file declares in lower case. The SIDs keep their case.
	lower bool
}

func (r redirect) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.URL.Scheme, req.URL.Host, req.Host = r.to.Scheme, r.to.Host, r.to.Host
	if r.lower {
		req.URL.Path = strings.NewReplacer("/v1/Interactions", "/v1/interactions", "/Channels", "/channels").Replace(req.URL.Path)
	}
	return http.DefaultTransport.RoundTrip(req)
}

func flexService(t *testing.T, base string, lower bool) *flex.ApiService {
	t.Helper()
	to, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	c := &client.Client{
		// twilio-go refuses anything but letters and digits before it sends.
		Credentials: client.NewCredentials("ACe2e", "alphanumeric1"),
		HTTPClient:  &http.Client{Transport: redirect{to, lower}},
	}
	return flex.NewApiServiceWithClient(c)
}

// TestTwilioGo runs Twilio's Go client against the simulator, which has to be
// indistinguishable from the provider for it, and through the REST adapter,
// which has to take the client's forms and pass the answers on.
func TestTwilioGo(t *testing.T) {
	t.Run("sandbox", func(t *testing.T) {
		p := start(t, nil, "sandbox", "--listen", "127.0.0.1:0", "--setup-delay", "0s")
		service := flexService(t, p.sandbox, false)
		testFlexService(t, service)
		t.Run("Channel encoded twice", func(t *testing.T) {
			_, err := service.CreateInteraction(createParams(encodedTwice))
			if got := restError(t, err); got.Status != 400 || got.Code != 45004 {
				t.Errorf("error %v, want status 400 and code 45004", got)
			}
		})
	})
	t.Run("REST adapter", func(t *testing.T) {
		service := flexService(t, serveSandbox(t).rest, true)
		testFlexService(t, service)
		t.Run("Channel encoded twice", func(t *testing.T) {
			if sid, _ := create(t, service, encodedTwice); !strings.HasPrefix(sid, "KD") {
				t.Errorf("sid %q, want a KD", sid)
			}
		})
	})
}

func testFlexService(t *testing.T, service *flex.ApiService) {
	t.Run("life of an interaction", func(t *testing.T) {
		sid, channel := create(t, service, map[string]any{"type": "web", "initiated_by": "api"})
		fetched, err := service.FetchInteraction(sid)
		if err != nil {
			t.Fatal(err)
		}
		if text(fetched.Sid) != sid || !strings.HasSuffix(text(fetched.Url), "/v1/Interactions/"+sid) {
			t.Errorf("fetch: sid %s, url %s; want those of %s", text(fetched.Sid), text(fetched.Url), sid)
		}
		listed, err := service.ListInteractionChannel(sid, (&flex.ListInteractionChannelParams{}).SetPageSize(1))
		if err != nil {
			t.Fatal(err)
		}
		if len(listed) != 1 || text(listed[0].Sid) != channel {
			t.Errorf("list: %d channels, want only %s", len(listed), channel)
		}
		one, err := service.FetchInteractionChannel(sid, channel)
		if err != nil {
			t.Fatal(err)
		}
		if got := [3]string{text(one.InteractionSid), text(one.Type), text(one.Status)}; got != [3]string{sid, "web", "active"} {
			t.Errorf("channel: %v, want it active", got)
		}
		params := (&flex.UpdateInteractionChannelParams{}).SetStatus("closed").SetRouting(map[string]any{"status": "closed"})
		if one, err = service.UpdateInteractionChannel(sid, channel, params); err != nil {
			t.Fatal(err)
		}
		if text(one.Status) != "closed" {
			t.Errorf("status after the update: %s, want closed", text(one.Status))
		}
		if one, err = service.FetchInteractionChannel(sid, channel); err != nil || text(one.Status) != "closed" {
			t.Errorf("fetch after the update: %v, %v; want status closed", one, err)
		}
	})

	t.Run("seeded interaction", func(t *testing.T) {
		// PageSize is left to the client, which then sends 50.
		page, err := service.PageInteractionChannel(seedInteraction, nil, "", "0")
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Channels) != 1 || text(page.Channels[0].Sid) != seedChannel {
			t.Errorf("channels: %v, want only %s", page.Channels, seedChannel)
		}
		if page.Meta.PageSize != 50 || page.Meta.Key != "channels" || page.Meta.NextPageUrl != nil {
			t.Errorf("meta: %+v, want one page of at most 50 channels", page.Meta)
		}
	})

	t.Run("unknown interaction", func(t *testing.T) {
		_, err := service.FetchInteraction(noInteraction)
		want := &client.TwilioRestError{
			Code: 20404, Status: 404,
			Message:  "The requested resource /Interactions/" + noInteraction + " was not found",
			MoreInfo: "https://www.twilio.com/docs/errors/20404",
		}
		if diff := cmp.Diff(want, restError(t, err)); diff != "" {
			t.Errorf("error (-want +got):\n%s", diff)
		}
	})
}

// encodedTwice is a Channel as a Go string. The client marshals it like any
// other value, so that the form holds JSON in a JSON string: a frequent
// mistake, which the provider refuses and the gateway understands.
const encodedTwice = `{"type":"web","initiated_by":"api"}`

// note holds what an encoder can get wrong: reserved characters, and text beyond ASCII.
const note = "Größe & 50 % + \"x\" = ?"

func createParams(channel any) *flex.CreateInteractionParams {
	return (&flex.CreateInteractionParams{}).SetChannel(channel).SetRouting(map[string]any{
		"properties": map[string]any{
			"workspace_sid": workspaceSID, "workflow_sid": workflowSID, "task_channel_unique_name": "chat",
			"attributes": map[string]any{"note": note},
		},
	})
}

func create(t *testing.T, service *flex.ApiService, channel any) (sid, channelSID string) {
	t.Helper()
	created, err := service.CreateInteraction(createParams(channel))
	if err != nil {
		t.Fatal(err)
	}
	var decoded struct {
		Channel struct{ SID string }
		Routing struct{ Properties struct{ Attributes string } }
	}
	raw, err := json.Marshal(created)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &decoded); err != nil {
		t.Fatal(err)
	}
	sid, channelSID = text(created.Sid), decoded.Channel.SID
	if !strings.HasPrefix(sid, "KD") || !strings.HasPrefix(channelSID, "UO") {
		t.Fatalf("create: %s; want a sid KD… and a channel.sid UO…", raw)
	}
	var attributes struct{ Note string }
	if err := json.Unmarshal([]byte(decoded.Routing.Properties.Attributes), &attributes); err != nil {
		t.Fatal(err)
	}
	if attributes.Note != note {
		t.Errorf("the task's attribute came back as %q, want %q", attributes.Note, note)
	}
	return sid, channelSID
}

// TestTwilioGoPages follows the links of an upstream with three pages through
// the REST adapter. The links name the upstream's own address, as Twilio's do.
func TestTwilioGoPages(t *testing.T) {
	const pages = 3
	var upstream *httptest.Server
	asked := make(chan string, 2*pages)
	upstream = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.RawQuery
		number := 0
		_, _ = fmt.Sscan(r.FormValue("Page"), &number)
		path := upstream.URL + "/v1/Interactions/" + seedInteraction + "/Channels"
		meta := map[string]any{"page": number, "page_size": 1, "key": "channels", "next_page_url": nil}
		if number+1 < pages {
			meta["next_page_url"] = fmt.Sprintf("%s?PageSize=1&Page=%d&PageToken=PAUO%d", path, number+1, number)
		}
		channel := map[string]any{
			"sid": fmt.Sprintf("UO%032d", number), "interaction_sid": seedInteraction,
			"type": "web", "status": "active", "url": fmt.Sprintf("%s/UO%032d", path, number),
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"channels": []any{channel}, "meta": meta})
	}))
	t.Cleanup(upstream.Close)
	p := serve(t, []string{"TWILIO_USER=ACe2e", "TWILIO_PASS=secret"}, "--upstream", "flex-interactions="+upstream.URL+"/v1")

	params := (&flex.ListInteractionChannelParams{}).SetPageSize(1)
	channels, err := flexService(t, p.rest, true).ListInteractionChannel(seedInteraction, params)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range channels {
		got = append(got, text(c.Sid))
	}
	want := []string{fmt.Sprintf("UO%032d", 0), fmt.Sprintf("UO%032d", 1), fmt.Sprintf("UO%032d", 2)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("channels (-want +got):\n%s", diff)
	}
	for _, want := range []string{"PageSize=1", "PageSize=1&Page=1&PageToken=PAUO0", "PageSize=1&Page=2&PageToken=PAUO1"} {
		if got := <-asked; canonical(t, got) != canonical(t, want) {
			t.Errorf("query at the upstream: %s, want %s", got, want)
		}
	}
	if len(asked) > 0 {
		t.Errorf("%d more requests came, beginning with %s", len(asked), <-asked)
	}
}

// canonical sorts a query: its order carries no meaning.
func canonical(t *testing.T, query string) string {
	t.Helper()
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	return values.Encode()
}

func restError(t *testing.T, err error) *client.TwilioRestError {
	t.Helper()
	var rest *client.TwilioRestError
	if !errors.As(err, &rest) {
		t.Fatalf("error %v of type %T, want a *TwilioRestError", err, err)
	}
	return rest
}

func text(s *string) string {
	if s == nil {
		return "<nil>"
	}
	return *s
}
