package profile

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"patchbay/capabilities"
)

func load(t *testing.T) *Set {
	t.Helper()
	s, err := Load(capabilities.Profiles().Data)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFor(t *testing.T) {
	s := load(t)
	for _, tt := range []struct{ address, want string }{
		{"https://flex-api.twilio.com/v1", "twilio"},
		{"https://FLEX-API.twilio.com", "twilio"},
		{"https://api.dublin.ie1.twilio.com", "twilio"},
		{"https://twilio.com", ""},
		{"https://eviltwilio.com", ""},
		{"https://api.sendgrid.com/v3", "sendgrid"},
		{"not an address", ""},
	} {
		got := ""
		if p := s.For(tt.address); p != nil {
			got = p.Name
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.address, got, tt.want)
		}
	}
}

func TestBodyMedia(t *testing.T) {
	twilio := load(t).For("https://flex-api.twilio.com")
	for _, tt := range []struct{ server, path, want string }{
		{"https://flex-api.twilio.com/v1", "/Interactions", "application/x-www-form-urlencoded"},
		{"https://flex-api.twilio.com/v1", "/Configuration", "application/json"},
		{"https://flex-api.twilio.com/v1", "/Interactions/{I}/Channels/{C}/Transfers", "application/json"},
		{"https://content.twilio.com", "/v1/Content", "application/json"},
	} {
		if got := twilio.BodyMedia(tt.server, tt.path); got != tt.want {
			t.Errorf("%s%s: %s, want %s", tt.server, tt.path, got, tt.want)
		}
	}
	var none *Profile
	if none.BodyMedia("https://x", "/") != "" || none.Unprocessed(429) {
		t.Error("no profile has conventions")
	}
}

func TestExplain(t *testing.T) {
	s := load(t)
	twilio, sendgrid := s.For("https://flex-api.twilio.com"), s.For("https://api.sendgrid.com")
	got := twilio.Explain(404, []byte(`{"code":20404,"message":"not found","more_info":"https://x","status":404}`))
	want := Problem{Code: "20404", Message: "not found", MoreInfo: "https://x", Advice: "Check the SID, that it belongs to this account, and the exact case of the path."}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := sendgrid.Explain(400, []byte(`{"errors":[{"message":"bad","field":"from","help":null}]}`)); got.Message != "bad" || got.Field != "from" || got.Advice == "" {
		t.Errorf("got %+v", got)
	}
	if got := twilio.Explain(502, []byte(`<html>`)); got.Message != "" || got.Advice == "" {
		t.Errorf("got %+v", got)
	}
}

func TestLoadIsStrict(t *testing.T) {
	for _, bad := range []string{"profiles:\n- {name: x, hosts: [a], body: {default: form}, surprise: 1}", "profiles:\n- {name: x, body: {default: xml}}"} {
		if _, err := Load([]byte(bad)); err == nil {
			t.Errorf("accepted: %s", bad)
		}
	}
}
