package sandbox

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Codes of the provider's dictionary that Flex answers on create.
const (
	codeValidation     = 45004 // not JSON, or JSON of the wrong shape
	codeParticipantXOR = 45351 // identity and address pair: both or neither
	codeChannelParams  = 45366
	codeParticipant    = 45367
)

const (
	maxParticipants = 1000
	maxWebhook      = 128
	webhookPrefix   = "flex_interactionwebhook_"
	webhookLength   = len(webhookPrefix) + 26
)

func invalid(what string) *refusal {
	return badRequest(codeValidation, "Validation Error: "+brief(what))
}

// channelRequest is the form field Channel.
type channelRequest struct {
	sid          string // an existing channel to bind to
	kind         string
	initiatedBy  string
	media        string // Conversation to bind to
	from         string
	fromName     string
	participants []participantRequest
}

// participantRequest is one entry of Channel.participants.
type participantRequest struct {
	path                     string
	identity, address, proxy string
	level                    string
}

// addressPair is what may be in one Conversation only that is not closed.
type addressPair struct{ address, proxy string }

// parseChannel checks the shape of Channel, then what depends on its values.
func parseChannel(text string) (channelRequest, *refusal) {
	o, err := parseObject("Channel", text)
	if err != nil {
		return channelRequest{}, invalid(err.Error())
	}
	properties := o.object("properties")
	req := channelRequest{
		sid:         o.sid("sid", "UO"),
		kind:        o.oneOf("type", "sms", "whatsapp", "web", "chat", "email", "messenger", "gbm"),
		initiatedBy: o.oneOf("initiated_by", "customer", "agent", "api"),
		media:       properties.sid("media_channel_sid", "CH"),
		from:        properties.text("from"),
		fromName:    properties.text("from_name"),
	}
	for _, p := range o.objects("participants") {
		req.participants = append(req.participants, participantRequest{
			path:     p.path,
			identity: p.text("identity"),
			address:  p.text("address"),
			proxy:    p.text("proxy_address"),
			level:    p.text("level"),
		})
		_ = p.text("name") // any text will do, but text it must be
	}
	if err := o.err(); err != nil {
		return req, invalid(err.Error())
	}
	return req, req.check()
}

// check holds the conditions of the documented table. A Channel that names an
// existing one needs no properties.
func (r channelRequest) check() *refusal {
	if r.sid == "" {
		switch {
		case r.initiatedBy == "customer" && r.media == "":
			return badRequest(codeChannelParams,
				"Channel.properties.media_channel_sid is required when initiated_by is customer")
		case r.initiatedBy == "agent" && len(r.participants) == 0:
			return badRequest(codeChannelParams,
				"Channel.participants is required when initiated_by is agent")
		case r.kind == "email" && r.initiatedBy != "customer" && (r.from == "" || r.fromName == ""):
			return badRequest(codeChannelParams,
				"Channel.properties.from and from_name are required for email when initiated_by is "+r.initiatedBy)
		}
	}
	if len(r.participants) > maxParticipants {
		return badRequest(codeParticipant, fmt.Sprintf("Channel.participants: at most %d", maxParticipants))
	}
	for _, p := range r.participants {
		if ref := p.check(r.kind); ref != nil {
			return ref
		}
	}
	return nil
}

func (p participantRequest) check(kind string) *refusal {
	if kind == "email" {
		switch {
		case p.address == "":
			return badRequest(codeParticipant, p.path+".address is required for email")
		case p.level != "to" && p.level != "cc" && p.level != "bcc":
			return badRequest(codeParticipant, p.path+".level must be one of to, cc, bcc")
		}
		return nil
	}
	anyAddress := p.address != "" || p.proxy != ""
	wantsPair := kind == "sms" || kind == "whatsapp"
	wantsIdentity := kind == "web" || kind == "chat"
	switch {
	case (p.identity != "") == anyAddress:
		return badRequest(codeParticipantXOR,
			p.path+" must have either identity or address and proxy_address")
	case anyAddress && (p.address == "" || p.proxy == ""):
		return badRequest(codeParticipant, p.path+" needs both address and proxy_address")
	case wantsPair && !anyAddress:
		return badRequest(codeParticipant, p.path+" needs address and proxy_address for "+kind)
	case wantsIdentity && p.identity == "":
		return badRequest(codeParticipant, p.path+" needs identity for "+kind)
	case kind == "whatsapp" && !(strings.HasPrefix(p.address, "whatsapp:") && strings.HasPrefix(p.proxy, "whatsapp:")):
		return badRequest(codeParticipant, p.path+": address and proxy_address start with whatsapp:")
	}
	return nil
}

// pairs are the bindings that the one-Conversation rule is about.
func (r channelRequest) pairs() []addressPair {
	if r.kind != "sms" && r.kind != "whatsapp" {
		return nil
	}
	var pairs []addressPair
	for _, p := range r.participants {
		pairs = append(pairs, addressPair{p.address, p.proxy})
	}
	return pairs
}

// routingRequest is the form field Routing of a create.
type routingRequest struct {
	workspace, workflow, queue, worker string
	taskChannelSID, taskChannelName    string
	attributes                         map[string]json.RawMessage
	priority, timeout                  int64
}

// parseRouting checks Routing for an interaction begun by initiatedBy. Members
// besides properties are left alone: production code sends a type there.
func parseRouting(text, initiatedBy string) (routingRequest, *refusal) {
	o, err := parseObject("Routing", text)
	if err != nil {
		return routingRequest{}, invalid(err.Error())
	}
	if !o.has("properties") {
		return routingRequest{}, invalid("Routing.properties is required")
	}
	p := o.object("properties")
	req := routingRequest{
		workspace:       p.sid("workspace_sid", "WS"),
		workflow:        p.sid("workflow_sid", "WW"),
		queue:           p.sid("queue_sid", "WQ"),
		worker:          p.sid("worker_sid", "WK"),
		taskChannelSID:  p.sid("task_channel_sid", "TC"),
		taskChannelName: p.text("task_channel_unique_name"),
		attributes:      p.object("attributes").members,
		priority:        p.whole("priority", 0),
		timeout:         p.whole("timeout", defaultTaskTimeout),
	}
	p.requiredText("workspace_sid")
	if initiatedBy == "agent" {
		p.requiredText("queue_sid")
		p.requiredText("worker_sid")
	}
	if err := o.err(); err != nil {
		return req, invalid(err.Error())
	}
	return req, nil
}

// checkWebhook judges a WebhookTtid. Its form is known from examples only, so
// the form is a matter of strictness.
func (f *flex) checkWebhook(ttid string) *refusal {
	wellFormed := strings.HasPrefix(ttid, webhookPrefix) && len(ttid) == webhookLength
	if ttid == "" || (len(ttid) <= maxWebhook && (wellFormed || !f.strict)) {
		return nil
	}
	return invalid("WebhookTtid must be " + webhookPrefix + " and 26 characters")
}
