package rest

import (
	"net/http"
	"net/url"

	"patchbay/internal/diag"
	"patchbay/internal/fault"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/wire"
)

// requestHeaders are the end-to-end request headers that pass on upstream. The
// caller's Authorization, Cookie and Idempotency-Key are not among them; the
// context of its trace goes its own way, see package telemetry.
var requestHeaders = []string{"Accept-Language", "If-Match", "If-Modified-Since", "If-None-Match", "If-Unmodified-Since"}

// inputs reads the values of the operation's inputs. Everything that is wrong
// with how they are given is reported at once.
func (x *exchange) inputs(params []string) *fault.Fault {
	if n := len(x.e.op.Inputs); n <= len(x.room) {
		x.args.Values = x.room[:n]
	} else {
		x.args.Values = make([]jsonvalue.Value, n)
	}
	var wrong []fault.Field
	for i, raw := range params {
		at := x.e.op.PathInputs[i]
		if at < 0 {
			continue
		}
		text, err := url.PathUnescape(raw)
		if err != nil {
			wrong = append(wrong, fault.Field{Parameter: x.e.op.PathNames[i], Detail: "has a malformed percent escape"})
			continue
		}
		x.args.Values[at] = jsonvalue.StringOf(text)
	}
	wrong = x.queryInputs(wrong)
	wrong = x.headerInputs(wrong)
	if len(wrong) > 0 {
		return invalid(wrong)
	}
	for _, name := range requestHeaders {
		if values := x.r.Header[name]; len(values) == 1 {
			if x.args.Header == nil {
				x.args.Header = make(http.Header, 8)
			}
			x.args.Header[name] = values
		}
	}
	if !x.e.wantsBody {
		return nil
	}
	return x.bodyInputs()
}

func invalid(fields []fault.Field) *fault.Fault {
	f := fault.New(fault.InvalidInput, "the request was refused before any call")
	if len(fields) == 1 {
		f.Message += ": " + fields[0].Where() + " " + fields[0].Detail
	}
	f.Fields = fields
	return f
}

func (x *exchange) queryInputs(wrong []fault.Field) []fault.Field {
	if x.r.URL.RawQuery == "" || len(x.e.query) == 0 {
		return wrong
	}
	for rawName, rawValue := range wire.Query(x.r.URL.RawQuery) {
		name, err := wire.FormText(rawName)
		if err != nil {
			continue // a name that cannot be read is an unknown name
		}
		at := find(x.e.query, name)
		if at < 0 {
			continue
		}
		value, err := wire.FormText(rawValue)
		if err != nil {
			wrong = append(wrong, fault.Field{Parameter: name, Detail: "has a " + err.Error()})
			continue
		}
		have := &x.args.Values[at]
		switch {
		case have.IsAbsent():
			*have = jsonvalue.StringOf(value)
		case x.e.op.Inputs[at].Repeats():
			*have = appended(have, value)
		default:
			wrong = append(wrong, fault.Field{Parameter: name, Detail: "is given more than once"})
		}
	}
	return wrong
}

// appended adds a value to those that a parameter had before, in the memory that
// the list has grown to: a copy for each would take the square of their number.
func appended(have *jsonvalue.Value, value string) jsonvalue.Value {
	elems := have.Elems()
	if have.Kind() != jsonvalue.Array {
		elems = []jsonvalue.Member{{Value: *have}}
	}
	return jsonvalue.ArrayOf(append(elems, jsonvalue.Member{Value: jsonvalue.StringOf(value)}))
}

// find returns the index of the input that a name means: the exact one, or the
// first that is equal ignoring case, '-' and '_'.
func find(inputs []named, name string) int {
	for i := range inputs {
		if inputs[i].name == name {
			return inputs[i].at
		}
	}
	folded := diag.Fold(name)
	for i := range inputs {
		if inputs[i].folded == folded {
			return inputs[i].at
		}
	}
	return -1
}

func (x *exchange) headerInputs(wrong []fault.Field) []fault.Field {
	for i := range x.e.headers {
		in := &x.e.headers[i]
		switch values := x.r.Header[in.header]; {
		case len(values) == 1:
			x.args.Values[in.at] = jsonvalue.StringOf(values[0])
		case len(values) > 1:
			wrong = append(wrong, fault.Field{Parameter: in.name, Detail: "is given more than once"})
		}
	}
	for i := range x.e.cookies {
		if c, err := x.r.Cookie(x.e.cookies[i].name); err == nil {
			x.args.Values[x.e.cookies[i].at] = jsonvalue.StringOf(c.Value)
		}
	}
	return wrong
}
