package sandbox_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"patchbay/internal/sandbox"
)

const day = 24 * time.Hour

const agentRouting = `{"properties":{"workspace_sid":"` + workspace + `","queue_sid":"` + queue + `","worker_sid":"` + worker + `"}}`

func TestSetUpTakesItsTime(t *testing.T) {
	clk := newClock()
	c := start(t, sandbox.Options{Now: clk.Now, SetupDelay: 400 * time.Millisecond})
	kd, uo, _ := c.create(webChannel, anyRouting)
	for _, step := range []struct {
		pass time.Duration
		want string
	}{
		{0, "setup"}, {399 * time.Millisecond, "setup"}, {time.Millisecond, "active"}, {time.Hour, "active"},
	} {
		clk.advance(step.pass)
		if got := c.status(kd, uo); got != step.want {
			t.Errorf("after another %v: %s, want %s", step.pass, got, step.want)
		}
	}
}

func TestSetUpWithoutDelay(t *testing.T) {
	c := start(t, sandbox.Options{Now: newClock().Now})
	kd, uo, _ := c.create(webChannel, anyRouting)
	if got := c.status(kd, uo); got != "active" {
		t.Errorf("first GET: %s", got)
	}
}

func TestAgentJoinsWhenSetUpIsDone(t *testing.T) {
	clk := newClock()
	c := start(t, sandbox.Options{Now: clk.Now, SetupDelay: time.Second})
	kd, uo, _ := c.create(`{"type":"sms","initiated_by":"agent","participants":[{"address":"+1","proxy_address":"+2"}]}`, agentRouting)
	if diff := cmp.Diff([]string{"customer"}, c.people(kd, uo)); diff != "" {
		t.Errorf("in set-up (-want +got):\n%s", diff)
	}
	clk.advance(time.Second)
	if diff := cmp.Diff([]string{"customer", "agent"}, c.people(kd, uo)); diff != "" {
		t.Errorf("afterwards (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"assigned"}, c.tasks(kd, uo)); diff != "" {
		t.Errorf("tasks (-want +got):\n%s", diff)
	}
}

// TestTransitions brings a channel into each status, asks for both updates and
// looks at the channel, its task and its people.
func TestTransitions(t *testing.T) {
	const refused = "refused"
	type outcome struct{ lenient, strict string }
	for _, tt := range []struct {
		from     string
		events   []string // after set-up
		delay    time.Duration
		fault    bool
		close    outcome
		inactive outcome
	}{
		{from: "setup", delay: time.Hour, close: outcome{"closed", refused}, inactive: outcome{refused, refused}},
		{from: "active", close: outcome{"closed", "closed"}, inactive: outcome{"inactive", "inactive"}},
		{from: "failed", fault: true, close: outcome{"failed", refused}, inactive: outcome{refused, refused}},
		{from: "inactive", events: []string{"accept", "leave"}, close: outcome{"closed", "closed"}, inactive: outcome{"inactive", refused}},
		{from: "pause", events: []string{"accept", "pause"}, close: outcome{"closed", "closed"}, inactive: outcome{refused, refused}},
		{from: "transfer", events: []string{"accept", "transfer"}, close: outcome{"closed", refused}, inactive: outcome{refused, refused}},
		{from: "closed", events: []string{"close"}, close: outcome{"closed", refused}, inactive: outcome{refused, refused}},
	} {
		for _, strict := range []bool{false, true} {
			for _, want := range []string{"closed", "inactive"} {
				name := tt.from + " to " + want
				expected := tt.close.lenient
				switch {
				case want == "closed" && strict:
					expected = tt.close.strict
				case want == "inactive" && strict:
					expected = tt.inactive.strict
				case want == "inactive":
					expected = tt.inactive.lenient
				}
				if strict {
					name += ", strict"
				}
				t.Run(name, func(t *testing.T) {
					o := sandbox.Options{Now: newClock().Now, SetupDelay: tt.delay, Strict: strict}
					if tt.fault {
						o.Faults = []sandbox.Fault{{Kind: sandbox.FaultFailedSetup}}
					}
					c := start(t, o)
					kd, uo, _ := c.create(webChannel, anyRouting)
					for _, e := range tt.events {
						if e == "close" {
							c.post(channelPath(kd, uo), "Status", "closed")
						} else if status := c.event(uo, e); status != http.StatusOK {
							t.Fatalf("event %s: %d", e, status)
						}
					}
					if got := c.status(kd, uo); got != tt.from {
						t.Fatalf("the channel is %s, want %s", got, tt.from)
					}
					a := c.post(channelPath(kd, uo), "Status", want, "Routing", `{"status":"closed"}`)
					if expected == refused {
						code := map[string]int{"closed": 45360, "inactive": 45379}[want]
						wantError(t, a, http.StatusBadRequest, code,
							"The channel is in status "+tt.from+" and cannot become "+want)
						expected = tt.from
					} else if a.status != http.StatusOK || a.str("status") != expected {
						t.Errorf("update: %d %s", a.status, a.text)
					}
					if got := c.status(kd, uo); got != expected {
						t.Errorf("afterwards %s, want %s", got, expected)
					}
				})
			}
		}
	}
}

func TestUpdateMovesTheTasks(t *testing.T) {
	for _, tt := range []struct {
		name   string
		events []string
		form   []string
		tasks  []string
		people []string
	}{
		{"accepted, closed", []string{"accept"}, []string{"Status", "closed"}, []string{"wrapping"}, []string{"customer", "agent"}},
		{
			"accepted, closed with Routing",
			[]string{"accept"},
			[]string{"Status", "closed", "Routing", `{"status":"closed"}`},
			[]string{"completed"},
			[]string{"customer", "agent"},
		},
		{
			"accepted, closed with empty Routing",
			[]string{"accept"},
			[]string{"Status", "closed", "Routing", `{}`},
			[]string{"wrapping"},
			[]string{"customer", "agent"},
		},
		{"pending, closed", nil, []string{"Status", "closed"}, []string{"canceled"}, []string{"customer"}},
		{
			"parked",
			[]string{"accept"},
			[]string{"Status", "inactive", "Routing", `{"status":"closed"}`},
			[]string{"completed"},
			[]string{"customer"},
		},
		{
			"cancelled, closed",
			[]string{"cancel"},
			[]string{"Status", "closed", "Routing", `{"status":"closed"}`},
			[]string{"canceled"},
			[]string{"customer"},
		},
		{
			"paused and resumed, closed",
			[]string{"accept", "pause", "resume"},
			[]string{"Status", "closed"},
			[]string{"wrapping"},
			[]string{"customer", "agent"},
		},
		{
			"transferred, closed",
			[]string{"accept", "transfer", "transferred"},
			[]string{"Status", "closed"},
			[]string{"wrapping"},
			[]string{"customer", "agent"},
		},
		{
			"second task pending",
			[]string{"accept", "leave", "reply"},
			[]string{"Status", "closed"},
			[]string{"completed", "canceled"},
			[]string{"customer"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := start(t, sandbox.Options{Now: newClock().Now})
			kd, uo, _ := c.create(webChannel, anyRouting)
			for _, e := range tt.events {
				if status := c.event(uo, e); status != http.StatusOK {
					t.Fatalf("event %s: %d", e, status)
				}
			}
			if a := c.post(channelPath(kd, uo), tt.form...); a.status != http.StatusOK {
				t.Fatalf("update: %d %s", a.status, a.text)
			}
			if diff := cmp.Diff(tt.tasks, c.tasks(kd, uo)); diff != "" {
				t.Errorf("tasks (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.people, c.people(kd, uo)); diff != "" {
				t.Errorf("people (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReplyMakesANewTaskInTheSameConversation(t *testing.T) {
	c := start(t, sandbox.Options{Now: newClock().Now})
	kd, uo, created := c.create(webChannel, anyRouting)
	for _, e := range []string{"accept", "leave", "reply"} {
		if status := c.event(uo, e); status != http.StatusOK {
			t.Fatalf("%s: %d", e, status)
		}
	}
	if diff := cmp.Diff([]string{"completed", "pending"}, c.tasks(kd, uo)); diff != "" {
		t.Errorf("tasks (-want +got):\n%s", diff)
	}
	invites, _ := c.get(channelPath(kd, uo) + "/Invites").at("invites").([]any)
	m, _ := invites[1].(map[string]any)
	second := answer{body: m}
	first, again := attributes(t, created), attributes(t, second)
	if again["conversationSid"] != first["conversationSid"] || again["flexInteractionSid"] != kd {
		t.Errorf("attributes of the new task: %v", again)
	}
	if target := second.at("routing", "properties", "routing_target"); target != nil {
		t.Errorf("the new task is %v's already", target)
	}
	if again["flexChannelInviteSid"] != second.str("sid") {
		t.Errorf("the new task names the invite %v, it is %s", again["flexChannelInviteSid"], second.str("sid"))
	}
}

func TestTimeAlone(t *testing.T) {
	clk := newClock()
	c := start(t, sandbox.Options{Now: clk.Now})
	kd, uo, _ := c.create(webChannel, `{"properties":{"workspace_sid":"`+workspace+`","timeout":60}}`)
	paused, pausedChannel, _ := c.create(webChannel, anyRouting)
	c.event(pausedChannel, "accept")
	c.event(pausedChannel, "pause")

	clk.advance(59 * time.Second)
	if diff := cmp.Diff([]string{"pending"}, c.tasks(kd, uo)); diff != "" {
		t.Errorf("before the task's time-out (-want +got):\n%s", diff)
	}
	clk.advance(time.Second)
	if diff := cmp.Diff([]string{"canceled"}, c.tasks(kd, uo)); diff != "" {
		t.Errorf("after the task's time-out (-want +got):\n%s", diff)
	}
	if got := c.status(kd, uo); got != "active" {
		t.Errorf("the channel of a cancelled task is %s: it is orphaned, not closed", got)
	}
	if n := c.get("/.sandbox/").at("state", "orphaned_channels"); n != 1.0 {
		t.Errorf("orphaned channels: %v", n)
	}

	clk.advance(14*day - time.Minute)
	if got := c.status(paused, pausedChannel); got != "active" {
		t.Errorf("two weeks of pause: %s", got)
	}
	if diff := cmp.Diff([]string{"pending"}, c.tasks(paused, pausedChannel)); diff != "" {
		t.Errorf("its task (-want +got):\n%s", diff)
	}

	c.post(channelPath(kd, uo), "Status", "closed")
	clk.advance(180*day - time.Second)
	if a := c.get(channelPath(kd, uo)); a.status != http.StatusOK {
		t.Errorf("a second before its end: %d", a.status)
	}
	clk.advance(time.Second)
	if a := c.get(channelPath(kd, uo)); a.status != http.StatusNotFound {
		t.Errorf("a channel of 180 days: %d", a.status)
	}
	if list, _ := c.get("/v1/Interactions/" + kd + "/Channels").at("channels").([]any); len(list) != 0 {
		t.Errorf("its list: %v", list)
	}
	if a := c.get("/v1/Interactions/" + kd); a.status != http.StatusOK {
		t.Errorf("its interaction: %d", a.status)
	}
}

func TestSetUpFailures(t *testing.T) {
	const (
		pair  = `{"type":"sms","initiated_by":"api","participants":[{"address":"+1","proxy_address":"+2"}]}`
		other = `{"type":"sms","initiated_by":"api","participants":[{"address":"+1","proxy_address":"+3"}]}`
		wa    = `{"type":"whatsapp","initiated_by":"api","participants":[{"address":"whatsapp:+1","proxy_address":"whatsapp:+2"}]}`
		media = `{"type":"web","initiated_by":"customer","properties":{"media_channel_sid":"CH0a1b2c3d4e5f60718293a4b5c6d7e8f9"}}`
		empty = `{"type":"web","initiated_by":"api"}`
	)
	for _, tt := range []struct {
		name          string
		strict        bool
		first, second string
		between       []string // update of the first channel
		code          float64  // 0: active
	}{
		{"same pair", false, pair, pair, nil, 45361},
		{"same pair, first parked", false, pair, pair, []string{"Status", "inactive", "Routing", `{"status":"closed"}`}, 45361},
		{"same pair, first closed", false, pair, pair, []string{"Status", "closed"}, 0},
		{"other pair", false, pair, other, nil, 0},
		{"whatsapp", false, wa, wa, nil, 45361},
		{"identities", false, webChannel, webChannel, nil, 0},
		{"same Conversation", false, media, media, nil, 0},
		{"same Conversation, strict", true, media, media, nil, 45353},
		{"closed Conversation, strict", true, media, media, []string{"Status", "closed"}, 45354},
		{"nobody", false, webChannel, empty, nil, 0},
		{"nobody, strict", true, webChannel, empty, nil, 45355},
	} {
		t.Run(tt.name, func(t *testing.T) {
			clk := newClock()
			c := start(t, sandbox.Options{Now: clk.Now, SetupDelay: time.Second, Strict: tt.strict})
			kd, uo, _ := c.create(tt.first, anyRouting)
			clk.advance(time.Second)
			if tt.between != nil {
				c.post(channelPath(kd, uo), tt.between...)
			}
			kd, uo, _ = c.create(tt.second, anyRouting)
			if got := c.status(kd, uo); got != "setup" {
				t.Errorf("right after the create: %s", got)
			}
			clk.advance(time.Second)
			a := c.get(channelPath(kd, uo))
			if tt.code == 0 {
				if a.str("status") != "active" || a.at("error_code") != nil || a.at("error_message") != nil {
					t.Errorf("want an active channel: %s", a.text)
				}
				return
			}
			if a.str("status") != "failed" || a.at("error_code") != tt.code || a.str("error_message") == "" {
				t.Errorf("want failed with %v: %s", tt.code, a.text)
			}
			if diff := cmp.Diff([]string{"canceled"}, c.tasks(kd, uo)); diff != "" {
				t.Errorf("tasks (-want +got):\n%s", diff)
			}
		})
	}
}

// Whose set-up is going to fail never held the pair, not even meanwhile.
func TestFailingSetUpHoldsNoPair(t *testing.T) {
	const pair = `{"type":"sms","initiated_by":"api","participants":[{"address":"+1","proxy_address":"+2"}]}`
	clk := newClock()
	c := start(t, sandbox.Options{Now: clk.Now, SetupDelay: time.Second})
	first, firstChannel, _ := c.create(pair, anyRouting)
	c.create(pair, anyRouting)
	c.post(channelPath(first, firstChannel), "Status", "closed")
	third, thirdChannel, _ := c.create(pair, anyRouting)
	clk.advance(time.Second)
	if got := c.status(third, thirdChannel); got != "active" {
		t.Errorf("the third channel is %s", got)
	}
}

func TestAgentTakesOverAParkedChannel(t *testing.T) {
	c := start(t, sandbox.Options{Now: newClock().Now})
	c.event(sandbox.SeedChannel, "leave")
	kd, uo, _ := c.create(`{"sid":"`+sandbox.SeedChannel+`","type":"web","initiated_by":"agent"}`, agentRouting)
	if uo != sandbox.SeedChannel {
		t.Fatalf("channel %s", uo)
	}
	for _, owner := range []string{kd, sandbox.SeedInteraction} {
		if got := c.get(channelPath(owner, uo)); got.str("status") != "active" || got.str("interaction_sid") != owner {
			t.Errorf("under %s: %s", owner, got.text)
		}
	}
	if diff := cmp.Diff([]string{"completed", "assigned"}, c.tasks(kd, uo)); diff != "" {
		t.Errorf("tasks (-want +got):\n%s", diff)
	}
	c.post(channelPath(kd, uo), "Status", "closed")
	a := c.post("/v1/Interactions", "Channel", `{"sid":"`+uo+`","type":"web","initiated_by":"api"}`)
	wantError(t, a, http.StatusBadRequest, 45366, "Channel.sid names a channel that is closed")
}

func TestEventsThatDoNotFit(t *testing.T) {
	c := start(t, sandbox.Options{})
	for _, tt := range []struct{ name, uo, event string }{
		{"nothing pending", sandbox.SeedChannel, "accept"},
		{"nothing to cancel", sandbox.SeedChannel, "cancel"},
		{"not parked", sandbox.SeedChannel, "reply"},
		{"unknown event", sandbox.SeedChannel, "explode"},
		{"unknown channel", "UO9c8b7a6d5e4f30211223344556677889", "leave"},
	} {
		if status := c.event(tt.uo, tt.event); status != http.StatusBadRequest {
			t.Errorf("%s: %d", tt.name, status)
		}
	}
	if got := c.status(sandbox.SeedInteraction, sandbox.SeedChannel); got != "active" {
		t.Errorf("afterwards %s", got)
	}
}
