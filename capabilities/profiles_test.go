package capabilities

import (
	"encoding/json"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// profileFile is the shape that the comment at the top of the file promises.
type profileFile struct {
	Profiles []profile `yaml:"profiles"`
}

type profile struct {
	Name          string   `yaml:"name"`
	Hosts         []string `yaml:"hosts"`
	Documentation string   `yaml:"documentation"`
	Body          struct {
		Default string   `yaml:"default"`
		JSON    []string `yaml:"json"`
	} `yaml:"body"`
	Credentials []struct {
		Scheme   string `yaml:"scheme"`
		Username string `yaml:"username"`
		Password string `yaml:"password"`
		Token    string `yaml:"token"`
	} `yaml:"credentials"`
	Variables    []string `yaml:"variables"`
	NotProcessed []int    `yaml:"not_processed"`
	RequestID    string   `yaml:"request_id"`
	Concurrent   string   `yaml:"concurrent_calls"`
	Error        struct {
		List     []string `yaml:"list"`
		Code     []string `yaml:"code"`
		Message  []string `yaml:"message"`
		Detail   []string `yaml:"detail"`
		Field    []string `yaml:"field"`
		MoreInfo []string `yaml:"more_info"`
		Status   []string `yaml:"status"`
	} `yaml:"error"`
	Advice struct {
		Code   map[int]string `yaml:"code"`
		Status map[int]string `yaml:"status"`
	} `yaml:"advice"`
}

func openProfiles(t *testing.T) map[string]profile {
	t.Helper()
	var file profileFile
	loadYAML(t, Profiles().Data, &file)
	byName := map[string]profile{}
	for _, p := range file.Profiles {
		if _, twice := byName[p.Name]; twice || p.Name == "" {
			t.Errorf("profile name %q is empty or used twice", p.Name)
		}
		byName[p.Name] = p
	}
	return byName
}

// encoding is the rule of body.default and body.json.
func (p profile) encoding(hostAndPath string) string {
	got := strings.Split(hostAndPath, "/")
	for _, address := range p.Body.JSON {
		want := strings.Split(address, "/")
		if len(got) >= len(want) && slices.EqualFunc(want, got[:len(want)], func(w, g string) bool { return w == "*" || w == g }) {
			return "json"
		}
	}
	return p.Body.Default
}

func TestProfilesAreComplete(t *testing.T) {
	profiles := openProfiles(t)
	if got := slices.Sorted(maps.Keys(profiles)); !slices.Equal(got, []string{"sendgrid", "twilio"}) {
		t.Fatalf("profiles %v", got)
	}
	for name, p := range profiles {
		if len(p.Hosts) == 0 {
			t.Errorf("%s: no hosts", name)
		}
		if _, err := url.ParseRequestURI(p.Documentation); err != nil {
			t.Errorf("%s: documentation: %v", name, err)
		}
		for _, c := range p.Credentials {
			basic := c.Username != "" && c.Password != "" && c.Token == ""
			bearer := c.Username == "" && c.Password == "" && c.Token != ""
			if !(c.Scheme == "basic" && basic || c.Scheme == "bearer" && bearer) {
				t.Errorf("%s: credentials %+v do not fit their scheme", name, c)
			}
		}
		for _, advice := range []map[int]string{p.Advice.Code, p.Advice.Status} {
			for key, text := range advice {
				if !strings.HasSuffix(text, ".") || strings.Count(text, ". ") > 0 {
					t.Errorf("%s: advice for %d is not one sentence: %q", name, key, text)
				}
			}
		}
	}
	for _, status := range profiles["twilio"].NotProcessed {
		if status < 400 {
			t.Errorf("twilio: a success (%d) was processed", status)
		}
	}
}

// The table of exceptions is measured against every body of every document
// that Twilio publishes.
func TestTwiliosBodyEncodings(t *testing.T) {
	sharedFile(t, "contracts", "twilio-oai", "LICENSE")
	twilio := openProfiles(t)["twilio"]
	files, err := filepath.Glob(filepath.Join("..", "..", "shared", "contracts", "twilio-oai", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	type server struct {
		URL string `json:"url"`
	}
	seen := map[string]int{}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Servers []server                              `json:"servers"`
			Paths   map[string]map[string]json.RawMessage `json:"paths"`
		}
		if err := json.Unmarshal(data, &doc); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for path, item := range doc.Paths {
			servers := doc.Servers
			if raw, ok := item["servers"]; ok {
				if err := json.Unmarshal(raw, &servers); err != nil {
					t.Fatalf("%s %s: %v", name, path, err)
				}
			}
			for _, method := range []string{"post", "put", "patch", "delete"} {
				want := mediaOf(t, item[method])
				if want == "" {
					continue
				}
				seen[want]++
				address := strings.TrimPrefix(servers[0].URL, "https://") + path
				if got := twilio.encoding(address); got != want {
					t.Errorf("%s %s: encoding %s, want %s", method, address, got, want)
				}
			}
		}
	}
	if seen["form"] != 430 || seen["json"] != 51 {
		t.Errorf("%v bodies were compared, want 430 forms and 51 JSON", seen)
	}
}

// mediaOf returns form, json or, for an operation without a body, "".
func mediaOf(t *testing.T, operation json.RawMessage) string {
	t.Helper()
	if operation == nil {
		return ""
	}
	var op struct {
		RequestBody struct {
			Content map[string]any `json:"content"`
		} `json:"requestBody"`
	}
	if err := json.Unmarshal(operation, &op); err != nil {
		t.Fatal(err)
	}
	for _, media := range []struct{ typ, word string }{{"application/x-www-form-urlencoded", "form"}, {"application/json", "json"}} {
		if _, ok := op.RequestBody.Content[media.typ]; ok {
			return media.word
		}
	}
	return ""
}

func TestSendGridIsJSON(t *testing.T) {
	sendgrid := openProfiles(t)["sendgrid"]
	var file struct {
		Capability struct {
			Consumes []struct {
				BaseURI string `yaml:"baseUri"`
			} `yaml:"consumes"`
		} `yaml:"capability"`
	}
	if err := yaml.Load(sharedFile(t, "corpus", "twilio", "sendgrid-mail-send.yaml"), &file); err != nil {
		t.Fatal(err)
	}
	base, err := url.Parse(file.Capability.Consumes[0].BaseURI)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(sendgrid.Hosts, base.Host) || sendgrid.encoding(base.Host+base.Path) != "json" {
		t.Errorf("%s is encoded as %s by %v", base, sendgrid.encoding(base.Host), sendgrid.Hosts)
	}
}
