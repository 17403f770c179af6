package openapi

import (
	"slices"
	"strings"

	"patchbay/internal/jsonvalue"
)

// maxAddresses bounds the addresses that the variables of one list of servers
// make.
const maxAddresses = 64

// servers returns the addresses that a list of servers can mean, without
// trailing slash and each once. A document without servers has the address "",
// which is where it was found and joins nothing.
func (d *Document) servers(list *jsonvalue.Value) []string {
	if list == nil || list.Kind() == jsonvalue.Array && list.Len() == 0 && list == d.root.Get("servers") {
		return []string{""}
	}
	var out []string
	for i := range list.Elems() {
		server := &list.Elems()[i].Value
		for _, address := range addresses(text(server, "url"), server.Get("variables")) {
			address = strings.TrimRight(address, "/")
			if len(out) < maxAddresses && !slices.Contains(out, address) {
				out = append(out, address)
			}
		}
	}
	return out
}

// addresses fills in the variables of a server's address.
func addresses(address string, variables *jsonvalue.Value) []string {
	out := []string{address}
	if variables == nil {
		return out
	}
	for i := range variables.Elems() {
		m := &variables.Elems()[i]
		name := "{" + m.Name + "}"
		if !strings.Contains(address, name) {
			continue
		}
		var filled []string
		for _, value := range values(m) {
			for _, a := range out {
				if len(filled) < maxAddresses {
					filled = append(filled, strings.ReplaceAll(a, name, value))
				}
			}
		}
		out = filled
	}
	return out
}

// values are what a variable can be, its default first. One without enum can
// be anything, and stands for itself.
func values(variable *jsonvalue.Member) []string {
	var out []string
	if value := text(&variable.Value, "default"); value != "" {
		out = append(out, value)
	}
	enum := variable.Value.Get("enum")
	if enum == nil {
		return append(out, "{"+variable.Name+"}")
	}
	for i := range enum.Elems() {
		if value := enum.Elems()[i].Value.Text(); !slices.Contains(out, value) {
			out = append(out, value)
		}
	}
	return out
}
