// Package output writes results in the forms that kubectl users know: tables, JSON, YAML, JSON lines, JSONPath and custom
// columns. It knows documents and objects, not verbs: what is printed and when is decided by its caller.
package output

import (
	"fmt"
	"strings"
)

// Kind is the form of an output.
type Kind string

// The kinds of output, as `-o` names them.
const (
	Table         Kind = "table"
	Wide          Kind = "wide"
	JSON          Kind = "json"
	YAML          Kind = "yaml"
	JSONL         Kind = "jsonl"
	Name          Kind = "name"
	JSONPath      Kind = "jsonpath"
	CustomColumns Kind = "custom-columns"
)

// Kinds returns all kinds in the order in which they are documented.
func Kinds() []Kind { return []Kind{Table, Wide, JSON, YAML, JSONL, Name, JSONPath, CustomColumns} }

// Format is a kind of output with its argument.
type Format struct {
	Kind Kind

	path    *Path
	columns []Column
}

// UnknownFormatError means that the name of a format is none of Kinds.
type UnknownFormatError struct {
	// Name is what was asked for.
	Name string
}

// Error says which names there are.
func (e *UnknownFormatError) Error() string {
	return fmt.Sprintf("unknown output format %q: use %s", e.Name, usage())
}

// ParseFormat reads the value of `-o`.
func ParseFormat(s string) (Format, error) {
	name, argument, given := strings.Cut(s, "=")
	f := Format{Kind: Kind(name)}
	var err error
	switch f.Kind {
	case JSONPath:
		f.path, err = ParsePath(argument)
		return f, err
	case CustomColumns:
		f.columns, err = parseColumns(argument)
		return f, err
	case Table, Wide, JSON, YAML, JSONL, Name:
		if given {
			return f, fmt.Errorf("output format %q takes no argument", name)
		}
		return f, nil
	}
	return f, &UnknownFormatError{Name: name}
}

func usage() string {
	names := make([]string, 0, len(Kinds()))
	for _, kind := range Kinds() {
		switch kind {
		case JSONPath, CustomColumns:
			names = append(names, string(kind)+"=…")
		default:
			names = append(names, string(kind))
		}
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}
