package mcp_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"patchbay/internal/mcp"
)

// The fixture's tools, resources and prompts bear the names that the official
// conformance suite calls, so that the stories here and a run of the suite speak
// of the same things.

var (
	png = []byte("\x89PNG\r\n\x1a\n")
	wav = []byte("RIFF\x04\x00\x00\x00WAVE")
)

func ptr[T any](v T) *T { return &v }

const noInput = `{"type":"object","additionalProperties":false}`

func returns(res mcp.Result) func(context.Context, *mcp.Call) (mcp.Result, error) {
	return func(context.Context, *mcp.Call) (mcp.Result, error) { return res, nil }
}

func content(blocks ...mcp.Content) mcp.Result { return mcp.Result{Content: blocks} }

func simple(name, description string, call func(context.Context, *mcp.Call) (mcp.Result, error)) mcp.Tool {
	return mcp.Tool{Name: name, Description: description, InputSchema: []byte(noInput), Call: call}
}

// fixture returns the options of the server that most tests talk to.
func fixture() mcp.Options {
	return mcp.Options{
		Name: "fixture", Title: "Fixture", Version: "1.2.3",
		Instructions: "Call greet first.",
		Tools:        append(contentTools(), behaviourTools()...),
		Resources:    fixtureResources(),
		Templates:    fixtureTemplates(),
		Prompts:      fixturePrompts(),
		Complete:     complete,
		TTL:          time.Minute,
		CacheScope:   "public",
	}
}

func contentTools() []mcp.Tool {
	image := mcp.Content{Kind: mcp.Image, Data: png, MIMEType: "image/png"}
	note := mcp.Content{Kind: mcp.EmbeddedResource, Resource: &mcp.ResourceContents{
		URI: "test://note", MIMEType: "text/plain", Text: "a note",
	}}
	return []mcp.Tool{
		{
			Name: "greet", Title: "Greet", Description: "Greets somebody.",
			InputSchema:  []byte(`{"type":"object","properties":{"name":{"type":"string"}},"required":["name"]}`),
			OutputSchema: []byte(`{"type":"object","properties":{"greeting":{"type":"string"}}}`),
			Annotations:  &mcp.Annotations{ReadOnly: ptr(true), OpenWorld: ptr(false)},
			Meta:         []byte(`{"example.com/cost": 1}`),
			Call: func(_ context.Context, c *mcp.Call) (mcp.Result, error) {
				return mcp.JSONResult(fmt.Appendf(nil, "{\n  \"greeting\": \"hello\",\r\n  \"arguments\": %s\n}", c.Arguments)), nil
			},
		},
		simple("test_simple_text", "Returns text.", returns(content(mcp.TextContent("This is a simple text response for testing.")))),
		simple("test_image_content", "Returns an image.", returns(content(image))),
		simple("test_audio_content", "Returns audio.", returns(content(mcp.Content{Kind: mcp.Audio, Data: wav, MIMEType: "audio/wav"}))),
		simple("test_embedded_resource", "Returns a resource.", returns(content(note))),
		simple("test_multiple_content_types", "Returns several blocks.", returns(content(mcp.TextContent("Multiple content types test:"), image, note))),
		simple("test_link", "Returns a link.", returns(content(mcp.Content{
			Kind: mcp.ResourceLink,
			Link: &mcp.Link{URI: "test://static-text", Name: "static", Title: "Static", MIMEType: "text/plain", Size: ptr[int64](9)},
			Annotations: &mcp.ContentAnnotations{
				Audience: []string{"user", "assistant"}, Priority: ptr(0.5), LastModified: "2026-01-02T03:04:05Z",
			},
		}))),
		simple("test_empty", "Returns nothing.", returns(mcp.Result{})),
	}
}

func behaviourTools() []mcp.Tool {
	return []mcp.Tool{
		simple("test_error_handling", "Fails.", returns(mcp.ErrorResult("This tool intentionally returns an error for testing"))),
		simple("test_silent_error", "Fails with a document only.", returns(mcp.Result{Structured: []byte(`{"code":20404}`), IsError: true})),
		simple("test_mute_error", "Fails with an image.", returns(mcp.Result{
			Content: []mcp.Content{{Kind: mcp.Image, Data: png, MIMEType: "image/png"}}, IsError: true,
		})),
		{
			Name: "test_forgetful", Description: "Promises a document and returns none.",
			InputSchema: []byte(noInput), OutputSchema: []byte(`{"type":"object"}`),
			Call: returns(content(mcp.TextContent("done"))),
		},
		simple("test_array", "Returns an array as document.", returns(mcp.JSONResult([]byte(`[1]`)))),
		simple("test_panic", "Panics.", func(context.Context, *mcp.Call) (mcp.Result, error) { panic("boom") }),
		simple("test_bad_block", "Returns a link without a link.", returns(content(mcp.Content{Kind: mcp.ResourceLink}))),
		simple("test_protocol_error", "Returns a protocol error.", func(context.Context, *mcp.Call) (mcp.Result, error) {
			return mcp.Result{}, fmt.Errorf("wrapped: %w", &mcp.Error{Code: 1234, Message: "out of stock", Data: []byte(`{"left":0}`)})
		}),
		simple("test_reserved_error", "Returns an error with a reserved code.", func(context.Context, *mcp.Call) (mcp.Result, error) {
			return mcp.Result{}, &mcp.Error{Code: -32020, Message: "not a header mismatch"}
		}),
		simple("test_plain_error", "Returns an error that is not for the client.", func(context.Context, *mcp.Call) (mcp.Result, error) {
			return mcp.Result{}, errors.New("password is hunter2")
		}),
		simple("test_tool_with_progress", "Reports progress.", func(_ context.Context, c *mcp.Call) (mcp.Result, error) {
			c.Progress(0, 100, "starting")
			c.Progress(50, 100, "half")
			c.Progress(50, 100, "not further")
			c.Progress(100, 0, "")
			return content(mcp.TextContent("done")), nil
		}),
		simple("test_wait", "Waits until it is cancelled.", func(ctx context.Context, _ *mcp.Call) (mcp.Result, error) {
			<-ctx.Done()
			return mcp.Result{}, ctx.Err()
		}),
		simple("test_client", "Says who calls.", func(_ context.Context, c *mcp.Call) (mcp.Result, error) {
			who := c.Client()
			return content(mcp.TextContent(fmt.Sprintf("%s %s, %s, X-Tenant %q", who.Name, who.Version, c.Era, c.Header.Get("X-Tenant")))), nil
		}),
		{
			Name: "test_missing_capability", Description: "Needs sampling.", InputSchema: []byte(noInput),
			RequiresClientCapabilities: []string{"sampling"},
			Call:                       returns(content(mcp.TextContent("sampled"))),
		},
		{
			Name: "test_x_mcp_header", Description: "Has parameters that are mirrored.",
			InputSchema: []byte(`{"type":"object","properties":{` +
				`"region":{"type":"string","x-mcp-header":"Region"},` +
				`"place":{"type":"object","properties":{"floor":{"type":"integer","x-mcp-header":"Floor"}}},` +
				`"dry":{"type":"boolean","x-mcp-header":"Dry-Run"}}}`),
			Call: returns(content(mcp.TextContent("routed"))),
		},
		{
			Name: "json_schema_2020_12_tool", Description: "Has a schema with many keywords.",
			InputSchema: []byte(`{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object",` +
				`"$defs":{"address":{"$anchor":"addressDef","type":"object","properties":{"street":{"type":"string"},"city":{"type":"string"}}}},` +
				`"properties":{"name":{"type":"string"},"address":{"$ref":"#/$defs/address"},"contactMethod":{"type":"string","enum":["phone","email"]},` +
				`"phone":{"type":"string"},"email":{"type":"string"}},"allOf":[{"anyOf":[{"required":["phone"]},{"required":["email"]}]}],` +
				`"if":{"properties":{"contactMethod":{"const":"phone"}},"required":["contactMethod"]},"then":{"required":["phone"]},` +
				`"else":{"required":["email"]},"additionalProperties":false}`),
			Call: returns(content(mcp.TextContent("kept"))),
		},
		simple("test_streaming_elicitation", "Returns text.", returns(content(mcp.TextContent("plain")))),
		simple("test_logging_tool", "Returns text.", returns(content(mcp.TextContent("plain")))),
	}
}

func fixtureResources() []mcp.Resource {
	return []mcp.Resource{
		{
			URI: "test://static-text", Name: "Static text", MIMEType: "text/plain", Size: ptr[int64](9), TTL: time.Second,
			Annotations: &mcp.ContentAnnotations{Priority: ptr(1.0)},
			Read: func(context.Context, string) ([]mcp.ResourceContents, error) {
				return []mcp.ResourceContents{{MIMEType: "text/plain", Text: "some text"}}, nil
			},
		},
		{
			URI: "test://static-binary", Name: "Static binary", Title: "Binary", Description: "An image.", MIMEType: "image/png",
			Read: func(context.Context, string) ([]mcp.ResourceContents, error) {
				return []mcp.ResourceContents{{MIMEType: "image/png", Blob: png}}, nil
			},
		},
		{
			URI: "test://gone", Name: "Gone",
			Read: func(context.Context, string) ([]mcp.ResourceContents, error) {
				return nil, fmt.Errorf("upstream: %w", mcp.ErrResourceNotFound)
			},
		},
		{
			URI: "test://empty", Name: "Empty",
			Read: func(context.Context, string) ([]mcp.ResourceContents, error) { return nil, nil },
		},
		{
			URI: "test://broken", Name: "Broken",
			Read: func(context.Context, string) ([]mcp.ResourceContents, error) {
				return nil, errors.New("password is hunter2")
			},
		},
	}
}

func fixtureTemplates() []mcp.ResourceTemplate {
	return []mcp.ResourceTemplate{{
		URITemplate: "test://template/{id}/data", Name: "Template", MIMEType: "application/json",
		Match: func(uri string) bool {
			return strings.HasPrefix(uri, "test://template/") && strings.HasSuffix(uri, "/data")
		},
		Read: func(_ context.Context, uri string) ([]mcp.ResourceContents, error) {
			id := strings.Split(uri, "/")[3]
			return []mcp.ResourceContents{{MIMEType: "application/json", Text: `{"id":"` + id + `"}`}}, nil
		},
	}}
}

func fixturePrompts() []mcp.Prompt {
	says := func(c mcp.Content) mcp.PromptResult {
		return mcp.PromptResult{Messages: []mcp.PromptMessage{{Role: "user", Content: c}}}
	}
	return []mcp.Prompt{
		{
			Name: "test_simple_prompt", Title: "Simple", Description: "A prompt without arguments.",
			Get: func(context.Context, map[string]string) (mcp.PromptResult, error) {
				return says(mcp.TextContent("This is a simple prompt for testing.")), nil
			},
		},
		{
			Name: "test_prompt_with_arguments", Description: "A prompt with two arguments.",
			Arguments: []mcp.PromptArgument{
				{Name: "arg1", Description: "First", Required: true}, {Name: "arg2", Title: "Second", Required: true},
			},
			Get: func(_ context.Context, args map[string]string) (mcp.PromptResult, error) {
				res := says(mcp.TextContent("Prompt with arguments: arg1='" + args["arg1"] + "', arg2='" + args["arg2"] + "'"))
				res.Description = "Filled"
				return res, nil
			},
		},
		{
			Name: "test_prompt_with_embedded_resource", Description: "A prompt with a resource.",
			Arguments: []mcp.PromptArgument{{Name: "resourceUri", Required: true}},
			Get: func(_ context.Context, args map[string]string) (mcp.PromptResult, error) {
				return says(mcp.Content{Kind: mcp.EmbeddedResource, Resource: &mcp.ResourceContents{
					URI: args["resourceUri"], MIMEType: "text/plain", Text: "embedded",
				}}), nil
			},
		},
		{
			Name: "test_prompt_with_image", Description: "A prompt with an image.",
			Get: func(context.Context, map[string]string) (mcp.PromptResult, error) {
				return says(mcp.Content{Kind: mcp.Image, Data: png, MIMEType: "image/png"}), nil
			},
		},
		{
			Name: "test_prompt_refusing", Description: "A prompt that fails.",
			Get: func(context.Context, map[string]string) (mcp.PromptResult, error) {
				return mcp.PromptResult{}, &mcp.Error{Code: mcp.CodeInvalidParams, Message: "not today"}
			},
		},
	}
}

func complete(_ context.Context, r mcp.CompletionRequest) (mcp.Completion, error) {
	switch r.Value {
	case "many":
		values := make([]string, 150)
		for i := range values {
			values[i] = fmt.Sprint("v", i)
		}
		return mcp.Completion{Values: values, Total: len(values)}, nil
	case "refuse":
		return mcp.Completion{}, &mcp.Error{Code: mcp.CodeInvalidParams, Message: "not today"}
	}
	return mcp.Completion{Values: []string{r.Prompt + r.Template + "/" + r.Argument + "=" + r.Value + "+" + r.Context["other"]}}, nil
}

func newServer(t testing.TB, opts mcp.Options) *mcp.Server {
	t.Helper()
	s, err := mcp.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
