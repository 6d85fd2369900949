package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// Document is what a whole call found: {"items": […], "summary": {…}}.
type Document struct {
	// Items are JSON objects.
	Items []json.RawMessage `json:"items"`
	// Summary is a JSON object; nil where the call did not get to its end.
	Summary json.RawMessage `json:"summary,omitempty"`
}

// Write writes the document as JSON or YAML, as what a JSONPath template makes of it, or as the custom columns of its
// items.
func (d Document) Write(w io.Writer, f Format, noHeadings bool) error {
	if f.Kind == CustomColumns {
		return d.columns(w, f, noHeadings)
	}
	if d.Items == nil {
		d.Items = []json.RawMessage{}
	}
	raw, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return Write(w, f, raw)
}

// Write writes one JSON document as JSON, a line of it, YAML, or as what a JSONPath template makes of it.
func Write(w io.Writer, f Format, raw json.RawMessage) error {
	switch f.Kind {
	case JSON:
		var indented bytes.Buffer
		if err := json.Indent(&indented, raw, "", "    "); err != nil {
			return err
		}
		indented.WriteByte('\n')
		_, err := w.Write(indented.Bytes())
		return err
	case JSONL:
		_, err := w.Write(append(raw, '\n'))
		return err
	case YAML:
		text, err := toYAML(raw)
		if err != nil {
			return err
		}
		_, err = w.Write(text)
		return err
	case JSONPath:
		document, err := Decode(raw)
		if err != nil {
			return err
		}
		return f.path.Execute(w, document)
	default:
		return fmt.Errorf("a document cannot be written as %s", f.Kind)
	}
}

func (d Document) columns(w io.Writer, f Format, noHeadings bool) error {
	grid := Grid{Headings: f.Headings(), NoHeadings: noHeadings}
	for _, item := range d.Items {
		cells, err := f.Cells(item)
		if err != nil {
			return err
		}
		grid.Row(cells...)
	}
	return grid.Write(w)
}
