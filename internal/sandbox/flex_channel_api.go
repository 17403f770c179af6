package sandbox

// Codes of channel updates.
const (
	codeStatusInvalid = 45359
	codeCloseFailed   = 45360
	codeInactivate    = 45379
)

// fetchChannel answers one channel.
func (f *flex) fetchChannel(c *call) (any, *refusal) {
	i, ch, ref := f.findChannel(c)
	if ref != nil {
		return nil, ref
	}
	return ch.answer(c, i), nil
}

// listChannels answers a page of an interaction's channels.
func (f *flex) listChannels(c *call) (any, *refusal) {
	i, ref := f.find(c)
	if ref != nil {
		return nil, ref
	}
	present := i.present(c.now)
	sids := make([]string, 0, len(present))
	for _, ch := range present {
		sids = append(sids, ch.sid)
	}
	w, ref := paginate(c, "/Interactions/"+i.sid+"/Channels", "channels", sids)
	if ref != nil {
		return nil, ref
	}
	page := struct {
		Channels []channelAnswer `json:"channels"`
		Meta     pageMeta        `json:"meta"`
	}{Channels: []channelAnswer{}, Meta: w.meta}
	for _, ch := range present[w.from:w.to] {
		page.Channels = append(page.Channels, ch.answer(c, i))
	}
	return page, nil
}

// updateChannel closes or parks a channel.
func (f *flex) updateChannel(c *call) (any, *refusal) {
	status, complete, ref := readUpdate(c.form)
	if ref != nil {
		return nil, ref
	}
	i, ch, ref := f.findChannel(c)
	if ref != nil {
		return nil, ref
	}
	next, ref := ch.next(status, f.strict)
	if ref != nil {
		return nil, ref
	}
	if next != ch.status {
		ch.enter(next, c.now)
		ch.finishTasks(complete)
		if next == statusInactive {
			ch.dismissAgents()
		}
	}
	return ch.answer(c, i), nil
}

// readUpdate reads the form of an update; complete says that the tasks are to
// be completed rather than wrapped up.
func readUpdate(fm form) (status channelStatus, complete bool, ref *refusal) {
	text, _ := fm.get("Status")
	switch status = channelStatus(text); status {
	case "":
		return "", false, missingParameter("Status")
	case statusClosed, statusInactive:
	default:
		ref := badRequest(codeStatusInvalid, "The channel status is invalid")
		ref.detail = "Status must be closed or inactive"
		if text == "wrapup" {
			ref.detail += "; wrapup is a status of participants"
		}
		return "", false, ref
	}
	if routing, _ := fm.get("Routing"); routing != "" {
		o, err := parseObject("Routing", routing)
		if err != nil {
			return "", false, invalid(err.Error())
		}
		if o.has("status") {
			complete = o.oneOf("status", "closed") == "closed"
		}
		if err := o.err(); err != nil {
			return "", false, invalid(err.Error())
		}
	}
	if status == statusInactive && !complete {
		return "", false, invalid("Routing.status must be closed when Status is inactive")
	}
	return status, complete, nil
}

// next is the state machine of updates: the status after asking for want. What
// the documents leave open changes nothing and is answered well, or is refused
// when strict.
func (ch *channel) next(want channelStatus, strict bool) (channelStatus, *refusal) {
	code := codeCloseFailed
	if want == statusInactive {
		code = codeInactivate
	}
	refused := badRequest(code, "The channel is in status "+string(ch.status)+
		" and cannot become "+string(want))
	switch ch.status {
	case statusActive:
		return want, nil
	case statusInactive, statusPause:
		if want == statusClosed {
			return statusClosed, nil
		}
	case statusSetup, statusTransfer:
		if want == statusClosed && !strict {
			return statusClosed, nil
		}
	case statusClosed, statusFailed:
		if want == statusClosed && !strict {
			return ch.status, nil
		}
	}
	if want == ch.status && !strict {
		return ch.status, nil
	}
	return ch.status, refused
}

// inviteAnswer is an invite in the shape of the documented answer.
type inviteAnswer struct {
	SID            string        `json:"sid"`
	ChannelSID     string        `json:"channel_sid"`
	InteractionSID string        `json:"interaction_sid"`
	Routing        routingAnswer `json:"routing"`
	URL            string        `json:"url"`
}

// routingAnswer is the long form of routing.
type routingAnswer struct {
	Reservation *struct{}    `json:"reservation"` // always null
	Properties  taskSnapshot `json:"properties"`
}

// listInvites answers a page of a channel's invites.
func (f *flex) listInvites(c *call) (any, *refusal) {
	i, ch, ref := f.findChannel(c)
	if ref != nil {
		return nil, ref
	}
	sids := make([]string, 0, len(ch.invites))
	for _, inv := range ch.invites {
		sids = append(sids, inv.sid)
	}
	path := channelPath(i, ch) + "/Invites"
	w, ref := paginate(c, path, "invites", sids)
	if ref != nil {
		return nil, ref
	}
	page := struct {
		Invites []inviteAnswer `json:"invites"`
		Meta    pageMeta       `json:"meta"`
	}{Invites: []inviteAnswer{}, Meta: w.meta}
	for _, inv := range ch.invites[w.from:w.to] {
		page.Invites = append(page.Invites, inviteAnswer{
			SID: inv.sid, ChannelSID: ch.sid, InteractionSID: i.sid,
			Routing: routingAnswer{Properties: inv.task.snapshot(c.now)},
			URL:     c.url(path + "/" + inv.sid),
		})
	}
	return page, nil
}

// participantAnswer is a participant in the shape of the documented answer.
type participantAnswer struct {
	SID               string              `json:"sid"`
	ChannelSID        string              `json:"channel_sid"`
	InteractionSID    string              `json:"interaction_sid"`
	Type              string              `json:"type"`
	RoutingProperties *participantRouting `json:"routing_properties"`
	URL               string              `json:"url"`
}

// listParticipants answers a page of a channel's participants.
func (f *flex) listParticipants(c *call) (any, *refusal) {
	i, ch, ref := f.findChannel(c)
	if ref != nil {
		return nil, ref
	}
	sids := make([]string, 0, len(ch.participants))
	for _, p := range ch.participants {
		sids = append(sids, p.sid)
	}
	path := channelPath(i, ch) + "/Participants"
	w, ref := paginate(c, path, "participants", sids)
	if ref != nil {
		return nil, ref
	}
	page := struct {
		Participants []participantAnswer `json:"participants"`
		Meta         pageMeta            `json:"meta"`
	}{Participants: []participantAnswer{}, Meta: w.meta}
	for _, p := range ch.participants[w.from:w.to] {
		page.Participants = append(page.Participants, participantAnswer{
			SID: p.sid, ChannelSID: ch.sid, InteractionSID: i.sid,
			Type: p.kind, RoutingProperties: p.routing,
			URL: c.url(path + "/" + p.sid),
		})
	}
	return page, nil
}
