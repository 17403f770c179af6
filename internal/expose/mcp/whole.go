package mcp

import (
	"context"
	"fmt"
	"strings"

	core "patchbay/internal/mcp"
)

// wholeName is what the server of all adapters of a listener calls itself.
const wholeName = "patchbay"

// owners says which adapter, by index, gives what.
type owners struct {
	resources map[string]int
	prompts   map[string]ownedPrompt
}

// ownedPrompt is a prompt by the name that it has among all.
type ownedPrompt struct {
	member int
	name   string
}

// Whole returns one server of several adapters, as standard input and output
// want it. Tools and prompts of one name are told apart by namespace; of
// resources with one URI the first is offered.
func Whole(members []Member) (*core.Server, error) {
	e, err := NewEndpoint(members, core.HTTPOptions{})
	if err != nil {
		return nil, err
	}
	return e.whole.server, nil
}

func whole(members []Member, servers []*built) (*core.Server, *owners, error) {
	o := &owners{resources: map[string]int{}, prompts: map[string]ownedPrompt{}}
	options := core.Options{
		Name: wholeName, Title: wholeTitle(members), Version: members[0].Version,
		Instructions: wholeInstructions(members), Bound: []*core.BoundTool{}, CacheScope: "private",
	}
	count := map[string]int{}
	for _, b := range servers {
		for i := range b.options.Prompts {
			count[b.options.Prompts[i].Name]++
		}
	}
	watch := newWatcher(members[0].Log, wholeName)
	for i, b := range servers {
		if len(members[i].Adapter.Resources) > 0 {
			watch.adapters = append(watch.adapters, b.adapter)
		}
		for j, t := range b.server.Bound() {
			named, err := t.Named(b.offers[j].Whole)
			if err != nil {
				return nil, nil, err
			}
			options.Bound = append(options.Bound, named)
		}
		for _, r := range b.options.Resources {
			if o.first(r.URI, i) {
				options.Resources = append(options.Resources, r)
			}
		}
		for _, t := range b.options.Templates {
			if o.first(t.URITemplate, i) {
				options.Templates = append(options.Templates, t)
			}
		}
		if b.options.Resources != nil && options.Resources == nil {
			options.Resources, options.Templates = []core.Resource{}, append([]core.ResourceTemplate{}, options.Templates...)
		}
		for _, p := range b.options.Prompts {
			name := qualified(members[i].Adapter.Namespace, p.Name, count[p.Name] > 1)
			o.prompts[name] = ownedPrompt{i, p.Name}
			p.Name = name
			options.Prompts = append(options.Prompts, p)
		}
	}
	options.OnRequest = watch.observe
	if len(options.Prompts) > 0 || len(options.Templates) > 0 {
		options.Complete = func(ctx context.Context, r core.CompletionRequest) (core.Completion, error) {
			if r.Prompt == "" {
				return servers[o.resources[r.Template]].adapter.complete(ctx, r)
			}
			owner := o.prompts[r.Prompt]
			r.Prompt = owner.name
			return servers[owner.member].adapter.complete(ctx, r)
		}
	}
	server, err := core.New(options)
	return server, o, err
}

// first claims a URI for an adapter, unless another has it.
func (o *owners) first(uri string, member int) bool {
	if _, taken := o.resources[uri]; taken {
		return false
	}
	o.resources[uri] = member
	return true
}

func wholeTitle(members []Member) string { return fmt.Sprintf("Patchbay: %d APIs", len(members)) }

// maxInstructions keeps the text below what hosts cut off, in bytes.
const maxInstructions = 2000

// wholeInstructions tell a model what it finds here.
func wholeInstructions(members []Member) string {
	var out strings.Builder
	fmt.Fprintf(&out, "Tools of %d APIs:", len(members))
	for i := range members {
		line := fmt.Sprintf("\n- %s (%s)", members[i].Bound.Plan.Document.Info.Label.Value, members[i].Adapter.Namespace)
		if out.Len()+len(line) > maxInstructions {
			fmt.Fprintf(&out, "\n- and %d more", len(members)-i)
			break
		}
		out.WriteString(line)
	}
	return out.String()
}
