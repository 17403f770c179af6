package sandbox_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The provider's own OpenAPI document is the judge of the answers. It is test
// data beside the repository; without it the judge is silent.
const contractFile = "contracts/twilio-oai/twilio_flex_v1.json"

// contract maps the documented paths to the schema of their 200 answer.
type contract struct {
	operations []operationSchema
}

type operationSchema struct {
	method string
	path   *regexp.Regexp
	schema *jsonschema.Schema
}

var loadContract = sync.OnceValues(func() (*contract, error) {
	file, err := findShared(contractFile)
	if err != nil || file == "" {
		return nil, err
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	allowNull(doc)
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("flex.json", doc); err != nil {
		return nil, err
	}
	c := &contract{}
	sids := strings.NewReplacer(
		"{InteractionSid}", "KD[0-9a-f]{32}", "{ChannelSid}", "UO[0-9a-f]{32}")
	for _, op := range []struct{ method, path, sid string }{
		{"post", "/v1/Interactions", ""},
		{"get", "/v1/Interactions/{Sid}", "KD"},
		{"post", "/v1/Interactions/{Sid}", "KD"},
		{"get", "/v1/Interactions/{InteractionSid}/Channels", ""},
		{"get", "/v1/Interactions/{InteractionSid}/Channels/{Sid}", "UO"},
		{"post", "/v1/Interactions/{InteractionSid}/Channels/{Sid}", "UO"},
		{"get", "/v1/Interactions/{InteractionSid}/Channels/{ChannelSid}/Invites", ""},
		{"get", "/v1/Interactions/{InteractionSid}/Channels/{ChannelSid}/Participants", ""},
	} {
		pointer := strings.NewReplacer("/", "~1", "{", "%7B", "}", "%7D").Replace(op.path)
		schema, err := compiler.Compile("flex.json#/paths/" + pointer + "/" + op.method +
			"/responses/200/content/application~1json/schema")
		if err != nil {
			return nil, err
		}
		pattern := sids.Replace(strings.Replace(op.path, "{Sid}", op.sid+"[0-9a-f]{32}", 1))
		c.operations = append(c.operations, operationSchema{
			method: strings.ToUpper(op.method),
			path:   regexp.MustCompile("^" + pattern + "$"),
			schema: schema,
		})
	}
	return c, nil
})

// allowNull turns OpenAPI 3.0's nullable into JSON Schema's type unions.
func allowNull(v any) {
	switch v := v.(type) {
	case map[string]any:
		if kind, ok := v["type"].(string); ok && v["nullable"] == true {
			v["type"] = []any{kind, "null"}
		}
		for _, member := range v {
			allowNull(member)
		}
	case []any:
		for _, member := range v {
			allowNull(member)
		}
	}
}

// findShared looks for test data in the directory shared beside the module;
// "" where there is none.
func findShared(name string) (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			file := filepath.Join(dir, "..", "shared", filepath.FromSlash(name))
			if _, err := os.Stat(file); err != nil {
				return "", nil
			}
			return file, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", nil
		}
		dir = parent
	}
}

// checkContract fails the test where a success answer of a documented
// operation is not what the document promises.
func checkContract(t *testing.T, method, path string, body []byte) {
	t.Helper()
	c, err := loadContract()
	if err != nil {
		t.Fatalf("loading the contract: %v", err)
	}
	if c == nil || !strings.HasPrefix(path, "/v1/") {
		return
	}
	schema := c.find(method, path)
	if schema == nil {
		t.Errorf("%s %s is not in the contract but answers 200", method, path)
		return
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Errorf("%s %s: not JSON: %v", method, path, err)
		return
	}
	if err := schema.Validate(value); err != nil {
		t.Errorf("%s %s breaks the contract: %v\n%s", method, path, err, body)
	}
}

func (c *contract) find(method, path string) *jsonschema.Schema {
	for _, op := range c.operations {
		if op.method == method && op.path.MatchString(path) {
			return op.schema
		}
	}
	return nil
}

// The judge itself must be able to say no.
func TestContractRefusesWrongAnswers(t *testing.T) {
	c, err := loadContract()
	if err != nil {
		t.Fatal(err)
	}
	if c == nil {
		t.Skip("the provider's OpenAPI document is not here")
	}
	kd, uo := "KD5d1f0a7c3b9e48a2b6c4d8e0f1a2b3c4", "UO9c8b7a6d5e4f30211223344556677889"
	for _, tt := range []struct{ name, path, body string }{
		{"wrong prefix", "/v1/Interactions/" + kd, `{"sid":"` + uo + `"}`},
		{"unknown status", channelPath(kd, uo), `{"status":"open"}`},
		{"relative url", channelPath(kd, uo), `{"url":"Channels"}`},
		{"list of strings", "/v1/Interactions/" + kd + "/Channels", `{"channels":["x"]}`},
		{"page as text", "/v1/Interactions/" + kd + "/Channels", `{"meta":{"page":"0"}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			value, err := jsonschema.UnmarshalJSON(strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if err := c.find("GET", tt.path).Validate(value); err == nil {
				t.Errorf("the contract accepts %s", tt.body)
			}
		})
	}
}
