package sandbox

import (
	"net/http"
	"time"
)

// The seeded interaction and its surroundings. They are the same in every
// sandbox and after every reset.
const (
	// SeedInteraction has the channel SeedChannel and is never evicted.
	SeedInteraction = "KD5eed0000000000000000000000000001"
	// SeedChannel is an active web channel; an agent has accepted its task.
	SeedChannel = "UO5eed0000000000000000000000000001"
	// SeedConversation is the Conversation behind SeedChannel.
	SeedConversation = "CH5eed0000000000000000000000000001"
	// SeedWorkspace and the SIDs below it fill Routing.properties in examples;
	// any well-formed SID does as well.
	SeedWorkspace = "WS5eed0000000000000000000000000001"
	SeedWorkflow  = "WW5eed0000000000000000000000000001"
	SeedQueue     = "WQ5eed0000000000000000000000000001"
	SeedWorker    = "WK5eed0000000000000000000000000001"
	// SeedAccount is the account of tasks that callers without an AC SID make.
	SeedAccount = "AC5eed0000000000000000000000000001"
)

// maxHeldInput bounds the callers' JSON that the kept interactions hold.
const maxHeldInput = 64 << 20

type flexOptions struct {
	setup    time.Duration
	strict   bool
	capacity int
	channels int // of the seeded interaction
}

// flex is the memory of the simulated Flex: interactions with their channels,
// tasks and participants. The kernel's mutex guards it.
type flex struct {
	flexOptions
	entropy      *entropy
	interactions store[*interaction]
	seed         *interaction
}

func newFlex(o flexOptions, e *entropy) *flex {
	return &flex{flexOptions: o, entropy: e}
}

// flexProvider describes the Flex Interactions API to the kernel.
func flexProvider(f *flex) provider {
	interactions := literal("Interactions")
	channels := literal("Channels")
	kd, uo := sidSegment("KD"), sidSegment("UO")
	get := func(run endpoint) method { return method{name: http.MethodGet, run: run} }
	post := func(run endpoint) method { return method{name: http.MethodPost, run: run} }
	return provider{
		name:  "twilio-flex",
		title: "Twilio Flex API, Interactions (https://flex-api.twilio.com/v1)",
		mount: "/v1",
		realm: "Twilio API",
		routes: []route{
			{
				path:    []segment{interactions},
				methods: []method{{name: http.MethodPost, run: f.createInteraction, creates: true}},
			},
			{
				path:    []segment{interactions, kd},
				methods: []method{get(f.fetchInteraction), post(f.updateInteraction)},
			},
			{
				path:    []segment{interactions, kd, channels},
				methods: []method{get(f.listChannels)},
			},
			{
				path:    []segment{interactions, kd, channels, uo},
				methods: []method{get(f.fetchChannel), post(f.updateChannel)},
			},
			{
				path:    []segment{interactions, kd, channels, uo, literal("Invites")},
				methods: []method{get(f.listInvites)},
			},
			{
				path:    []segment{interactions, kd, channels, uo, literal("Participants")},
				methods: []method{get(f.listParticipants)},
			},
		},
		seeds: map[string]string{
			"interaction":  SeedInteraction,
			"channel":      SeedChannel,
			"conversation": SeedConversation,
			"workspace":    SeedWorkspace,
			"workflow":     SeedWorkflow,
			"queue":        SeedQueue,
			"worker":       SeedWorker,
		},
		world:     f,
		decorate:  twilioHeaders("flex-api.twilio.com"),
		refuse:    twilioRefusal,
		errorBody: twilioErrorBody,
	}
}

// interaction has no status of its own; its channel has.
type interaction struct {
	sid        string
	contextSID string
	webhook    string
	channels   []*channel
}

// find returns the interaction a call is about and lets time pass for it.
func (f *flex) find(c *call) (*interaction, *refusal) {
	i, ok := f.interactions.get(c.sids[0])
	if !ok {
		return nil, twilioRefusal(notFound, c.path)
	}
	i.settle(c.now)
	return i, nil
}

// findChannel returns the interaction and the channel a call is about. A
// channel under the wrong interaction does not exist.
func (f *flex) findChannel(c *call) (*interaction, *channel, *refusal) {
	i, ref := f.find(c)
	if ref != nil {
		return nil, nil, ref
	}
	for _, ch := range i.present(c.now) {
		if ch.sid == c.sids[1] {
			return i, ch, nil
		}
	}
	return nil, nil, twilioRefusal(notFound, c.path)
}

func (i *interaction) settle(now time.Time) {
	for _, ch := range i.channels {
		ch.settle(now)
	}
}

// present are the channels that have not yet been deleted for their age.
func (i *interaction) present(now time.Time) []*channel {
	kept := make([]*channel, 0, len(i.channels))
	for _, ch := range i.channels {
		if now.Before(ch.updated.Add(channelRetention)) {
			kept = append(kept, ch)
		}
	}
	return kept
}

// interactionAnswer is the resource in the shape of the documented answer.
type interactionAnswer struct {
	SID     string           `json:"sid"`
	Channel *channelRef      `json:"channel"`
	Routing any              `json:"routing"`
	Context *string          `json:"interaction_context_sid"`
	Webhook *string          `json:"webhook_ttid"`
	URL     string           `json:"url"`
	Links   interactionLinks `json:"links"`
}

type channelRef struct {
	Type string `json:"type"`
	SID  string `json:"sid"`
}

type interactionLinks struct {
	Channels string `json:"channels"`
}

func (i *interaction) answer(c *call, routing any) interactionAnswer {
	a := interactionAnswer{
		SID:     i.sid,
		Routing: routing,
		Context: orNull(i.contextSID),
		Webhook: orNull(i.webhook),
		URL:     c.url("/Interactions/" + i.sid),
		Links:   interactionLinks{Channels: c.url("/Interactions/" + i.sid + "/Channels")},
	}
	if len(i.channels) > 0 {
		a.Channel = &channelRef{Type: i.channels[0].kind, SID: i.channels[0].sid}
	}
	return a
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// fetchInteraction answers with the short routing of the documented example.
func (f *flex) fetchInteraction(c *call) (any, *refusal) {
	i, ref := f.find(c)
	if ref != nil {
		return nil, ref
	}
	var routing any
	if len(i.channels) > 0 && len(i.channels[0].invites) > 0 {
		routing = map[string]any{"properties": i.channels[0].invites[0].task.short()}
	}
	return i.answer(c, routing), nil
}

// updateInteraction sets the webhook, the only field there is. An empty value
// clears it; no value changes nothing.
func (f *flex) updateInteraction(c *call) (any, *refusal) {
	webhook, sent := c.form.get("WebhookTtid")
	if ref := f.checkWebhook(webhook); ref != nil {
		return nil, ref
	}
	i, ref := f.find(c)
	if ref != nil {
		return nil, ref
	}
	if sent {
		i.webhook = webhook
	}
	return i.answer(c, nil), nil
}

// flexSummary is what the control page shows.
type flexSummary struct {
	Interactions int                  `json:"interactions"`
	Channels     map[string]int       `json:"channels_by_status"`
	Orphaned     int                  `json:"orphaned_channels"`
	Newest       []interactionSummary `json:"newest"` // the seeded one, then at most 50
}

type interactionSummary struct {
	SID      string           `json:"sid"`
	Channels []channelSummary `json:"channels"`
}

const (
	maxSummaries       = 50
	maxSummaryChannels = 20
)

// summary implements world.
func (f *flex) summary(now time.Time) any {
	s := flexSummary{Interactions: f.interactions.len(), Channels: map[string]int{}}
	for i := range f.interactions.all() {
		i.settle(now)
		for _, ch := range i.present(now) {
			s.Channels[string(ch.status)]++
			if ch.orphaned() {
				s.Orphaned++
			}
		}
	}
	s.Newest = append(s.Newest, f.seed.summary(now))
	for i := range f.interactions.newest() {
		if len(s.Newest) > maxSummaries {
			break
		}
		s.Newest = append(s.Newest, i.summary(now))
	}
	return s
}

func (i *interaction) summary(now time.Time) interactionSummary {
	s := interactionSummary{SID: i.sid, Channels: []channelSummary{}}
	for _, ch := range i.present(now) {
		if len(s.Channels) == maxSummaryChannels {
			break
		}
		s.Channels = append(s.Channels, ch.summary())
	}
	return s
}
