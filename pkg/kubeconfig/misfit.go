package kubeconfig

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"

	kjson "k8s.io/apimachinery/pkg/util/json"
)

// nameOf returns the name of an entry that does not decode, empty if it has none.
func nameOf(raw []byte) string {
	var fields map[string]json.RawMessage
	var name string
	if kjson.Unmarshal(raw, &fields) != nil || kjson.Unmarshal(fields["name"], &name) != nil {
		return ""
	}
	return name
}

// misfit says which field of an entry does not decode as W, and how to mend it. It tries the fields one by one, because
// a decoder's own error may lack the field or hold the value.
func misfit[W any](raw []byte, kind string) (what, fix string) {
	var fields, content map[string]json.RawMessage
	if kjson.Unmarshal(raw, &fields) != nil {
		return "the entry is no mapping", "give it a name and a " + kind
	}
	if kjson.Unmarshal(fields[kind], &content) != nil {
		return kind + " is no mapping", "write its fields below it"
	}
	for _, field := range slices.Sorted(maps.Keys(content)) {
		alone, err := json.Marshal(map[string]any{kind: map[string]json.RawMessage{field: content[field]}})
		if err != nil {
			continue
		}
		var w W
		if err := json.Unmarshal(alone, &w); err != nil {
			return mismatch(kind, field, err)
		}
	}
	return "the entry cannot be decoded", "compare it with the kubeconfig reference"
}

// mismatch words the error of decoding one field.
func mismatch(kind, field string, err error) (what, fix string) {
	var typed *json.UnmarshalTypeError
	var encoding base64.CorruptInputError
	switch {
	case errors.As(err, &encoding):
		return field + " is not valid base64", "encode the file with base64 -w0, or name it in " + strings.TrimSuffix(field, "-data")
	case errors.As(err, &typed) && typed.Type.Kind() == reflect.String:
		return strings.TrimPrefix(typed.Field, kind+".") + " must be text", "put it in quotes"
	case errors.As(err, &typed):
		return strings.TrimPrefix(typed.Field, kind+".") + " must be " + kindName(typed.Type), "correct its value"
	}
	return field + " cannot be decoded", "correct its value"
}

// kindName names what a Go type is in YAML.
func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	default:
		return "a mapping"
	}
}
