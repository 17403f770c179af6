// Package profile knows the wire conventions of providers: how bodies are
// encoded where no contract says so, which answers promise that a request had
// no effect, what an error body looks like and what to do about it. Profiles
// are data (capabilities/profiles.yaml); the compiler picks one by the host
// that a capability declares, never by an overridden address.
package profile

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"patchbay/internal/jsonvalue"
	"patchbay/internal/wire"
)

// Profile is the conventions of one provider. It is immutable and safe for
// concurrent use; a nil Profile has none.
type Profile struct {
	Name          string       `yaml:"name"`
	Hosts         []string     `yaml:"hosts"`
	Documentation string       `yaml:"documentation"`
	Body          Body         `yaml:"body"`
	Credentials   []Credential `yaml:"credentials"`
	Variables     []string     `yaml:"variables"`
	NotProcessed  []int        `yaml:"not_processed"`
	RequestID     string       `yaml:"request_id"`
	// ConcurrentCalls is the header of answers that says how many calls are under way.
	ConcurrentCalls string         `yaml:"concurrent_calls"`
	Error           ErrorShape     `yaml:"error"`
	Advice          map[string]any `yaml:"advice"`

	byCode, byStatus map[string]string
}

// Body says how request bodies are encoded.
type Body struct {
	Default string   `yaml:"default"`
	JSON    []string `yaml:"json"`
}

// Credential names the environment variables that a provider's users have.
type Credential struct {
	Scheme   string `yaml:"scheme"`
	Username string `yaml:"username"`
	Password string `yaml:"password"`
	Token    string `yaml:"token"`
}

// ErrorShape names the members of an error body.
type ErrorShape struct {
	List     []string `yaml:"list"`
	Code     []string `yaml:"code"`
	Message  []string `yaml:"message"`
	Detail   []string `yaml:"detail"`
	Field    []string `yaml:"field"`
	MoreInfo []string `yaml:"more_info"`
	Status   []string `yaml:"status"`
}

// Set is the profiles of a process, immutable after [Load].
type Set struct{ profiles []*Profile }

// Load reads profiles; unknown keys are errors.
func Load(data []byte) (*Set, error) {
	var file struct {
		Profiles []*Profile `yaml:"profiles"`
	}
	if err := yaml.Load(data, &file, yaml.WithKnownFields()); err != nil {
		return nil, fmt.Errorf("profiles: %w", err)
	}
	for _, p := range file.Profiles {
		if p.Body.Default != "form" && p.Body.Default != "json" {
			return nil, fmt.Errorf("profiles: %s: body.default is %q, want form or json", p.Name, p.Body.Default)
		}
		p.byCode, p.byStatus = advice(p.Advice["code"]), advice(p.Advice["status"])
	}
	return &Set{file.Profiles}, nil
}

func advice(v any) map[string]string {
	out := map[string]string{}
	switch m := v.(type) {
	case map[string]any:
		for k, text := range m {
			out[k] = fmt.Sprint(text)
		}
	case map[any]any:
		for k, text := range m {
			out[fmt.Sprint(k)] = fmt.Sprint(text)
		}
	}
	return out
}

// For returns the profile of an address's host, or nil. The most specific
// pattern wins.
func (s *Set) For(address string) *Profile {
	if s == nil {
		return nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil
	}
	host := strings.ToLower(u.Hostname())
	var best *Profile
	longest := 0
	for _, p := range s.profiles {
		for _, pattern := range p.Hosts {
			suffix, wild := strings.CutPrefix(pattern, "*")
			matches := host == pattern || wild && strings.HasSuffix(host, suffix) && len(host) > len(suffix)
			if matches && len(pattern) > longest {
				best, longest = p, len(pattern)
			}
		}
	}
	return best
}

// Owner returns the provider whose environment variables a name is one of, or
// nil.
func (s *Set) Owner(variable string) *Profile {
	if s == nil {
		return nil
	}
	for _, p := range s.profiles {
		for _, prefix := range p.Variables {
			if strings.HasPrefix(variable, prefix) {
				return p
			}
		}
	}
	return nil
}

// BodyMedia returns the media type of request bodies to an address (without
// scheme: host and path). "" means that the profile does not say.
func (p *Profile) BodyMedia(server, path string) string {
	if p == nil {
		return ""
	}
	u, err := url.Parse(server)
	if err == nil {
		whole := strings.ToLower(u.Hostname()) + strings.TrimRight(u.Path, "/") + path
		for _, pattern := range p.Body.JSON {
			if leads(pattern, whole) {
				return wire.MediaJSON
			}
		}
	}
	if p.Body.Default == "form" {
		return wire.MediaForm
	}
	return wire.MediaJSON
}

// leads reports whether pattern is a leading part of address, segment by segment.
func leads(pattern, address string) bool {
	parts, segments := strings.Split(pattern, "/"), strings.Split(address, "/")
	if len(parts) > len(segments) {
		return false
	}
	for i, part := range parts {
		if part != "*" && part != segments[i] {
			return false
		}
	}
	return true
}

// Unprocessed reports whether an answer with this status promises that the
// request had no effect.
func (p *Profile) Unprocessed(status int) bool {
	return p != nil && slices.Contains(p.NotProcessed, status)
}

// Problem is an error body in common terms. Empty strings are absent.
type Problem struct {
	Code, Message, Detail, Field, MoreInfo string
	// Advice is what to do about it.
	Advice string
}

// Explain reads an error answer. Bodies that are not the provider's JSON give
// a problem with advice only.
func (p *Profile) Explain(status int, body []byte) Problem {
	if p == nil {
		return Problem{}
	}
	var out Problem
	if v, err := jsonvalue.Parse(body); err == nil {
		from := &v
		if list := first(from, p.Error.List); list != nil && list.Index(0) != nil {
			from = list.Index(0)
		}
		out.Code, out.Message = words(first(from, p.Error.Code)), words(first(from, p.Error.Message))
		out.Detail, out.Field = words(first(from, p.Error.Detail)), words(first(from, p.Error.Field))
		out.MoreInfo = words(first(from, p.Error.MoreInfo))
	}
	out.Advice = p.byCode[out.Code]
	if out.Advice == "" {
		out.Advice = p.byStatus[strconv.Itoa(status)]
	}
	return out
}

func first(v *jsonvalue.Value, names []string) *jsonvalue.Value {
	for _, name := range names {
		if m := v.Get(name); m != nil && !m.IsNull() {
			return m
		}
	}
	return nil
}

func words(v *jsonvalue.Value) string {
	switch {
	case v == nil:
		return ""
	case v.IsScalar():
		return v.Text()
	default:
		return string(v.Append(nil))
	}
}
