package sandbox_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"patchbay/internal/sandbox"
)

// wantError checks the whole error object: code, message, link and status.
func wantError(t *testing.T, a answer, status, code int, message string) {
	t.Helper()
	want := map[string]any{"message": message, "status": float64(status)}
	if code != 0 {
		want["code"] = float64(code)
		want["more_info"] = "https://www.twilio.com/docs/errors/" + strconv.Itoa(code)
	}
	got := map[string]any{}
	for k, v := range a.body {
		if k != "detail" {
			got[k] = v
		}
	}
	if diff := cmp.Diff(want, got); a.status != status || diff != "" {
		t.Errorf("status %d, want %d; body (-want +got):\n%s", a.status, status, diff)
	}
	if got := a.header.Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type %q", got)
	}
}

func TestAuthentication(t *testing.T) {
	const seed = "/v1/Interactions/" + sandbox.SeedInteraction
	basic := func(user, pass string) string {
		r, err := http.NewRequest(http.MethodGet, "/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth(user, pass)
		return r.Header.Get("Authorization")
	}
	exact := sandbox.Options{Username: "SK0123", Password: "right"}
	for _, tt := range []struct {
		name    string
		o       sandbox.Options
		header  string
		message string // "" means admitted
	}{
		{"none", sandbox.Options{}, "", "Authentication Error - No credentials provided"},
		{"bearer", sandbox.Options{}, "Bearer abc", "Authentication Error - invalid username"},
		{"not base64", sandbox.Options{}, "Basic !!", "Authentication Error - invalid username"},
		{"empty user", sandbox.Options{}, basic("", "x"), "Authentication Error - invalid username"},
		{"odd user", sandbox.Options{}, basic("a b", "x"), "Authentication Error - invalid username"},
		{"endless user", sandbox.Options{}, basic(strings.Repeat("a", 129), "x"), "Authentication Error - invalid username"},
		{"empty password", sandbox.Options{}, basic("SK0123", ""), "Authenticate"},
		{"any account", sandbox.Options{}, basic(testUser, "x"), ""},
		{"any key", sandbox.Options{}, basic("SK0123", "x"), ""},
		{"any name", sandbox.Options{}, basic("me", "pass:with:colons"), ""},
		{"exact", exact, basic("SK0123", "right"), ""},
		{"wrong password", exact, basic("SK0123", "wrong"), "Authenticate"},
		{"wrong user", exact, basic("SK0124", "right"), "Authenticate"},
		{"prefix of the password", exact, basic("SK0123", "righ"), "Authenticate"},
		{"only the user is given, right", sandbox.Options{Username: "me"}, basic("me", "x"), ""},
		{"only the user is given, wrong", sandbox.Options{Username: "me"}, basic("you", "x"), "Authenticate"},
		{"only the user is given, no password", sandbox.Options{Username: "me"}, basic("me", ""), "Authenticate"},
		{"only the password is given, wrong", sandbox.Options{Password: "p"}, basic("me", "x"), "Authenticate"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := start(t, tt.o)
			a := c.get(seed, "Authorization", tt.header)
			if tt.message == "" {
				if a.status != http.StatusOK {
					t.Fatalf("refused: %d %s", a.status, a.text)
				}
				return
			}
			wantError(t, a, http.StatusUnauthorized, 20003, tt.message)
			if got := a.header.Get("WWW-Authenticate"); got != `Basic realm="Twilio API"` {
				t.Errorf("WWW-Authenticate: %q", got)
			}
			if got := a.str("detail"); got != "Your AccountSid or AuthToken was incorrect." {
				t.Errorf("detail: %q", got)
			}
		})
	}
}

func TestPathsThatDoNotExist(t *testing.T) {
	const kd, uo = sandbox.SeedInteraction, sandbox.SeedChannel
	unknown := "KD5d1f0a7c3b9e48a2b6c4d8e0f1a2b3c4"
	c := start(t, sandbox.Options{})
	other, _, _ := c.create(webChannel, anyRouting)
	for _, path := range []string{
		"/interactions/" + kd,
		"/Interactions/" + kd + "/channels",
		"/Interactions/" + kd + "/",
		"/Interactions//" + kd,
		"/Interactions/" + kd + "/Channels/" + uo + "/invites",
		"/Interactions/" + kd + "/Channels/" + uo + "/Transfers",
		"/Interactions/" + kd + "/Channels/" + uo + "/Invites/KG5eed0000000000000000000000000001",
		"/Interactions/" + unknown,
		"/Interactions/" + unknown + "/Channels",
		"/Interactions/" + kd + "/Channels/UO9c8b7a6d5e4f30211223344556677889",
		"/Interactions/" + other + "/Channels/" + uo,
		"/Interactions/" + strings.Replace(kd, "KD", "kd", 1),
		"/Interactions/" + strings.Replace(kd, "KD", "UO", 1),
		"/Interactions/" + kd[:33],
		"/Interactions/" + kd + "0",
		"/Interactions/" + kd[:33] + "g",
		"/Interactions/" + kd + "%2FChannels",
		"/Interactions%2F" + kd,
		"/Interactions/" + kd[:31] + "%00",
		"/Interactions/" + kd[:30] + "%F0%9F%98%80",
		"/Interactions/..",
		"/Interactions.json",
		"/a/b/c/d/e/f/g/h/i/j/k",
	} {
		t.Run(path, func(t *testing.T) {
			wantError(t, c.get("/v1"+path), http.StatusNotFound, 20404, "The requested resource "+path+" was not found")
		})
	}
	for _, path := range []string{"/v2/Interactions/" + kd, "/Interactions/" + kd, "/v1"} {
		wantError(t, c.get(path), http.StatusNotFound, 20404, "The requested resource "+path+" was not found")
	}
	long := c.get("/v1/Interactions/" + strings.Repeat("x", 10<<10))
	if long.status != http.StatusNotFound || len(long.text) > 1024 {
		t.Errorf("10 kB path: status %d, answer of %d bytes", long.status, len(long.text))
	}
	// An escaped letter is the letter.
	if a := c.get("/v1/Int%65ractions/" + kd); a.status != http.StatusOK {
		t.Errorf("escaped letter: %d", a.status)
	}
}

func TestMethods(t *testing.T) {
	const kd, uo = "/v1/Interactions/" + sandbox.SeedInteraction, sandbox.SeedChannel
	c := start(t, sandbox.Options{})
	for _, tt := range []struct{ method, path, allow string }{
		{"GET", "/v1/Interactions", "POST"},
		{"DELETE", kd, "GET, HEAD, POST"},
		{"PUT", kd, "GET, HEAD, POST"},
		{"PATCH", kd + "/Channels/" + uo, "GET, HEAD, POST"},
		{"POST", kd + "/Channels", "GET, HEAD"},
		{"POST", kd + "/Channels/" + uo + "/Invites", "GET, HEAD"},
		{"OPTIONS", kd, "GET, HEAD, POST"},
	} {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			a := c.do(tt.method, tt.path, "", "")
			wantError(t, a, http.StatusMethodNotAllowed, 20004, "Method not allowed")
			if got := a.header.Get("Allow"); got != tt.allow {
				t.Errorf("Allow: %q, want %q", got, tt.allow)
			}
		})
	}
	head := c.do(http.MethodHead, kd, "", "")
	if head.status != http.StatusOK || head.text != "" || head.header.Get("Content-Length") == "0" {
		t.Errorf("HEAD: %d, body %q", head.status, head.text)
	}
}

func TestCreateRefuses(t *testing.T) {
	const (
		missing = "Missing required parameter Channel in the post body"
		invalid = "Validation Error: "
		web     = `{"type":"web","initiated_by":"api"`
		sms     = `{"type":"sms","initiated_by":"api","participants":`
		email   = `{"type":"email","initiated_by":"api","properties":{"from":"a@b.c","from_name":"A"},"participants":`
		agent   = `{"type":"web","initiated_by":"agent","participants":[{"identity":"x"}]}`
	)
	deep := `{"type":"web","initiated_by":"api","x":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + "}"
	withRouting := func(channel string) string { return encodeForm("Channel", channel, "Routing", anyRouting) }
	routing := func(props string) string {
		return encodeForm("Channel", webChannel, "Routing", `{"properties":{"workspace_sid":"`+workspace+`"`+props+`}}`)
	}
	for _, tt := range []struct {
		name, contentType, body string
		code                    int
		message                 string
	}{
		{"nothing", "", "", 20001, missing},
		{"JSON body", "application/json", `{"Channel":` + webChannel + `,"Routing":` + anyRouting + `}`, 20001, missing},
		{"form without content type", "", withRouting(webChannel), 20001, missing},
		{"form as text", "text/plain", withRouting(webChannel), 20001, missing},
		{"multipart without boundary", "multipart/form-data", withRouting(webChannel), 20001, missing},
		{"broken multipart", "multipart/form-data; boundary=x", "--x\r\nContent-Dis", 20001, missing},
		{
			"file part", "multipart/form-data; boundary=x",
			"--x\r\nContent-Disposition: form-data; name=\"Channel\"; filename=\"c\"\r\n\r\n" + webChannel + "\r\n--x--\r\n", 20001, missing,
		},
		{"lower-case keys", formType, encodeForm("channel", webChannel, "routing", anyRouting), 20001, missing},
		{"empty Channel", formType, encodeForm("Channel", "", "Routing", anyRouting), 20001, missing},
		{"no Routing", formType, encodeForm("Channel", webChannel), 20001, "Missing required parameter Routing in the post body"},

		{"Channel no JSON", formType, withRouting("web"), 45004, invalid + "Channel must be JSON text"},
		{"Channel cut off", formType, withRouting(web), 45004, invalid + "Channel must be JSON text"},
		{"Channel two values", formType, withRouting(webChannel + webChannel), 45004, invalid + "Channel must be JSON text"},
		{"Channel with NUL", formType, withRouting("\x00" + webChannel), 45004, invalid + "Channel must be JSON text"},
		{"Channel no UTF-8", formType, "Channel=%7B%22type%22%3A%22%FF%22%7D", 45004, invalid + "Channel must be JSON text"},
		{"Channel too deep", formType, withRouting(deep), 45004, invalid + "Channel must not be nested deeper than 64 levels"},
		{
			"Channel encoded twice", formType, withRouting(`"{\"type\":\"web\",\"initiated_by\":\"api\"}"`), 45004,
			invalid + "Channel must be a JSON object, not a JSON string: it was encoded twice",
		},
		{"Channel array", formType, withRouting("[]"), 45004, invalid + "Channel must be a JSON object"},
		{"Channel null", formType, withRouting("null"), 45004, invalid + "Channel must be a JSON object"},
		{"Channel empty", formType, withRouting("{}"), 45004, invalid + "Channel.type is required"},
		{"keys in the wrong case", formType, withRouting(`{"Type":"web","InitiatedBy":"api"}`), 45004, invalid + "Channel.type is required"},
		{
			"emoji", formType, withRouting(`{"type":"😀","initiated_by":"api"}`), 45004,
			invalid + "Channel.type must be one of sms, whatsapp, web, chat, email, messenger, gbm",
		},
		{
			"facebook", formType, withRouting(`{"type":"facebook","initiated_by":"api"}`), 45004,
			invalid + "Channel.type must be one of sms, whatsapp, web, chat, email, messenger, gbm",
		},
		{
			"voice", formType, withRouting(`{"type":"voice","initiated_by":"api"}`), 45004,
			invalid + "Channel.type must be one of sms, whatsapp, web, chat, email, messenger, gbm",
		},
		{"type a number", formType, withRouting(`{"type":5,"initiated_by":"api"}`), 45004, invalid + "Channel.type must be a string"},
		{"no initiator", formType, withRouting(`{"type":"web"}`), 45004, invalid + "Channel.initiated_by is required"},
		{
			"odd initiator", formType, withRouting(`{"type":"web","initiated_by":"bot"}`), 45004,
			invalid + "Channel.initiated_by must be one of customer, agent, api",
		},
		{"properties an array", formType, withRouting(web + `,"properties":[]}`), 45004, invalid + "Channel.properties must be an object"},
		{
			"media no SID", formType, withRouting(web + `,"properties":{"media_channel_sid":"CH1"}}`), 45004,
			invalid + "Channel.properties.media_channel_sid must be a SID of the form CH and 32 hexadecimal digits",
		},
		{
			"sid no SID", formType, withRouting(web + `,"sid":"UO1"}`), 45004,
			invalid + "Channel.sid must be a SID of the form UO and 32 hexadecimal digits",
		},
		{"participants an object", formType, withRouting(web + `,"participants":{}}`), 45004, invalid + "Channel.participants must be an array"},
		{"participant null", formType, withRouting(web + `,"participants":[null]}`), 45004, invalid + "Channel.participants[0] must be an object"},
		{
			"participant a text", formType, withRouting(web + `,"participants":[{"identity":"a"},"x"]}`), 45004,
			invalid + "Channel.participants[1] must be an object",
		},

		{
			"customer without Conversation", formType, withRouting(`{"type":"web","initiated_by":"customer"}`), 45366,
			"Channel.properties.media_channel_sid is required when initiated_by is customer",
		},
		{
			"agent without participants", formType, withRouting(`{"type":"web","initiated_by":"agent","participants":[]}`), 45366,
			"Channel.participants is required when initiated_by is agent",
		},
		{
			"email without sender", formType, withRouting(`{"type":"email","initiated_by":"api","properties":{"from":"a@b.c"}}`), 45366,
			"Channel.properties.from and from_name are required for email when initiated_by is api",
		},
		{
			"unknown channel", formType, withRouting(web + `,"sid":"UO9c8b7a6d5e4f30211223344556677889"}`), 45366,
			"Channel.sid UO9c8b7a6d5e4f30211223344556677889 was not found",
		},
		{
			"existing channel of another type", formType, withRouting(`{"type":"sms","initiated_by":"api","sid":"` + sandbox.SeedChannel + `"}`), 45366,
			"Channel.type is not the type of the channel " + sandbox.SeedChannel,
		},

		{
			"identity and addresses", formType, withRouting(sms + `[{"identity":"x","address":"+1","proxy_address":"+2"}]}`), 45351,
			"Channel.participants[0] must have either identity or address and proxy_address",
		},
		{
			"neither", formType, withRouting(sms + `[{}]}`), 45351,
			"Channel.participants[0] must have either identity or address and proxy_address",
		},
		{
			"half a pair", formType, withRouting(sms + `[{"address":"+1"}]}`), 45367,
			"Channel.participants[0] needs both address and proxy_address",
		},
		{
			"identity by sms", formType, withRouting(sms + `[{"identity":"x"}]}`), 45367,
			"Channel.participants[0] needs address and proxy_address for sms",
		},
		{
			"addresses by web", formType, withRouting(web + `,"participants":[{"address":"+1","proxy_address":"+2"}]}`), 45367,
			"Channel.participants[0] needs identity for web",
		},
		{
			"whatsapp without prefix", formType, withRouting(`{"type":"whatsapp","initiated_by":"api","participants":[{"address":"+1","proxy_address":"whatsapp:+2"}]}`), 45367,
			"Channel.participants[0]: address and proxy_address start with whatsapp:",
		},
		{"email without address", formType, withRouting(email + `[{"level":"to"}]}`), 45367, "Channel.participants[0].address is required for email"},
		{
			"email at no level", formType, withRouting(email + `[{"address":"x@y.z","level":"from"}]}`), 45367,
			"Channel.participants[0].level must be one of to, cc, bcc",
		},

		{"Routing no JSON", formType, encodeForm("Channel", webChannel, "Routing", "{"), 45004, invalid + "Routing must be JSON text"},
		{
			"Routing encoded twice", formType, encodeForm("Channel", webChannel, "Routing", `"{}"`), 45004,
			invalid + "Routing must be a JSON object, not a JSON string: it was encoded twice",
		},
		{"Routing empty", formType, encodeForm("Channel", webChannel, "Routing", "{}"), 45004, invalid + "Routing.properties is required"},
		{
			"no workspace", formType, encodeForm("Channel", webChannel, "Routing", `{"properties":{}}`), 45004,
			invalid + "Routing.properties.workspace_sid is required",
		},
		{
			"workspace no SID", formType, encodeForm("Channel", webChannel, "Routing", `{"properties":{"workspace_sid":"WSx"}}`), 45004,
			invalid + "Routing.properties.workspace_sid must be a SID of the form WS and 32 hexadecimal digits",
		},
		{
			"workflow of another prefix", formType, routing(`,"workflow_sid":"` + queue + `"`), 45004,
			invalid + "Routing.properties.workflow_sid must be a SID of the form WW and 32 hexadecimal digits",
		},
		{"attributes as text", formType, routing(`,"attributes":"{}"`), 45004, invalid + "Routing.properties.attributes must be an object"},
		{"priority as text", formType, routing(`,"priority":"1"`), 45004, invalid + "Routing.properties.priority must be an integer of at least 0"},
		{"timeout negative", formType, routing(`,"timeout":-1`), 45004, invalid + "Routing.properties.timeout must be an integer of at least 0"},
		{"timeout fraction", formType, routing(`,"timeout":1.5`), 45004, invalid + "Routing.properties.timeout must be an integer of at least 0"},
		{"agent without queue", formType, withRouting(agent), 45004, invalid + "Routing.properties.queue_sid is required"},
		{"agent without worker", formType, encodeForm("Channel", agent, "Routing",
			`{"properties":{"workspace_sid":"`+workspace+`","queue_sid":"`+queue+`"}}`), 45004, invalid + "Routing.properties.worker_sid is required"},
		{
			"context no SID", formType, withRouting(webChannel) + "&InteractionContextSid=HQ1", 45004,
			invalid + "InteractionContextSid must be a SID of the form HQ and 32 hexadecimal digits",
		},
		{
			"webhook too long", formType, withRouting(webChannel) + "&WebhookTtid=" + strings.Repeat("x", 129), 45004,
			invalid + "WebhookTtid must be flex_interactionwebhook_ and 26 characters",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := start(t, sandbox.Options{})
			a := c.do(http.MethodPost, "/v1/Interactions", tt.contentType, tt.body)
			wantError(t, a, http.StatusBadRequest, tt.code, tt.message)
			if n := c.get("/.sandbox/").at("state", "interactions"); n != 1.0 {
				t.Errorf("a refused create left %v interactions", n)
			}
		})
	}
}

func TestUpdateChannelRefuses(t *testing.T) {
	const path = "/v1/Interactions/" + sandbox.SeedInteraction + "/Channels/" + sandbox.SeedChannel
	const invalid = "Validation Error: "
	for _, tt := range []struct {
		name    string
		form    []string
		code    int
		message string
		detail  string
	}{
		{"nothing", nil, 20001, "Missing required parameter Status in the post body", ""},
		{"lower case", []string{"status", "closed"}, 20001, "Missing required parameter Status in the post body", ""},
		{"empty", []string{"Status", ""}, 20001, "Missing required parameter Status in the post body", ""},
		{
			"wrapup",
			[]string{"Status", "wrapup"},
			45359, "The channel status is invalid",
			"Status must be closed or inactive; wrapup is a status of participants",
		},
		{"close", []string{"Status", "close"}, 45359, "The channel status is invalid", "Status must be closed or inactive"},
		{"capitals", []string{"Status", "Closed"}, 45359, "The channel status is invalid", "Status must be closed or inactive"},
		{"active", []string{"Status", "active"}, 45359, "The channel status is invalid", "Status must be closed or inactive"},
		{"inactive alone", []string{"Status", "inactive"}, 45004, invalid + "Routing.status must be closed when Status is inactive", ""},
		{
			"inactive, empty Routing",
			[]string{"Status", "inactive", "Routing", "{}"},
			45004,
			invalid + "Routing.status must be closed when Status is inactive", "",
		},
		{"Routing.status", []string{"Status", "closed", "Routing", `{"status":"wrapping"}`}, 45004, invalid + "Routing.status must be one of closed", ""},
		{"Routing no JSON", []string{"Status", "closed", "Routing", "closed"}, 45004, invalid + "Routing must be JSON text", ""},
		{
			"Routing encoded twice",
			[]string{"Status", "closed", "Routing", `"{\"status\":\"closed\"}"`},
			45004,
			invalid + "Routing must be a JSON object, not a JSON string: it was encoded twice", "",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := start(t, sandbox.Options{})
			a := c.post(path, tt.form...)
			wantError(t, a, http.StatusBadRequest, tt.code, tt.message)
			if got := a.str("detail"); got != tt.detail {
				t.Errorf("detail %q, want %q", got, tt.detail)
			}
			if got := c.status(sandbox.SeedInteraction, sandbox.SeedChannel); got != "active" {
				t.Errorf("a refused update left the channel %s", got)
			}
		})
	}
}

// Where several things are wrong, the documented order decides.
func TestOrderOfChecks(t *testing.T) {
	const unknown = "/v1/Interactions/KD5d1f0a7c3b9e48a2b6c4d8e0f1a2b3c4/Channels/UO9c8b7a6d5e4f30211223344556677889"
	c := start(t, sandbox.Options{})
	for _, tt := range []struct {
		name, method, path, body, auth string
		status                         int
	}{
		{"credentials before path", "GET", "/nowhere", "", "none", 401},
		{"path before method", "DELETE", "/v1/Interactions/KD1", "", "", 404},
		{"method before body", "POST", "/v1/Interactions/" + sandbox.SeedInteraction + "/Channels", "x", "", 405},
		{"required key before existence", "POST", unknown, "", "", 400},
		{"shape before existence", "POST", unknown, "Status=wrapup", "", 400},
		{"existence after all", "POST", unknown, "Status=closed", "", 404},
		{"existence of the interaction", "POST", unknown[:len("/v1/Interactions/")+34], "WebhookTtid=x", "", 404},
		{"existence before paging", "GET", unknown + "/Invites?PageSize=0", "", "", 404},
		{"paging of invites", "GET", channelPath(sandbox.SeedInteraction, sandbox.SeedChannel) + "/Invites?PageSize=0", "", "", 400},
		{"paging of participants", "GET", channelPath(sandbox.SeedInteraction, sandbox.SeedChannel) + "/Participants?PageSize=0", "", "", 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			header := []string{}
			if tt.auth == "none" {
				header = []string{"Authorization", ""}
			}
			if a := c.do(tt.method, tt.path, formType, tt.body, header...); a.status != tt.status {
				t.Errorf("status %d, want %d: %s", a.status, tt.status, a.text)
			}
		})
	}
}

func TestInputBounds(t *testing.T) {
	c := start(t, sandbox.Options{})
	a := c.do(http.MethodPost, "/v1/Interactions", formType, "Channel="+strings.Repeat("x", 1<<20))
	wantError(t, a, http.StatusRequestEntityTooLarge, 0, "The request is too large: body of more than 1 MiB")
	a = c.do(http.MethodPost, "/v1/Interactions", formType, strings.Repeat("a=b&", 1001))
	wantError(t, a, http.StatusRequestEntityTooLarge, 0, "The request is too large: more than 1000 parameters")
	var parts strings.Builder
	for range 1001 {
		parts.WriteString("--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n")
	}
	a = c.do(http.MethodPost, "/v1/Interactions", "multipart/form-data; boundary=x", parts.String()+"--x--\r\n")
	wantError(t, a, http.StatusRequestEntityTooLarge, 0, "The request is too large: more than 1000 parameters")
	many := strings.TrimSuffix(strings.Repeat(`{"identity":"x"},`, 1001), ",")
	a = c.post("/v1/Interactions", "Channel", `{"type":"web","initiated_by":"api","participants":[`+many+`]}`, "Routing", anyRouting)
	wantError(t, a, http.StatusBadRequest, 45367, "Channel.participants: at most 1000")
}

// A source of randomness that ends or repeats itself is an error of ours, and
// never a half-made interaction.
func TestRandomnessFails(t *testing.T) {
	for name, source := range map[string]*strings.Reader{
		"ends at once": strings.NewReader(""),
		"ends midway":  strings.NewReader(strings.Repeat("0123456789abcdef", 3)),
	} {
		t.Run(name, func(t *testing.T) {
			c := start(t, sandbox.Options{Rand: source})
			a := c.post("/v1/Interactions", "Channel", webChannel, "Routing", anyRouting)
			wantError(t, a, http.StatusInternalServerError, 20500, "An internal server error has occurred")
			if n := c.get("/.sandbox/").at("state", "interactions"); n != 1.0 {
				t.Errorf("%v interactions are left", n)
			}
		})
	}
	c := start(t, sandbox.Options{Rand: zeros{}})
	c.create(webChannel, anyRouting)
	a := c.post("/v1/Interactions", "Channel", webChannel, "Routing", anyRouting)
	wantError(t, a, http.StatusInternalServerError, 20500, "An internal server error has occurred")
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
