package openapi

import (
	"errors"
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v4"

	"patchbay/internal/jsonvalue"
)

// decodeYAML reads a YAML document into JSON values (YAML 1.2 core schema).
func decodeYAML(data []byte) (jsonvalue.Value, error) {
	var doc yaml.Node
	if err := yaml.Load(data, &doc); err != nil {
		return jsonvalue.Value{}, err
	}
	c := converter{budget: 4 << 20}
	return c.value(&doc, 0)
}

// converter bounds the values that aliases can multiply.
type converter struct{ budget int }

var errBudget = errors.New("the document's aliases expand to too many values")

func (c *converter) value(n *yaml.Node, depth int) (jsonvalue.Value, error) {
	if c.budget--; c.budget < 0 {
		return jsonvalue.Value{}, errBudget
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
		members := make([]jsonvalue.Member, 0, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			v, err := c.value(n.Content[i+1], depth+1)
			if err != nil {
				return v, err
			}
			members = append(members, jsonvalue.Member{Name: n.Content[i].Value, Value: v})
		}
		return jsonvalue.ObjectOf(members), nil
	default:
		return scalar(n)
	}
}

func scalar(n *yaml.Node) (jsonvalue.Value, error) {
	switch n.ShortTag() {
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
