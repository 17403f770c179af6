package schema

import (
	"patchbay/internal/jsonvalue"
)

// annotation reads the keywords that change no verdict.
func (k *keywords) annotation(name string, v *jsonvalue.Value) bool {
	s := k.schema
	switch name {
	case "x-patchbay-source": // read before all others
	case "x-patchbay-reason":
		if v.Kind() != jsonvalue.String {
			k.unchecked(k.place(name), "must be a string")
			return true
		}
		s.reason = v.Text()
	case "x-patchbay-hints":
		if !isHints(v) {
			k.unchecked(k.place(name), "must be an object from the text of a value to a hint")
			return true
		}
		s.hints = v
	case "title", "description", "default", "examples", "example", "deprecated", "readOnly", "writeOnly",
		"$comment", "$schema", "$anchor", "$dynamicAnchor", "$defs", "definitions",
		"contentEncoding", "contentMediaType", "contentSchema", "externalDocs", "xml", "discriminator":
	default:
		return false
	}
	return true
}

func isHints(v *jsonvalue.Value) bool {
	if v.Kind() != jsonvalue.Object {
		return false
	}
	for i := range v.Elems() {
		if v.Elems()[i].Value.Kind() != jsonvalue.String {
			return false
		}
	}
	return true
}

// scalar reads the assertions on any value, on strings and on numbers.
func (k *keywords) scalar(name string, v *jsonvalue.Value) bool {
	s := k.schema
	switch name {
	case "type":
		s.types = k.typeSet(v)
	case "nullable":
		if !k.opts.OpenAPI30 {
			k.unchecked(k.place(name), `is a keyword of OpenAPI 3.0; use "null" in type`)
			return true
		}
		s.nullable = k.boolean(name, v)
	case "enum":
		if v.Kind() != jsonvalue.Array || v.Len() == 0 {
			k.problem(k.place(name), "must be an array of at least one value")
			return true
		}
		values := make([]jsonvalue.Value, v.Len())
		for i := range values {
			values[i] = *v.Index(i)
		}
		s.enum = newValueSet(values)
	case "const":
		s.constant = newValueSet([]jsonvalue.Value{*v})
	default:
		return k.text(name, v) || k.bound(name, v)
	}
	return true
}

// text reads the assertions on strings.
func (k *keywords) text(name string, v *jsonvalue.Value) bool {
	rules := k.schema.str
	if rules == nil {
		rules = &stringRules{minLength: -1, maxLength: -1}
	}
	switch name {
	case "minLength":
		rules.minLength = k.count(name, v)
	case "maxLength":
		rules.maxLength = k.count(name, v)
	case "pattern":
		if v.Kind() != jsonvalue.String {
			k.problem(k.place(name), "must be a string; is %s", kindNoun(v))
			return true
		}
		rules.pattern = k.pattern(v.Text(), k.place(name))
	case "format":
		if v.Kind() != jsonvalue.String {
			k.problem(k.place(name), "must be a string; is %s", kindNoun(v))
			return true
		}
		if !k.opts.AssertFormat {
			return true
		}
		rules.format = formatNamed(v.Text())
	default:
		return false
	}
	k.schema.str = rules
	return true
}

// bound reads the assertions on numbers.
func (k *keywords) bound(name string, v *jsonvalue.Value) bool {
	rules := k.schema.num
	if rules == nil {
		rules = &numberRules{}
	}
	switch name {
	case "minimum":
		rules.min = k.number(name, v)
	case "maximum":
		rules.max = k.number(name, v)
	case "exclusiveMinimum", "exclusiveMaximum":
		if k.opts.OpenAPI30 && v.Kind() == jsonvalue.Bool {
			return true // see finish
		}
		if d := k.number(name, v); name == "exclusiveMinimum" {
			rules.above = d
		} else {
			rules.below = d
		}
	case "multipleOf":
		d := k.number(name, v)
		if d == nil {
			return true
		}
		if d.neg || d.isZero() {
			k.problem(k.place(name), "must be a number above 0")
			return true
		}
		rules.multiple = divisorOf(*d)
	default:
		return false
	}
	k.schema.num = rules
	return true
}

// array reads the assertions on arrays.
func (k *keywords) array(name string, v *jsonvalue.Value) bool {
	rules := k.schema.arr
	if rules == nil {
		rules = &arrayRules{minItems: -1, maxItems: -1, minContains: -1, maxContains: -1}
	}
	switch name {
	case "minItems":
		rules.minItems = k.count(name, v)
	case "maxItems":
		rules.maxItems = k.count(name, v)
	case "uniqueItems":
		rules.unique = k.boolean(name, v)
	case "prefixItems":
		rules.prefix = k.list(name, v)
	case "items":
		if v.Kind() == jsonvalue.Array {
			k.problem(k.place(name), "must be one schema; use prefixItems for a list")
			return true
		}
		rules.items = k.sub(name, v)
	case "contains":
		rules.contains = k.sub(name, v)
	case "minContains":
		rules.minContains = k.count(name, v)
	case "maxContains":
		rules.maxContains = k.count(name, v)
	case "unevaluatedItems":
		rules.unevaluated = k.sub(name, v)
	default:
		return false
	}
	k.schema.arr = rules
	return true
}

// members reads the assertions on objects.
func (k *keywords) members(name string, v *jsonvalue.Value) bool {
	rules := k.schema.obj
	if rules == nil {
		rules = &objectRules{minProperties: -1, maxProperties: -1}
	}
	switch name {
	case "minProperties":
		rules.minProperties = k.count(name, v)
	case "maxProperties":
		rules.maxProperties = k.count(name, v)
	case "properties":
		rules.properties = k.named(name, v)
		if len(rules.properties) > indexFrom {
			rules.index = make(map[string]int, len(rules.properties))
			for i := range rules.properties {
				rules.index[rules.properties[i].Name] = i
			}
		}
	case "patternProperties":
		for _, p := range k.named(name, v) {
			re := k.pattern(p.Name, k.place(name, p.Name))
			if re == nil {
				p.Schema = nil // any member may be one of those it would have admitted
			}
			rules.patterns = append(rules.patterns, patternProperty{re, p.Schema})
		}
	case "additionalProperties":
		rules.additional = k.sub(name, v)
	case "propertyNames":
		rules.names = k.sub(name, v)
	case "required":
		if v.Kind() == jsonvalue.Bool {
			k.problem(k.place(name), "must be an array of member names, stated by the schema of the object")
			return true
		}
		rules.required = k.names(v, k.place(name))
	case "dependentRequired":
		rules.dependentRequired = k.dependencies(name, v)
	case "unevaluatedProperties":
		rules.unevaluated = k.sub(name, v)
	default:
		return false
	}
	k.schema.obj = rules
	return true
}

func (k *keywords) dependencies(name string, v *jsonvalue.Value) []dependency {
	if v.Kind() != jsonvalue.Object {
		k.problem(k.place(name), "must be an object whose members are arrays of names")
		return nil
	}
	var list []dependency
	for i := range v.Elems() {
		m := &v.Elems()[i]
		if needs := k.names(&m.Value, k.place(name, m.Name)); len(needs) > 0 {
			list = append(list, dependency{m.Name, needs})
		}
	}
	return list
}

// applicator reads the keywords that apply schemas to the same value.
func (k *keywords) applicator(name string, v *jsonvalue.Value) bool {
	a := k.schema.comb
	if a == nil {
		a = &applicators{}
	}
	switch name {
	case "$ref":
		k.reference(a, v)
	case "allOf":
		a.allOf = k.list(name, v)
		k.lead(name, a.allOf)
	case "anyOf":
		a.anyOf = k.list(name, v)
		k.lead(name, a.anyOf)
	case "oneOf":
		a.oneOf = k.list(name, v)
		k.lead(name, a.oneOf)
	case "not":
		a.not = k.sub(name, v)
		k.leadTo(name, &a.not)
	case "if":
		a.when = k.sub(name, v)
		k.leadTo(name, &a.when)
	case "then":
		a.then = k.sub(name, v)
		k.leadTo(name, &a.then)
	case "else":
		a.otherwise = k.sub(name, v)
		k.leadTo(name, &a.otherwise)
	case "dependentSchemas":
		a.dependentSchemas = k.named(name, v)
		for i := range a.dependentSchemas {
			k.leadTo(name, &a.dependentSchemas[i].Schema)
		}
	default:
		return false
	}
	k.schema.comb = a
	return true
}

func (k *keywords) lead(name string, list []*Schema) {
	for i := range list {
		k.leadTo(name, &list[i])
	}
}

func (k *keywords) leadTo(name string, slot **Schema) {
	k.edges[k.schema] = append(k.edges[k.schema], edge{slot, k.place(name)})
}

// finish settles the keywords whose meaning depends on another one.
func (k *keywords) finish() {
	s := k.schema
	if n := s.num; n != nil && k.opts.OpenAPI30 {
		if e := k.raw.Get("exclusiveMinimum"); e != nil && e.Bool() && n.min != nil {
			n.above, n.min = n.min, nil
		}
		if e := k.raw.Get("exclusiveMaximum"); e != nil && e.Bool() && n.max != nil {
			n.below, n.max = n.max, nil
		}
	}
	if a := s.comb; a != nil {
		if a.when == nil {
			a.then, a.otherwise = nil, nil
		}
		k.discriminator(a)
	}
}

// discriminator reads OpenAPI's discriminator, which names the branch of a
// oneOf or anyOf by the value of a property: through its mapping, or by the last part of a reference.
func (k *keywords) discriminator(a *applicators) {
	branches, keyword := a.oneOf, "oneOf"
	if branches == nil {
		branches, keyword = a.anyOf, "anyOf"
	}
	name := k.raw.Get("discriminator")
	if name == nil || branches == nil {
		return
	}
	property := name.Get("propertyName")
	if property == nil || property.Kind() != jsonvalue.String {
		return
	}
	d := &discriminator{property: property.Text(), branches: map[string]int{}}
	byRef := map[string]int{}
	for i := range branches {
		if ref := k.raw.Get(keyword).Index(i).Get("$ref"); ref != nil {
			byRef[ref.Text()] = i
			d.branches[lastPart(ref.Text())] = i
		}
	}
	if mapping := name.Get("mapping"); mapping != nil {
		for i := range mapping.Elems() {
			m := &mapping.Elems()[i]
			if branch, ok := byRef[m.Value.Text()]; ok {
				d.branches[m.Name] = branch
			} else if branch, ok := d.branches[m.Value.Text()]; ok {
				d.branches[m.Name] = branch
			}
		}
	}
	a.discriminator = d
}
