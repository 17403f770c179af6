package openapi

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"patchbay/internal/jsonvalue"
)

// decodeYAML reads a YAML document into JSON values (YAML 1.2 core schema).
func decodeYAML(data []byte) (jsonvalue.Value, error) {
	var doc yaml.Node
	if len(bytes.TrimSpace(data)) == 0 {
		return jsonvalue.Value{}, errors.New("the document is empty")
	}
	if err := yaml.Load(data, &doc); err != nil {
		return jsonvalue.Value{}, placed(err)
	}
	c := converter{budget: maxAliased}
	return c.value(&doc, 0)
}

// placed says in the words of our other messages where a text is no YAML.
func placed(err error) error {
	var le *yaml.LoadError
	switch {
	case !errors.As(err, &le):
		return err
	case le.Mark.Line == 0:
		return fmt.Errorf("not valid YAML: %s", le.Message)
	default:
		return fmt.Errorf("line %d, column %d: not valid YAML: %s", le.Mark.Line, le.Mark.Column, le.Message)
	}
}

// maxAliased bounds the values that aliases and merge keys add to those that
// the text has.
const maxAliased = 1 << 20

type converter struct {
	budget int
	// aliased counts the aliases that lead here.
	aliased int
}

var errBudget = errors.New("the document's aliases expand to too many values")

func (c *converter) value(n *yaml.Node, depth int) (jsonvalue.Value, error) {
	if c.aliased > 0 {
		if c.budget--; c.budget < 0 {
			return jsonvalue.Value{}, errBudget
		}
	}
	if depth > jsonvalue.MaxDepth {
		return jsonvalue.Value{}, fmt.Errorf("line %d: nested deeper than %d levels", n.Line, jsonvalue.MaxDepth)
	}
	switch n.Kind {
	case yaml.DocumentNode:
		if len(n.Content) != 1 {
			return jsonvalue.Value{}, errors.New("not one YAML document")
		}
		return c.value(n.Content[0], depth)
	case yaml.AliasNode:
		c.aliased++
		defer func() { c.aliased-- }()
		return c.value(n.Alias, depth+1)
	case yaml.SequenceNode:
		elems := make([]jsonvalue.Member, len(n.Content))
		for i, e := range n.Content {
			v, err := c.value(e, depth+1)
			if err != nil {
				return v, err
			}
			elems[i].Value = v
		}
		return jsonvalue.ArrayOf(elems), nil
	case yaml.MappingNode:
		return c.mapping(n, depth)
	default:
		return scalar(n)
	}
}

// mapping reads the pairs, of one name the first, and behind them what a merge
// key (<<) brings and the mapping itself has not.
func (c *converter) mapping(n *yaml.Node, depth int) (jsonvalue.Value, error) {
	members := members{list: make([]jsonvalue.Member, 0, len(n.Content)/2)}
	var merged []jsonvalue.Value
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		v, err := c.value(n.Content[i+1], depth+1)
		switch {
		case err != nil:
			return v, err
		case tagOf(key) == "!!merge" && v.Kind() == jsonvalue.Array:
			for _, m := range v.Elems() {
				merged = append(merged, m.Value)
			}
		case tagOf(key) == "!!merge":
			merged = append(merged, v)
		default:
			members.add(key.Value, v)
		}
	}
	for _, from := range merged {
		for _, m := range from.Elems() {
			members.add(m.Name, m.Value)
		}
	}
	return jsonvalue.ObjectOf(members.list), nil
}

// members are the members of an object, of one name the first.
type members struct {
	list []jsonvalue.Member
	// known are the names in the list, once there are many of them.
	known map[string]struct{}
}

// maxScan is how many names are compared one by one.
const maxScan = 16

func (m *members) add(name string, v jsonvalue.Value) {
	switch {
	case m.known != nil:
		if _, twice := m.known[name]; twice {
			return
		}
		m.known[name] = struct{}{}
	case len(m.list) == maxScan:
		m.known = make(map[string]struct{}, 2*cap(m.list))
		for i := range m.list {
			m.known[m.list[i].Name] = struct{}{}
		}
		m.add(name, v)
		return
	default:
		for i := range m.list {
			if m.list[i].Name == name {
				return
			}
		}
	}
	m.list = append(m.list, jsonvalue.Member{Name: name, Value: v})
}

// tagOf is the short form of a node's tag, which nearly all have already.
func tagOf(n *yaml.Node) string {
	if strings.HasPrefix(n.Tag, "!!") {
		return n.Tag
	}
	return n.ShortTag()
}

func scalar(n *yaml.Node) (jsonvalue.Value, error) {
	switch tagOf(n) {
	case "!!null":
		return jsonvalue.NullOf(), nil
	case "!!bool":
		var b bool
		if err := n.Decode(&b); err != nil {
			return jsonvalue.Value{}, err
		}
		return jsonvalue.BoolOf(b), nil
	case "!!int", "!!float":
		if v, ok := jsonvalue.NumberOf(n.Value); ok {
			return v, nil
		}
		var f float64
		if err := n.Decode(&f); err != nil {
			return jsonvalue.Value{}, err
		}
		if v, ok := jsonvalue.NumberOf(strconv.FormatFloat(f, 'g', -1, 64)); ok {
			return v, nil
		}
		return jsonvalue.StringOf(n.Value), nil
	default:
		return jsonvalue.StringOf(n.Value), nil
	}
}
