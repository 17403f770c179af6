package page

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"patchbay/internal/contract"
	"patchbay/internal/fault"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/plan"
	"patchbay/internal/wire"
)

// components are the shared parts of a document, by section.
type components struct {
	sections map[string]object
	// at is the index of a part in its section, names the name of a part by
	// section, the name that it wants, and its text.
	at    map[string]int
	names map[string]string
}

// put adds a part under exactly this name.
func (c *components) put(section, name string, v jsonvalue.Value) {
	if c.sections == nil {
		c.sections, c.at, c.names = map[string]object{}, map[string]int{}, map[string]string{}
	}
	key := section + "/" + name
	if at, known := c.at[key]; known {
		c.sections[section][at].Value = v
		return
	}
	c.at[key] = len(c.sections[section])
	c.sections[section] = append(c.sections[section], jsonvalue.Member{Name: name, Value: v})
}

// shared adds a part unless it is there already, under its name or a counted
// one, and returns the reference to it.
func (c *components) shared(section, name string, v jsonvalue.Value) jsonvalue.Value {
	base := cmp.Or(operationID(name), "Unnamed")
	key := section + "/" + base + "/" + string(v.Append(nil))
	name, known := c.names[key]
	if !known {
		name = base
		for n := 2; c.has(section, name); n++ {
			name = base + "_" + strconv.Itoa(n)
		}
		c.put(section, name, v)
		c.names[key] = name
	}
	return reference(section, name)
}

// reference refers to a component.
func reference(section, name string) jsonvalue.Value {
	return jsonvalue.ObjectOf([]jsonvalue.Member{{Name: "$ref", Value: jsonvalue.StringOf("#/components/" + section + "/" + name)}})
}

func (c *components) has(section, name string) bool {
	_, known := c.at[section+"/"+name]
	return known
}

// same compares texts: members in another order make another part.
func same(a, b *jsonvalue.Value) bool { return string(a.Append(nil)) == string(b.Append(nil)) }

// value returns the sections and their parts, sorted by name.
func (c *components) value() jsonvalue.Value {
	var out object
	for _, section := range []string{"schemas", "responses", "parameters", "headers", "securitySchemes"} {
		parts := slices.Clone(c.sections[section])
		if len(parts) == 0 {
			continue
		}
		slices.SortFunc(parts, func(a, b jsonvalue.Member) int { return strings.Compare(a.Name, b.Name) })
		out.object(section, parts)
	}
	return out.value()
}

// mediaProblem is the media type of problems (RFC 9457 section 3).
const mediaProblem = "application/problem+json"

// response is one answer of an operation in the making: what the gateway says
// with a status, what the upstream does, or both.
type response struct {
	status string
	// gateway and upstream describe the two sides, "" where one never answers so.
	gateway, upstream string
	kind              fault.Kind
	// schema and example belong to the upstream's JSON; the schema is nil where
	// it has none.
	schema, example *jsonvalue.Value
}

func (r *response) success() bool { return strings.HasPrefix(r.status, "2") }

// sameAs reports whether two statuses of success mean one answer.
func (r *response) sameAs(other *response) bool {
	if !r.success() || !other.success() {
		return false
	}
	a, b := r.value(), other.value()
	return same(&a, &b)
}

// responses describes the answers: the successes that the contract documents,
// problems of the gateway, and errors of the upstream, which pass through.
func (d *describer) responses(op *plan.RESTOperation, id string) object {
	list := d.successes(op, id)
	for _, own := range d.problems(op) {
		list = append(list, &own)
	}
	if c := op.Contract(); c != nil {
		list = d.upstreamErrors(list, c)
	}
	slices.SortStableFunc(list, func(a, b *response) int { return strings.Compare(order(a.status), order(b.status)) })
	var out object
	for _, r := range list {
		v := r.value()
		switch {
		case !r.success():
			v = d.components.shared("responses", responseName(r.status), v)
		case slices.ContainsFunc(list, func(other *response) bool { return other != r && other.sameAs(r) }):
			v = d.components.shared("responses", id+"Success", v)
		}
		out.put(r.status, v)
	}
	return out
}

// isStatus reports whether a word is a code, a range or default: the member
// of responses in a contract may also be an extension.
func isStatus(s string) bool {
	if s == "default" {
		return true
	}
	code, err := strconv.Atoi(strings.Replace(s, "XX", "00", 1))
	return err == nil && len(s) == 3 && 100 <= code && code < 600
}

// order sorts statuses: codes, behind those their range, default last.
func order(status string) string {
	if status == "default" {
		return "~"
	}
	return strings.ToLower(status)
}

// responseName names a response after its status.
func responseName(status string) string {
	code, err := strconv.Atoi(status)
	if err != nil || http.StatusText(code) == "" {
		if status == "default" {
			return "Other"
		}
		return "Status" + status
	}
	return strings.NewReplacer(" ", "", "-", "", "'", "").Replace(http.StatusText(code))
}

// successes describes the upstream's successes, which keep their status. The
// schema is the contract's, or that of what the capability's mapping makes.
func (d *describer) successes(op *plan.RESTOperation, id string) []*response {
	mapped, isMapped := op.AnswerSchema()
	var out []*response
	if c := op.Contract(); c != nil {
		answers := c.Answers()
		for i := range answers {
			a := &answers[i]
			if !a.Success() || !isStatus(a.Status) {
				continue
			}
			r := &response{status: a.Status, upstream: cmp.Or(strings.TrimSpace(a.Description), "The answer of the upstream.")}
			switch {
			case isMapped && a.Status != "204":
				r.schema = d.schema(id+"Answer", mapped)
			case !isMapped && a.Schema != nil:
				published := tidy(*a.Schema)
				r.schema = d.schema(cmp.Or(a.Name, id+"Answer"), published)
				if fits(&published, a.Example) {
					r.example = a.Example
				}
			}
			out = append(out, r)
		}
	}
	if out != nil {
		return out
	}
	r := &response{status: "2XX", upstream: "The answer of the upstream, with its own status. The capability does not describe it."}
	anything := jsonvalue.ObjectOf(nil)
	r.schema = &anything
	if isMapped {
		r.upstream = "The answer of the upstream in the shape that the capability gives it, with the upstream's status."
		r.schema = d.schema(id+"Answer", mapped)
	}
	return []*response{r}
}

// schema shares a schema and returns the reference to it; one that says
// nothing stands where it is used.
func (d *describer) schema(name string, v jsonvalue.Value) *jsonvalue.Value {
	if !isEmpty(&v) {
		v = d.components.shared("schemas", name, v)
	}
	return &v
}

// problems are the faults that an operation can end in, by status.
func (d *describer) problems(op *plan.RESTOperation) []response {
	anything := jsonvalue.ObjectOf(nil)
	const passes = "An error of the upstream with this status; it passes through with its own body."
	var out []response
	add := func(status string, kind fault.Kind, text string) {
		out = append(out, response{status: status, kind: kind, gateway: text, upstream: passes, schema: &anything})
	}
	if len(op.Inputs) > 0 {
		add("400", fault.InvalidInput, "The request was refused before any call. The member `errors` names everything that is wrong with it.")
	}
	if len(d.member.guards()) > 0 {
		add("401", fault.Unauthenticated, "The credentials for this gateway are missing or wrong; `WWW-Authenticate` names the scheme.")
	}
	if len(d.member.scopes(op.Name)) > 0 {
		add("403", fault.Forbidden, "The token lacks a scope; `WWW-Authenticate` names all that the operation takes.")
	}
	if bodyOf(op.Operation) != nil {
		add("413", fault.TooLarge, "The body is larger than the operator admits.")
		add("415", fault.UnsupportedMedia, "The body is in a media type that is not read here.")
	}
	if d.keyed(op) {
		add("409", fault.KeyConflict, "The first request with this `Idempotency-Key` has no answer that could be repeated. The member `outcome` says what is known about it.")
		add("422", fault.KeyReused, "A different request was sent with this `Idempotency-Key`.")
	}
	if d.member.Limited {
		add("429", fault.RateLimited, "The caller makes more requests than it may; `Retry-After` says how long to wait.")
	}
	add("502", fault.Unreachable, "The upstream could not be reached, or its answer could not be used. The member `outcome` says whether it may have processed the request.")
	add("503", fault.Unconfigured, "The operator has not configured the upstream, or too many calls are under way. Nothing was sent.")
	add("504", fault.Timeout, "The upstream did not answer in time. Where `outcome` is `unknown`, it may have processed the request.")
	add("default", fault.Internal, "Any other problem of the gateway.")
	out[len(out)-1].upstream = "Any other error of the upstream; it passes through with its own status and body."
	return out
}

// upstreamErrors adds what the contract says about errors, beside the
// gateway's own problems of the same status.
func (d *describer) upstreamErrors(list []*response, c *contract.Operation) []*response {
	answers := c.Answers()
	for i := range answers {
		a := &answers[i]
		if a.Success() || !isStatus(a.Status) {
			continue
		}
		at := slices.IndexFunc(list, func(r *response) bool { return r.status == a.Status })
		if at < 0 {
			list = append(list, &response{status: a.Status})
			at = len(list) - 1
		}
		r := list[at]
		r.upstream = cmp.Or(strings.TrimSpace(a.Description), "An error of the upstream.")
		r.schema, r.example = nil, nil
		if a.Schema == nil {
			continue
		}
		published := tidy(*a.Schema)
		r.schema = d.schema(cmp.Or(a.Name, "UpstreamError"), published)
		if fits(&published, a.Example) {
			r.example = a.Example
		}
	}
	return list
}

func (r *response) value() jsonvalue.Value {
	var out, content object
	text := r.upstream
	if !r.success() {
		text = join(labelled("From the gateway: ", r.gateway), labelled("From the upstream: ", r.upstream))
	}
	out.text("description", markdown(text))
	out.object("headers", headers())
	if r.gateway != "" {
		content.object(mediaProblem, object{
			{Name: "schema", Value: reference("schemas", "Problem")},
			{Name: "example", Value: exampleProblem(r.kind)},
		})
	}
	if r.schema != nil {
		media := object{{Name: "schema", Value: *r.schema}}
		if r.example != nil {
			media.put("example", *r.example)
		}
		content.object(wire.MediaJSON, media)
	}
	if content != nil {
		out.object("content", content)
	}
	return out.value()
}

func labelled(label, text string) string {
	if text == "" {
		return ""
	}
	return label + text
}

// headers are the headers of our own that every answer carries.
func headers() object {
	return object{{Name: "Patchbay-Source", Value: reference("headers", "Source")}, {Name: "X-Request-Id", Value: reference("headers", "RequestId")}}
}

// headerParts describe them.
func headerParts() object {
	header := func(text string, schema object) jsonvalue.Value {
		out := object{{Name: "description", Value: jsonvalue.StringOf(text)}}
		out.object("schema", schema)
		return out.value()
	}
	str := object{{Name: "type", Value: jsonvalue.StringOf("string")}}
	sides := append(slices.Clone(str), jsonvalue.Member{Name: "enum", Value: texts("upstream", "gateway")})
	return object{
		{Name: "Source", Value: header("Who made the answer: the upstream, or the gateway itself.", sides)},
		{Name: "RequestId", Value: header("Names the request in the gateway's log; the caller's own value where it sent one.", str)},
	}
}
