package contract

import (
	"patchbay/internal/jsonvalue"
	"patchbay/internal/schema"
)

// keywordKind says what stands behind a keyword of JSON Schema 2020-12.
type keywordKind uint8

const (
	// notPublished are keywords of OpenAPI, of other drafts and of nobody,
	// and those that only make sense beside the rest of a document.
	notPublished keywordKind = iota
	anyValue
	textValue
	flagValue
	numberValue
	countValue
	listValue
	nameList
	namedLists
	typeNames
	oneSchema
	listedSchemas
	namedSchemas
)

func kindOf(keyword string) keywordKind {
	switch keyword {
	case "const", "default":
		return anyValue
	case "title", "description", "format", "pattern", "contentEncoding", "contentMediaType":
		return textValue
	case "uniqueItems", "readOnly", "writeOnly", "deprecated":
		return flagValue
	case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf":
		return numberValue
	case "minLength", "maxLength", "minItems", "maxItems", "minContains", "maxContains", "minProperties", "maxProperties":
		return countValue
	case "enum", "examples":
		return listValue
	case "required":
		return nameList
	case "dependentRequired":
		return namedLists
	case "type":
		return typeNames
	case "items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames", "unevaluatedProperties", "unevaluatedItems":
		return oneSchema
	case "allOf", "anyOf", "oneOf", "prefixItems":
		return listedSchemas
	case "properties", "patternProperties", "dependentSchemas":
		return namedSchemas
	default:
		return notPublished
	}
}

// annotates reports whether a keyword describes and refuses nothing.
func annotates(keyword string) bool {
	switch keyword {
	case "title", "description", "format", "default", "examples", "readOnly", "writeOnly", "deprecated", "contentEncoding", "contentMediaType":
		return true
	default:
		return false
	}
}

// admissible reports whether a keyword is published and has a value of the form
// that it demands: documents are not always valid, and one wrong keyword makes
// agents' hosts refuse a whole list of tools.
func admissible(keyword string, v *jsonvalue.Value) bool {
	switch kindOf(keyword) {
	case anyValue:
		return true
	case textValue:
		return v.Kind() == jsonvalue.String && (keyword != "pattern" || schema.IsPattern(v.Text()))
	case flagValue:
		return v.Kind() == jsonvalue.Bool
	case numberValue:
		f, ok := v.Float()
		return ok && (keyword != "multipleOf" || f > 0)
	case countValue:
		n, ok := v.Int()
		return ok && n >= 0
	case listValue:
		return v.Kind() == jsonvalue.Array && (keyword != "enum" || v.Len() > 0)
	case nameList:
		return isNames(v)
	case namedLists:
		return v.Kind() == jsonvalue.Object && all(v, isNames)
	case typeNames:
		return isType(v) || v.Kind() == jsonvalue.Array && v.Len() > 0 && all(v, isType)
	case oneSchema:
		return isSchema(v)
	case listedSchemas:
		return v.Kind() == jsonvalue.Array && v.Len() > 0 && all(v, isSchema)
	case namedSchemas:
		return v.Kind() == jsonvalue.Object && all(v, isSchema)
	default:
		return false
	}
}

func all(v *jsonvalue.Value, holds func(*jsonvalue.Value) bool) bool {
	for i := range v.Elems() {
		if !holds(&v.Elems()[i].Value) {
			return false
		}
	}
	return true
}

func isSchema(v *jsonvalue.Value) bool {
	return v.Kind() == jsonvalue.Object || v.Kind() == jsonvalue.Bool
}

func isText(v *jsonvalue.Value) bool { return v.Kind() == jsonvalue.String }

// isNames reports whether a value is a list of names, each of them once.
func isNames(v *jsonvalue.Value) bool {
	if v.Kind() != jsonvalue.Array || !all(v, isText) {
		return false
	}
	seen := map[string]bool{}
	return all(v, func(name *jsonvalue.Value) bool {
		again := seen[name.Text()]
		seen[name.Text()] = true
		return !again
	})
}

func isType(v *jsonvalue.Value) bool {
	switch v.Text() {
	case "string", "number", "integer", "boolean", "array", "object", "null":
		return v.Kind() == jsonvalue.String
	default:
		return false
	}
}
