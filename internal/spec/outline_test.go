package spec

import (
	"fmt"
	"reflect"
	"strings"

	"patchbay/internal/diag"
)

// outline prints what a document says, one field a line, with the place of
// every scalar. Fields that are absent are left out.
func outline(doc *Document) string {
	var b strings.Builder
	outlineValue(&b, "", "", reflect.ValueOf(*doc))
	return b.String()
}

func outlineValue(b *strings.Builder, indent, name string, v reflect.Value) {
	line := func(format string, args ...any) {
		fmt.Fprintf(b, "%s%s: %s\n", indent, name, fmt.Sprintf(format, args...))
	}
	at := func(s diag.Span) string {
		if s.EndLine == s.Line {
			return fmt.Sprintf("%d:%d-%d", s.Line, s.Col, s.EndCol)
		}
		return fmt.Sprintf("%d:%d-", s.Line, s.Col)
	}
	switch x := v.Interface().(type) {
	case Text:
		if x.Set() {
			line("%q %s", x.Value, at(x.Span))
		}
		return
	case Int:
		if x.Set() {
			line("%d %s", x.Value, at(x.Span))
		}
		return
	case Bool:
		if x.Set() {
			line("%t %s", x.Value, at(x.Span))
		}
		return
	case diag.Span, NodeKind:
		return
	case []byte:
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			outlineValue(b, indent, name, v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			outlineValue(b, indent, fmt.Sprintf("%s[%d]", name, i), v.Index(i))
		}
	case reflect.Struct:
		if v.IsZero() {
			return
		}
		if name != "" {
			fmt.Fprintf(b, "%s%s:\n", indent, name)
			indent += "  "
		}
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if field.Anonymous {
				field.Name = ""
			}
			outlineValue(b, indent, field.Name, v.Field(i))
		}
	default:
		if tag := v.String(); name == "Tag" && (tag == tagText || tag == "!!map" || tag == "!!seq") {
			return // the usual ones
		}
		if !v.IsZero() {
			line("%v", v.Interface())
		}
	}
}

// texts calls f for every scalar of a document that was written in the file.
func texts(v reflect.Value, f func(Text)) {
	if t, ok := v.Interface().(Text); ok {
		if t.Set() {
			f(t)
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			texts(v.Elem(), f)
		}
	case reflect.Slice:
		for i := range v.Len() {
			texts(v.Index(i), f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			texts(v.Field(i), f)
		}
	}
}
