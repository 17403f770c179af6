package sandbox

import (
	"slices"
)

const (
	// maxTasks bounds the tasks of one channel.
	maxTasks = 100
	// maxSharedInput bounds what later interactions can add to a channel; the
	// weight of the store ends with the interaction that brought it.
	maxSharedInput = 1 << 20
)

// Codes of set-ups that fail after the answer.
const (
	codeSetupFailed      = 45356
	codePairTaken        = 45361
	codeConversationUsed = 45353
	codeConversationDone = 45354
	codeNoParticipants   = 45355
)

// creation is a create whose form has been read.
type creation struct {
	channel channelRequest
	routing *routingRequest // nil only beside channel.sid
	context string
	webhook string
	weight  int // bytes of the caller's input
}

// createInteraction accepts an interaction. What goes wrong from here on shows
// in the status of the channel only, as the 200 promises nothing else.
func (f *flex) createInteraction(c *call) (any, *refusal) {
	req, ref := f.readCreation(c.form)
	if ref != nil {
		return nil, ref
	}
	i := &interaction{sid: f.freshInteractionSID(), contextSID: req.context, webhook: req.webhook}
	if i.sid == "" {
		return nil, twilioRefusal(internal, "no unused SID")
	}
	var ch *channel
	if req.channel.sid != "" {
		if ch, ref = f.existingChannel(c, req); ref != nil {
			return nil, ref
		}
		ch.shared += req.weight
	} else {
		ch = f.newChannel(c, i.sid, req.channel)
	}
	i.channels = []*channel{ch}
	var routing any
	if req.routing != nil {
		inv := f.invite(c, i, ch, *req.routing)
		routing = routingAnswer{Properties: inv.task.snapshot(c.now)}
		if req.channel.initiatedBy == "agent" {
			ch.expectAgent(inv.task, f.entropy, c.now)
		}
	}
	if f.entropy.err != nil {
		return nil, twilioRefusal(internal, "no randomness for SIDs")
	}
	f.interactions.add(i.sid, i, req.weight)
	return i.answer(c, routing), nil
}

// readCreation reads the form in the documented order: required keys first,
// then the text of each.
func (f *flex) readCreation(fm form) (creation, *refusal) {
	text, _ := fm.get("Channel")
	if text == "" {
		return creation{}, missingParameter("Channel")
	}
	req := creation{weight: len(text)}
	var ref *refusal
	if req.channel, ref = parseChannel(text); ref != nil {
		return req, ref
	}
	switch routing, _ := fm.get("Routing"); {
	case routing != "":
		parsed, ref := parseRouting(routing, req.channel.initiatedBy)
		if ref != nil {
			return req, ref
		}
		req.routing = &parsed
		req.weight += len(routing)
	case req.channel.sid == "":
		return req, missingParameter("Routing")
	}
	req.context, _ = fm.get("InteractionContextSid")
	if req.context != "" && !isSID("HQ", req.context) {
		return req, invalid("InteractionContextSid must be a SID of the form HQ and 32 hexadecimal digits")
	}
	req.webhook, _ = fm.get("WebhookTtid")
	return req, f.checkWebhook(req.webhook)
}

// freshInteractionSID is "" when the source of randomness repeats itself.
func (f *flex) freshInteractionSID() string {
	for range 8 {
		sid := f.entropy.sid("KD")
		if _, taken := f.interactions.get(sid); !taken {
			return sid
		}
	}
	return ""
}

// existingChannel finds the channel that a create names by SID. The new
// interaction then shares it.
func (f *flex) existingChannel(c *call, req creation) (*channel, *refusal) {
	ch := f.channelBySID(req.channel.sid, c.now)
	switch {
	case ch == nil:
		return nil, badRequest(codeChannelParams, "Channel.sid "+req.channel.sid+" was not found")
	case ch.kind != req.channel.kind:
		return nil, badRequest(codeChannelParams, "Channel.type is not the type of the channel "+ch.sid)
	case ch.status.terminal():
		return nil, badRequest(codeChannelParams, "Channel.sid names a channel that is "+string(ch.status))
	case len(ch.invites) >= maxTasks, ch.shared+req.weight > maxSharedInput:
		return nil, badRequest(codeChannelParams, "Channel.sid names a channel that holds all the tasks this sandbox keeps")
	}
	return ch, nil
}

func (f *flex) newChannel(c *call, home string, req channelRequest) *channel {
	ch := &channel{
		sid:          f.entropy.sid("UO"),
		kind:         req.kind,
		home:         home,
		initiatedBy:  req.initiatedBy,
		conversation: req.media,
		pairs:        req.pairs(),
		status:       statusSetup,
		updated:      c.now,
		ready:        c.now.Add(f.setup),
	}
	if ch.conversation == "" {
		ch.conversation = f.entropy.sid("CH")
	}
	for range req.participants {
		ch.participants = append(ch.participants, &participant{sid: f.entropy.sid("UT"), kind: "customer"})
	}
	if len(req.participants) == 0 && req.initiatedBy == "customer" {
		// The customer is in the Conversation already.
		ch.participants = append(ch.participants, &participant{sid: f.entropy.sid("UT"), kind: "customer"})
	}
	ch.failure = f.setupFailure(c, ch)
	return ch
}

// setupFailure decides how the set-up of a new channel will end; nil is well.
func (f *flex) setupFailure(c *call, ch *channel) *channelFailure {
	if c.failSetup {
		return &channelFailure{codeSetupFailed, "The interaction channel could not be set up"}
	}
	var pairTaken, used, done bool
	for i := range f.interactions.all() {
		for _, other := range i.channels {
			other.settle(c.now)
			open := !other.status.terminal() && other.failure == nil
			shares := func(p addressPair) bool { return slices.Contains(other.pairs, p) }
			pairTaken = pairTaken || (open && other.kind == ch.kind && slices.ContainsFunc(ch.pairs, shares))
			same := other.conversation == ch.conversation
			used = used || (same && open)
			done = done || (same && other.status == statusClosed)
		}
	}
	switch {
	case pairTaken:
		return &channelFailure{
			codePairTaken,
			"The participant could not be added: its address pair is in another Conversation that is not closed",
		}
	case f.strict && done:
		return &channelFailure{codeConversationDone, "The Conversation is closed"}
	case f.strict && used:
		return &channelFailure{codeConversationUsed, "The Conversation already belongs to a channel"}
	case f.strict && len(ch.participants) == 0:
		return &channelFailure{codeNoParticipants, "The Conversation has no participants"}
	}
	return nil
}

// invite makes the task of an interaction and the invite that carries it.
func (f *flex) invite(c *call, i *interaction, ch *channel, req routingRequest) *invitation {
	inv := &invitation{sid: f.entropy.sid("KG"), task: &task{
		sid:         f.entropy.sid("WT"),
		account:     SeedAccount,
		workspace:   req.workspace,
		workflow:    either(req.workflow, SeedWorkflow),
		queue:       either(req.queue, SeedQueue),
		channelName: either(req.taskChannelName, defaultTaskChannel),
		target:      req.worker,
		status:      taskPending,
		priority:    req.priority,
		timeout:     req.timeout,
		created:     c.now,
	}}
	t := inv.task
	t.channelSID = either(req.taskChannelSID, taskChannelSID(t.channelName))
	if isSID("AC", c.user) {
		t.account = c.user
	}
	t.attributes = flexAttributes(req.attributes, attributeFacts{interaction: i.sid, channel: ch, invite: inv.sid})
	ch.invites = append(ch.invites, inv)
	return inv
}

func either(given, fallback string) string {
	if given != "" {
		return given
	}
	return fallback
}
