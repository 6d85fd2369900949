package output

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// List writes a v1 List of Kubernetes objects item by item, as JSON or YAML. It holds one item at a time.
type List struct {
	w     io.Writer
	kind  Kind
	items int
}

// NewList returns a list that is written as JSON or YAML.
func NewList(w io.Writer, kind Kind) *List { return &List{w: w, kind: kind} }

const (
	jsonHead = "{\n    \"apiVersion\": \"v1\",\n    \"kind\": \"List\",\n    \"metadata\": {\n        \"resourceVersion\": \"\"\n    },\n    \"items\": ["
	yamlHead = "apiVersion: v1\nkind: List\nmetadata:\n  resourceVersion: \"\"\nitems:"
)

// Add writes an item that Object returned. As JSON it stands on a line of its own with its bytes as they are. Which
// cluster it is of, the item says itself.
func (l *List) Add(object []byte, _ string) error {
	first := l.items == 0
	if l.kind == YAML {
		return l.addYAML(object, first)
	}
	l.items++
	separator := ",\n        "
	if first {
		separator = jsonHead + "\n        "
	}
	_, err := l.w.Write(append([]byte(separator), object...))
	return err
}

func (l *List) addYAML(object []byte, first bool) error {
	// As the only item of a sequence, rather than indented here: some line breaks of YAML are none of other texts.
	text, err := toYAML(slices.Concat([]byte("["), object, []byte("]")))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnprintable, err)
	}
	l.items++
	if first {
		text = append([]byte(yamlHead+"\n"), text...)
	}
	_, err = l.w.Write(text)
	return err
}

// Close ends the list, so that what was written is whole.
func (l *List) Close() error {
	end := map[Kind]string{JSON: "\n    ]\n}\n", YAML: ""}
	if l.items == 0 {
		end = map[Kind]string{JSON: jsonHead + "]\n}\n", YAML: yamlHead + " []\n"}
	}
	text, ok := end[l.kind]
	if !ok {
		return errors.New("a list is JSON or YAML")
	}
	_, err := io.WriteString(l.w, text)
	return err
}
