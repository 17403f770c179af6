package mcp

import (
	"context"
	"slices"
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
	switch {
	case limit <= 0 || r.IsError:
		return r
	case r.Structured == nil || len(r.Content) > 0:
		r = t.cappedTexts(r, limit)
	}
	if len(r.Structured) <= limit {
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
	if marked, ok := marked(&shorter); ok && (t.output == nil || t.output.Valid(&marked)) {
		shorter = marked
	}
	structured := shorter.Append(nil)
	lines := make([]string, len(omitted))
	for i, o := range omitted {
		lines[i] = o.String()
	}
	content := []core.Content{core.TextContent(string(structured))}
	if len(r.Content) > 0 {
		content = r.Content // texts that say more than the structure, shortened already
	}
	return core.Result{Content: append(content, t.cutNote(lines)), Structured: structured}
}

// marked is the object with "truncated": true. A member of that name which is
// no boolean means something else, and stays.
func marked(v *jsonvalue.Value) (jsonvalue.Value, bool) {
	members := slices.Clone(v.Elems())
	yes := jsonvalue.Member{Name: "truncated", Value: jsonvalue.BoolOf(true)}
	at := slices.IndexFunc(members, func(m jsonvalue.Member) bool { return m.Name == yes.Name })
	switch {
	case at < 0:
		members = append(members, yes)
	case members[at].Value.Kind() != jsonvalue.Bool:
		return *v, false
	default:
		members[at] = yes
	}
	return jsonvalue.ObjectOf(members), true
}

// cappedTexts cuts the texts of a result, whether they stand alone or in a
// resource. Images, sounds and other bytes mean nothing in part and stay.
func (t *tool) cappedTexts(r core.Result, limit int) core.Result {
	var lines []string
	content := slices.Clone(r.Content)
	for i := range content {
		text := &content[i].Text
		if content[i].Kind == core.EmbeddedResource {
			resource := *content[i].Resource
			content[i].Resource, text = &resource, &resource.Text
		}
		short, note := cutText(*text, limit)
		if note != "" {
			*text = short
			lines = append(lines, note)
		}
	}
	if lines == nil {
		return r
	}
	r.Content = append(content, t.cutNote(lines))
	return r
}

func (t *tool) cutNote(lines []string) core.Content {
	return core.TextContent("The answer was too long for one result and has been cut: " + strings.Join(lines, "; ") + "." + t.rest())
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
