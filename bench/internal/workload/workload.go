// Package workload is the work that every row of the comparison does: which
// requests callers send, what has to reach the upstream, and what the upstream
// answers. The load generator, the stub upstream and the peers share it, so
// that none of them can do less than the others without being noticed.
package workload

import (
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
)

// Credentials of the upstream. Callers do not know them: whatever stands
// between has to put them in.
const (
	User     = "SK5eed0000000000000000000000000001"
	Password = "bench-secret"
)

// Authorization is the header value that the upstream wants.
const Authorization = "Basic U0s1ZWVkMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMTpiZW5jaC1zZWNyZXQ="

// Interaction is the SID that fetches ask for.
const Interaction = "KD5eed0000000000000000000000000001"

// Paths that callers use. The upstream takes them in any case, so that a plain
// proxy need not rewrite what it passes on.
const (
	CreatePath = "/v1/interactions"
	FetchPath  = CreatePath + "/" + Interaction
)

// Tool is the MCP tool that fetches, and Argument its only argument.
const (
	Tool     = "twilio-fetch-interaction"
	Argument = "InteractionSid"
)

// Revisions of MCP: one that opens with initialize, one whose requests stand
// alone.
const (
	Legacy = "2025-11-25"
	Modern = "2026-07-28"
)

// CreateBody is what callers send to create an interaction.
const CreateBody = `{"Channel":{"type":"web","initiated_by":"api","participants":[{"identity":"visitor-7f31"}]},` +
	`"Routing":{"properties":{"workspace_sid":"WS5eed0000000000000000000000000001","workflow_sid":"WW5eed0000000000000000000000000001",` +
	`"task_channel_unique_name":"chat","attributes":{"customerName":"Ines Duarte","topic":"parcel & pickup"}}}}`

// FetchAnswer and CreateAnswer are what the upstream answers.
const (
	FetchAnswer = `{"sid":"` + Interaction + `","channel":{"type":"web","sid":"UO5eed0000000000000000000000000001"},` +
		`"routing":{"properties":{"workflow_sid":"WW5eed0000000000000000000000000001",` +
		`"attributes":"{\"channelType\":\"web\",\"conversationSid\":\"CH5eed0000000000000000000000000001\",\"direction\":\"inbound\",\"initiatedBy\":\"customer\"}",` +
		`"task_channel_unique_name":"chat","routing_target":"WK5eed0000000000000000000000000001","queue_name":"Everyone"}},` +
		`"interaction_context_sid":null,"webhook_ttid":null,` +
		`"url":"https://flex-api.twilio.com/v1/Interactions/` + Interaction + `",` +
		`"links":{"channels":"https://flex-api.twilio.com/v1/Interactions/` + Interaction + `/Channels"}}`

	CreateAnswer = `{"sid":"` + Interaction + `","channel":{"type":"web","sid":"UO5eed0000000000000000000000000001"},` +
		`"routing":{"reservation":null,"properties":{"account_sid":"AC5eed0000000000000000000000000001","workspace_sid":"WS5eed0000000000000000000000000001",` +
		`"sid":"WT5eed0000000000000000000000000001","workflow_sid":"WW5eed0000000000000000000000000001","workflow_name":"Assign to anyone",` +
		`"queue_sid":"WQ5eed0000000000000000000000000001","queue_name":"Everyone","task_channel_unique_name":"chat","routing_target":null,` +
		`"assignment_status":"pending","attributes":"{\"channelType\":\"web\",\"customerName\":\"Ines Duarte\",\"topic\":\"parcel & pickup\"}",` +
		`"priority":0,"age":0,"reason":null,"timeout":86400,"date_created":1795779388}},` +
		`"interaction_context_sid":null,"webhook_ttid":null,` +
		`"url":"https://flex-api.twilio.com/v1/Interactions/` + Interaction + `",` +
		`"links":{"channels":"https://flex-api.twilio.com/v1/Interactions/` + Interaction + `/Channels"}}`
)

// CheckForm says whether a form creates what CreateBody asks for: one field for
// each member, with its JSON as text.
func CheckForm(body string) error {
	form, err := url.ParseQuery(body)
	if err != nil {
		return err
	}
	var want map[string]json.RawMessage
	if err := json.Unmarshal([]byte(CreateBody), &want); err != nil {
		return err
	}
	if len(form) != len(want) {
		return fmt.Errorf("the form has %d fields, want %d", len(form), len(want))
	}
	for name, value := range want {
		if len(form[name]) != 1 {
			return fmt.Errorf("the form has %d fields %s, want 1", len(form[name]), name)
		}
		if err := sameJSON(form.Get(name), string(value)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// CheckJSON says whether a body that stayed JSON is CreateBody.
func CheckJSON(body string) error { return sameJSON(body, CreateBody) }

// sameJSON compares values; order of members and white space do not count.
func sameJSON(got, want string) error {
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		return err
	}
	if !reflect.DeepEqual(g, w) {
		return fmt.Errorf("got %s, want %s", got, want)
	}
	return nil
}

// InputSchema is the tool's, as far as all peers can say it.
const InputSchema = `{"type":"object","properties":{"` + Argument + `":{"type":"string","pattern":"^KD[0-9a-fA-F]{32}$"}},` +
	`"required":["` + Argument + `"],"additionalProperties":false}`
