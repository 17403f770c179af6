package sandbox_test

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"patchbay/internal/sandbox"
)

// attributes decodes the attributes text of a created interaction's task.
func attributes(t *testing.T, a answer) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(a.str("routing", "properties", "attributes")), &m); err != nil {
		t.Fatalf("attributes are no JSON text: %v in %s", err, a.text)
	}
	return m
}

func TestCreateAnswersTheWholeInteraction(t *testing.T) {
	c := start(t, sandbox.Options{Now: newClock().Now})
	kd, uo, a := c.create(
		`{"type":"web","initiated_by":"api","participants":[{"identity":"visitor-7f31"}]}`,
		`{"type":"TaskRouter","properties":{"workspace_sid":"`+workspace+`","workflow_sid":"WW2a3b4c5d6e7f80919283746556473829",
		 "task_channel_unique_name":"chat","priority":3,"timeout":600,
		 "attributes":{"customerName":"Ines Duarte","customerAddress":"ines@example.com","order":9007199254740993,"note":"<b>&</b>"}}}`)

	props, _ := a.at("routing", "properties").(map[string]any)
	text, _ := props["attributes"].(string)
	task, target := a.str("routing", "properties", "sid"), c.url+"/v1/Interactions/"+kd
	want := map[string]any{
		"sid":     kd,
		"channel": map[string]any{"type": "web", "sid": uo},
		"routing": map[string]any{"reservation": nil, "properties": map[string]any{
			"account_sid": testUser, "workspace_sid": workspace, "sid": task,
			"workflow_sid": "WW2a3b4c5d6e7f80919283746556473829", "workflow_name": "Sandbox workflow",
			"queue_sid": sandbox.SeedQueue, "queue_name": "Sandbox queue",
			"task_channel_sid": props["task_channel_sid"], "task_channel_unique_name": "chat",
			"routing_target": nil, "assignment_status": "pending", "attributes": text,
			"priority": 3.0, "age": 0.0, "age_in_queue": 0.0, "reason": nil, "timeout": 600.0,
			"assignmentCounter": 0.0, "addons": "{}",
			"date_created": 1.78e9, "date_updated": 1.78e9, "task_queue_entered_date": 1.78e9,
		}},
		"interaction_context_sid": nil,
		"webhook_ttid":            nil,
		"url":                     target,
		"links":                   map[string]any{"channels": target + "/Channels"},
	}
	if diff := cmp.Diff(want, a.body); diff != "" {
		t.Errorf("create (-want +got):\n%s", diff)
	}

	got := attributes(t, a)
	ch, _ := got["conversationSid"].(string)
	wantAttributes := map[string]any{
		"customerName": "Ines Duarte", "customerAddress": "ines@example.com", "order": 9007199254740993.0, "note": "<b>&</b>",
		"customers":          map[string]any{"name": "Ines Duarte", "email": "ines@example.com"},
		"flexInteractionSid": kd, "flexInteractionChannelSid": uo,
		"flexChannelInviteSid": got["flexChannelInviteSid"],
		"conversationSid":      ch, "channelType": "web", "initiatedBy": "api", "direction": "inbound",
		"conversations": map[string]any{
			"initiated_by": "api", "communication_channel": "web", "conversation_id": kd,
			"media": []any{map[string]any{"type": "ChatTranscript", "sid": ch}},
		},
	}
	if diff := cmp.Diff(wantAttributes, got); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	for _, verbatim := range []string{`"order":9007199254740993`, `"note":"<b>&</b>"`} {
		if !strings.Contains(text, verbatim) {
			t.Errorf("the caller's %s did not stay as it was: %s", verbatim, text)
		}
	}
	for sid, prefix := range map[string]string{kd: "KD", uo: "UO", task: "WT", ch: "CH"} {
		if !regexp.MustCompile("^" + prefix + "[0-9a-f]{32}$").MatchString(sid) {
			t.Errorf("%q is not a %s SID", sid, prefix)
		}
	}
}

func TestCreateKeepsObjectsThatFlexSharesWithTheCaller(t *testing.T) {
	c := start(t, sandbox.Options{})
	_, _, a := c.create(webChannel, `{"properties":{"workspace_sid":"`+workspace+`","attributes":{
		"customerName":"Ines","customers":{"name":"I. Duarte","external_id":"42"},
		"conversations":{"conversation_attribute_1":"gold","conversation_id":"mine"},
		"flexInteractionSid":"forged"}}}`)
	got := attributes(t, a)
	if diff := cmp.Diff(map[string]any{"name": "I. Duarte", "external_id": "42"}, got["customers"]); diff != "" {
		t.Errorf("customers (-want +got):\n%s", diff)
	}
	conversations, _ := got["conversations"].(map[string]any)
	if conversations["conversation_attribute_1"] != "gold" || conversations["conversation_id"] != a.str("sid") {
		t.Errorf("conversations: %v", conversations)
	}
	if got["flexInteractionSid"] != a.str("sid") {
		t.Errorf("a caller can forge flexInteractionSid: %v", got["flexInteractionSid"])
	}
}

func TestCreateAccepts(t *testing.T) {
	const (
		ch    = "CH0a1b2c3d4e5f60718293a4b5c6d7e8f9"
		agent = `{"properties":{"workspace_sid":"` + workspace + `","queue_sid":"` + queue + `","worker_sid":"` + worker + `"}}`
	)
	for _, tt := range []struct {
		name, channel, routing string
		want                   map[string]string // path in the answer -> value
	}{
		{
			"customer with a Conversation",
			`{"type":"sms","initiated_by":"customer","properties":{"media_channel_sid":"` + ch + `"}}`, anyRouting,
			map[string]string{"channel.type": "sms", "attributes.conversationSid": ch, "attributes.direction": "inbound"},
		},
		{
			"agent by sms",
			`{"type":"sms","initiated_by":"agent","participants":[{"address":"+15550100","proxy_address":"+15550199"}]}`, agent,
			map[string]string{
				"attributes.direction": "outbound", "routing.properties.routing_target": worker,
				"routing.properties.queue_sid": queue, "routing.properties.assignment_status": "pending",
			},
		},
		{
			"agent by whatsapp",
			`{"type":"whatsapp","initiated_by":"agent","participants":[{"address":"whatsapp:+15550100","proxy_address":"whatsapp:+15550199"}]}`, agent,
			map[string]string{"channel.type": "whatsapp"},
		},
		{
			"agent by email",
			`{"type":"email","initiated_by":"agent","properties":{"from":"help@example.com","from_name":"Help","type":"email"},` +
				`"participants":[{"level":"to","name":"Ines","address":"ines@example.com"},{"level":"cc","address":"b@example.com"}]}`, agent,
			map[string]string{"channel.type": "email"},
		},
		{
			"api without participants", `{"type":"chat","initiated_by":"api"}`, anyRouting,
			map[string]string{"channel.type": "chat"},
		},
		{
			"customer by email needs no sender",
			`{"type":"email","initiated_by":"customer","properties":{"media_channel_sid":"` + ch + `"}}`, anyRouting,
			map[string]string{"attributes.initiatedBy": "customer"},
		},
		{
			"brackets inside a text are no nesting",
			`{"type":"web","initiated_by":"api","note":"\\\"` + strings.Repeat("[", 70) + `"}`, anyRouting,
			map[string]string{"channel.type": "web"},
		},
		{
			"messenger", `{"type":"messenger","initiated_by":"api","participants":[{"identity":"messenger:1"}]}`, anyRouting,
			map[string]string{"channel.type": "messenger"},
		},
		{"gbm", `{"type":"gbm","initiated_by":"api"}`, anyRouting, map[string]string{"channel.type": "gbm"}},
		{
			"null counts as absent", `{"type":"web","initiated_by":"api","sid":null,"properties":null,"participants":null}`,
			`{"properties":{"workspace_sid":"` + workspace + `","workflow_sid":null,"priority":null}}`,
			map[string]string{"channel.type": "web"},
		},
		{
			"last of a repeated JSON member", `{"type":"sms","type":"web","initiated_by":"api"}`, anyRouting,
			map[string]string{"channel.type": "web"},
		},
		{
			"white space around JSON", " \n{\"type\":\"web\",\"initiated_by\":\"api\"}\t", "\n" + anyRouting,
			map[string]string{"channel.type": "web"},
		},
		{
			"existing channel, no routing", `{"sid":"` + sandbox.SeedChannel + `","type":"web","initiated_by":"customer"}`, "",
			map[string]string{"channel.sid": sandbox.SeedChannel},
		},
		{
			"existing channel, new task", `{"sid":"` + sandbox.SeedChannel + `","type":"web","initiated_by":"api"}`, anyRouting,
			map[string]string{"channel.sid": sandbox.SeedChannel, "attributes.conversationSid": sandbox.SeedConversation},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := start(t, sandbox.Options{})
			_, _, a := c.create(tt.channel, tt.routing)
			for path, want := range tt.want {
				from, names := a, strings.Split(path, ".")
				if names[0] == "attributes" {
					from, names = answer{body: attributes(t, a)}, names[1:]
				}
				if got := from.str(names...); got != want {
					t.Errorf("%s = %q, want %q in %s", path, got, want, a.text)
				}
			}
		})
	}
}

// The account is the credentials' own where they name one.
func TestCreateNamesTheAccount(t *testing.T) {
	c := start(t, sandbox.Options{})
	for user, want := range map[string]string{
		"AC7f8091a2b3c4d5e6f708192031425364": "AC7f8091a2b3c4d5e6f708192031425364",
		"SK7f8091a2b3c4d5e6f708192031425364": sandbox.SeedAccount,
	} {
		credentials := "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":x"))
		a := c.do(http.MethodPost, "/v1/Interactions", formType,
			encodeForm("Channel", webChannel, "Routing", anyRouting), "Authorization", credentials)
		if got := a.str("routing", "properties", "account_sid"); got != want {
			t.Errorf("%s: account %q, want %q", user, got, want)
		}
	}
}

func TestCreateKeepsContextAndWebhook(t *testing.T) {
	c := start(t, sandbox.Options{Strict: true})
	const hq, ttid = "HQ0a1b2c3d4e5f60718293a4b5c6d7e8f9", "flex_interactionwebhook_00000000000000000000000000"
	a := c.post("/v1/Interactions", "Channel", webChannel, "Routing", anyRouting,
		"InteractionContextSid", hq, "WebhookTtid", ttid, "Unknown", "ignored")
	if a.str("interaction_context_sid") != hq || a.str("webhook_ttid") != ttid {
		t.Errorf("create: %s", a.text)
	}
}

// Form encodings that differ by client must mean the same.
func TestCreateReadsEveryFormEncoding(t *testing.T) {
	spaced := `{"type":"web", "initiated_by":"api", "participants":[{"identity":"a b+c"}]}`
	plus := "Channel=" + url.QueryEscape(spaced) + "&Routing=" + url.QueryEscape(anyRouting)
	var parts bytes.Buffer
	w := multipart.NewWriter(&parts)
	for key, value := range map[string]string{"Channel": spaced, "Routing": anyRouting} {
		if err := w.WriteField(key, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, contentType, body string }{
		{"plus for space", formType, plus},
		{"%20 for space", formType, strings.ReplaceAll(plus, "+", "%20")},
		{"charset", formType + "; charset=UTF-8", plus},
		{"type in capitals", "Application/X-WWW-Form-Urlencoded", plus},
		{"first of a repeated key", formType, plus + "&Channel=broken"},
		{"broken pair beside good ones", formType, "x=%zz&" + plus},
		{"multipart", w.FormDataContentType(), parts.String()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := start(t, sandbox.Options{})
			a := c.do(http.MethodPost, "/v1/Interactions", tt.contentType, tt.body)
			if a.status != http.StatusOK {
				t.Fatalf("%d %s", a.status, a.text)
			}
			if diff := cmp.Diff([]string{"customer"}, c.people(a.str("sid"), a.str("channel", "sid"))); diff != "" {
				t.Errorf("participants (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFetchAndUpdateInteraction(t *testing.T) {
	c := start(t, sandbox.Options{Strict: true})
	kd, uo, created := c.create(webChannel, anyRouting)
	got := c.get("/v1/Interactions/" + kd)
	want := map[string]any{
		"sid": kd, "channel": map[string]any{"type": "web", "sid": uo},
		"routing": map[string]any{"properties": map[string]any{
			"workflow_sid": sandbox.SeedWorkflow, "attributes": created.str("routing", "properties", "attributes"),
			"task_channel_unique_name": "default", "routing_target": nil, "queue_name": "Sandbox queue",
		}},
		"interaction_context_sid": nil, "webhook_ttid": nil,
		"url": created.str("url"), "links": created.at("links"),
	}
	if diff := cmp.Diff(want, got.body); diff != "" {
		t.Errorf("fetch (-want +got):\n%s", diff)
	}

	const ttid = "flex_interactionwebhook_01jke8z8vte4ette30t5w9h081"
	for _, step := range []struct {
		name   string
		form   []string
		status int
		want   any
	}{
		{"malformed", []string{"WebhookTtid", "x"}, 400, nil},
		{"set", []string{"WebhookTtid", ttid}, 200, ttid},
		{"nothing sent", nil, 200, ttid},
		{"wrong case", []string{"webhookttid", "x"}, 200, ttid},
		{"cleared", []string{"WebhookTtid", ""}, 200, nil},
	} {
		a := c.post("/v1/Interactions/"+kd, step.form...)
		if a.status != step.status {
			t.Errorf("%s: status %d, want %d", step.name, a.status, step.status)
		}
		if a.status == 200 && (a.at("webhook_ttid") != step.want || a.at("routing") != nil) {
			t.Errorf("%s: %s", step.name, a.text)
		}
		if fetched := c.get("/v1/Interactions/" + kd); a.status == 200 && fetched.at("webhook_ttid") != step.want {
			t.Errorf("%s: fetched %v", step.name, fetched.at("webhook_ttid"))
		}
	}
}

// The first page a person sees shows what every answer of the edge carries.
func TestAnswerHeaders(t *testing.T) {
	c := start(t, sandbox.Options{})
	a := c.get("/v1/Interactions/" + sandbox.SeedInteraction)
	for name, pattern := range map[string]string{
		"Content-Type":                `^application/json$`,
		"Twilio-Request-Id":           `^RQ[0-9a-f]{32}$`,
		"Twilio-Request-Duration":     `^\d+\.\d{3}$`,
		"Twilio-Concurrent-Requests":  `^1$`,
		"X-Home-Region":               `^us1$`,
		"Strict-Transport-Security":   `^max-age=31536000$`,
		"Access-Control-Allow-Origin": `^\*$`,
	} {
		if got := a.header.Get(name); !regexp.MustCompile(pattern).MatchString(got) {
			t.Errorf("%s: %q does not match %s", name, got, pattern)
		}
	}
	page := c.get("/v1/Interactions/"+sandbox.SeedInteraction, "Origin", "https://example.com")
	if got := page.header.Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("a page of another site may read the sandbox: %q", got)
	}
}

func TestBaseURL(t *testing.T) {
	c := start(t, sandbox.Options{BaseURL: "https://flex.example.com:8443/v1/"})
	a := c.get("/v1/Interactions/" + sandbox.SeedInteraction + "/Channels")
	want := "https://flex.example.com:8443/v1/Interactions/" + sandbox.SeedInteraction + "/Channels?PageSize=50&Page=0"
	if got := a.str("meta", "url"); got != want {
		t.Errorf("meta.url = %s, want %s", got, want)
	}
	for _, tt := range []struct {
		host   string
		secure bool
		want   string
	}{
		{"sandbox.example:81", true, "https://sandbox.example:81/v1"},
		{"", false, "http://localhost/v1"}, // HTTP/1.0
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = tt.host
		if tt.secure {
			r.TLS = &tls.ConnectionState{}
		}
		w := httptest.NewRecorder()
		sandbox.New(sandbox.Options{}).ServeHTTP(w, r)
		if !strings.Contains(w.Body.String(), `"base_url":"`+tt.want+`"`) {
			t.Errorf("host %q: %s", tt.host, w.Body)
		}
	}
	derived := start(t, sandbox.Options{})
	a = derived.get("/v1/Interactions/" + sandbox.SeedInteraction)
	if got, want := a.str("url"), derived.url+"/v1/Interactions/"+sandbox.SeedInteraction; got != want {
		t.Errorf("url = %s, want %s", got, want)
	}
}
