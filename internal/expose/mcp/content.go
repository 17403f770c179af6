package mcp

import (
	"context"
	"strings"

	"patchbay/internal/fault"
	"patchbay/internal/jsonvalue"
	core "patchbay/internal/mcp"
	"patchbay/internal/plan"
)

// media turns an answer of any media type into a content block: an image, a
// sound, text, or a resource that stands for the bytes.
func (t *tool) media(out *plan.Output) core.Result {
	body := append([]byte(nil), out.Body...)
	var block core.Content
	switch media := out.Media; {
	case strings.HasPrefix(media, "image/") && media != "image/svg+xml":
		block = core.Content{Kind: core.Image, Data: body, MIMEType: media}
	case strings.HasPrefix(media, "audio/"):
		block = core.Content{Kind: core.Audio, Data: body, MIMEType: media}
	case media == "text/plain":
		block = core.TextContent(strings.ToValidUTF8(string(body), "\uFFFD"))
	default:
		uri := "patchbay://transient/" + t.adapter.Adapter.Namespace + "/" + t.name + "/" + t.adapter.IDs.Next()
		resource := contents(uri, media, body)
		block = core.Content{Kind: core.EmbeddedResource, Resource: &resource}
	}
	return core.Result{Content: []core.Content{block}}
}

// spelledOut is the result that the file gives, with the arguments put in.
func (t *tool) spelledOut(ctx context.Context, args *plan.Args) (core.Result, *fault.Fault) {
	if t.raw != nil {
		if args.Refused != nil {
			return core.Result{}, &fault.Fault{Kind: fault.InvalidInput, Message: "the request was refused", Fields: args.Refused}
		}
	} else if out, err := t.adapter.Bound.Run(ctx, t.plan.Operation, args); err != nil {
		return core.Result{}, fault.Of(err)
	} else {
		out.Release() // it calls nothing and answers nothing; it checks
	}
	lookup := func(name string) (string, bool) {
		for i := range t.plan.Inputs {
			if t.plan.Inputs[i].Name == name {
				v := &args.Values[i]
				if v.IsScalar() || v.IsAbsent() {
					return v.Text(), true
				}
				return string(v.Append(nil)), true
			}
		}
		return "", false
	}
	result := core.Result{}
	for i := range t.plan.Content {
		result.Content = append(result.Content, blockContent(&t.plan.Content[i], lookup))
	}
	return result, nil
}

// capped cuts a result that is larger than hosts take in, says what was cut,
// and how to get the rest.
func (t *tool) capped(r core.Result) core.Result {
	limit := t.adapter.MaxResult
	if limit <= 0 || r.IsError || r.Structured == nil || len(r.Structured) <= limit {
		return r
	}
	root, err := jsonvalue.Parse(r.Structured)
	if err != nil {
		return r
	}
	const mark = `,"truncated":true`
	shorter, omitted := cut(&root, max(0, limit-len(mark)))
	if omitted == nil {
		return r
	}
	if shorter.Get("truncated") == nil { // an answer's own member stays
		members := append([]jsonvalue.Member(nil), shorter.Elems()...)
		marked := jsonvalue.ObjectOf(append(members, jsonvalue.Member{Name: "truncated", Value: jsonvalue.BoolOf(true)}))
		if t.output == nil || t.output.Valid(&marked) {
			shorter = marked
		}
	}
	structured := shorter.Append(nil)
	var lines []string
	for _, o := range omitted {
		lines = append(lines, o.String())
	}
	note := "The answer was too long for one result and has been cut: " + strings.Join(lines, "; ") + "." + t.rest()
	return core.Result{Content: []core.Content{core.TextContent(string(structured)), core.TextContent(note)}, Structured: structured}
}

// rest names the arguments with which the remaining elements can be asked for.
func (t *tool) rest() string {
	var paging []string
	for _, name := range t.known {
		lower := strings.ToLower(name)
		for _, word := range []string{"page", "limit", "offset", "cursor", "size", "filter", "fields"} {
			if strings.Contains(lower, word) {
				paging = append(paging, name)
				break
			}
		}
	}
	if len(paging) == 0 {
		return " Ask for something narrower to see the rest."
	}
	return " Use " + strings.Join(paging, ", ") + " to see the rest."
}
