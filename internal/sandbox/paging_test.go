package sandbox_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"patchbay/internal/sandbox"
)

const seedChannels = "/v1/Interactions/" + sandbox.SeedInteraction + "/Channels"

func channelSIDs(a answer) []string {
	var sids []string
	list, _ := a.at("channels").([]any)
	for _, ch := range list {
		m, _ := ch.(map[string]any)
		sids = append(sids, answer{body: m}.str("sid"))
	}
	return sids
}

// seedRange are the seeded channels from..to, counted from 1.
func seedRange(from, to int) []string {
	var sids []string
	for n := from; n <= to; n++ {
		sids = append(sids, fmt.Sprintf("UO5eed%028x", n))
	}
	return sids
}

func TestOnePage(t *testing.T) {
	c := start(t, sandbox.Options{})
	base := c.url + seedChannels
	ch := base + "/" + sandbox.SeedChannel
	want := map[string]any{
		"channels": []any{map[string]any{
			"sid": sandbox.SeedChannel, "interaction_sid": sandbox.SeedInteraction, "type": "web",
			"status": "active", "error_code": nil, "error_message": nil, "url": ch,
			"links": map[string]any{"participants": ch + "/Participants", "invites": ch + "/Invites", "transfers": ch + "/Transfers"},
		}},
		"meta": map[string]any{
			"page": 0.0, "page_size": 50.0, "key": "channels",
			"first_page_url": base + "?PageSize=50&Page=0", "url": base + "?PageSize=50&Page=0",
			"previous_page_url": nil, "next_page_url": nil,
		},
	}
	if diff := cmp.Diff(want, c.get(seedChannels).body); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
}

func TestPagesForwardAndBack(t *testing.T) {
	c := start(t, sandbox.Options{SeedChannels: 7})
	pages := [][]string{seedRange(1, 3), seedRange(4, 6), seedRange(7, 7)}
	a := c.get(seedChannels + "?PageSize=3")
	for n, want := range pages {
		if diff := cmp.Diff(want, channelSIDs(a)); diff != "" {
			t.Errorf("page %d (-want +got):\n%s", n, diff)
		}
		if got := a.at("meta", "page"); got != float64(n) {
			t.Errorf("page %d calls itself %v", n, got)
		}
		if n < len(pages)-1 {
			a = c.get(a.str("meta", "next_page_url"))
		}
	}
	if next := a.at("meta", "next_page_url"); next != nil {
		t.Errorf("after the last page: %v", next)
	}
	for n := len(pages) - 2; n >= 0; n-- {
		a = c.get(a.str("meta", "previous_page_url"))
		if diff := cmp.Diff(pages[n], channelSIDs(a)); diff != "" {
			t.Errorf("back on page %d (-want +got):\n%s", n, diff)
		}
	}
	if previous := a.at("meta", "previous_page_url"); previous != nil {
		t.Errorf("before the first page: %v", previous)
	}
	if again := c.get(a.str("meta", "url")); again.text != a.text {
		t.Errorf("meta.url leads elsewhere:\n%s\n%s", a.text, again.text)
	}
}

// A client that counts Page but loses the token stays where it is, and says so.
func TestPageWithoutTokenDoesNotMove(t *testing.T) {
	c := start(t, sandbox.Options{SeedChannels: 4})
	a := c.get(seedChannels + "?PageSize=2&Page=1")
	if diff := cmp.Diff(seedRange(1, 2), channelSIDs(a)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := a.at("meta", "page"); got != 1.0 {
		t.Errorf("page %v", got)
	}
}

func TestPageSizes(t *testing.T) {
	c := start(t, sandbox.Options{SeedChannels: 1001})
	for query, want := range map[string]int{"": 50, "?PageSize=": 50, "?PageSize=1": 1, "?PageSize=1000": 1000, "?pagesize=3": 50} {
		if got := len(channelSIDs(c.get(seedChannels + query))); got != want {
			t.Errorf("%q: %d channels, want %d", query, got, want)
		}
	}
}

func TestPagingRefuses(t *testing.T) {
	c := start(t, sandbox.Options{SeedChannels: 3})
	for query, want := range map[string]struct {
		code    int
		message string
	}{
		"PageSize=0":                             {20001, "Invalid PageSize."},
		"PageSize=1001":                          {20001, "Invalid PageSize."},
		"PageSize=ten":                           {20001, "Invalid PageSize."},
		"PageSize=9999999999999999999":           {20001, "Invalid PageSize."},
		"Page=-1":                                {20001, "Invalid Page."},
		"Page=1.5":                               {20001, "Invalid Page."},
		"PageToken=x":                            {21481, "Invalid PageToken"},
		"PageToken=PA" + sandbox.SeedInteraction: {21481, "Invalid PageToken"},
		"PageToken=XX" + sandbox.SeedChannel:     {21481, "Invalid PageToken"},
		"PageToken=PB" + sandbox.SeedChannel:     {21481, "Invalid PageToken"}, // before the first
		"PageToken=PAUO5eed0000000000000000000000000003":      {21481, "Invalid PageToken"}, // after the last
		"PageToken=PAUO5eed0000000000000000000000000001%20":   {21481, "Invalid PageToken"},
		"PageSize=1&PageToken=PAUO5EED0000000000000000000001": {21481, "Invalid PageToken"},
	} {
		t.Run(query, func(t *testing.T) {
			wantError(t, c.get(seedChannels+"?"+query), http.StatusBadRequest, want.code, want.message)
		})
	}
}

func TestSubListsPage(t *testing.T) {
	c := start(t, sandbox.Options{})
	for _, event := range []string{"leave", "reply", "accept", "leave", "reply"} {
		if status := c.event(sandbox.SeedChannel, event); status != http.StatusOK {
			t.Fatalf("%s: %d", event, status)
		}
	}
	for list, want := range map[string]int{"Invites": 3, "Participants": 1} {
		seen := map[string]bool{}
		key := map[string]string{"Invites": "invites", "Participants": "participants"}[list]
		next := seedChannels + "/" + sandbox.SeedChannel + "/" + list + "?PageSize=1"
		for pages := 0; next != "" && pages <= want; pages++ {
			a := c.get(next)
			items, _ := a.at(key).([]any)
			if len(items) != 1 || a.str("meta", "key") != key {
				t.Fatalf("%s: %s", list, a.text)
			}
			m, _ := items[0].(map[string]any)
			seen[answer{body: m}.str("sid")] = true
			next = a.str("meta", "next_page_url")
		}
		if len(seen) != want {
			t.Errorf("%s: %d items, want %d", list, len(seen), want)
		}
	}
}
