package output

import (
	"errors"
	"fmt"
	"strings"

	"k8s.io/client-go/util/jsonpath"
)

// Column is one custom column: a heading and the path of its cells.
type Column struct {
	Heading string

	path *jsonpath.JSONPath
}

// parseColumns reads HEADING:PATH,… as kubectl does; a path needs neither braces nor a leading dot.
func parseColumns(spec string) ([]Column, error) {
	if spec == "" {
		return nil, errors.New("custom-columns needs columns, such as custom-columns=NAME:.metadata.name")
	}
	var columns []Column
	for part := range strings.SplitSeq(spec, ",") {
		heading, path, ok := strings.Cut(part, ":")
		if !ok || heading == "" || path == "" {
			return nil, fmt.Errorf("custom column %q is not HEADING:PATH", part)
		}
		path = strings.TrimSuffix(strings.TrimPrefix(path, "{"), "}")
		p := jsonpath.New(heading).AllowMissingKeys(true)
		if err := p.Parse("{." + strings.TrimPrefix(path, ".") + "}"); err != nil {
			return nil, fmt.Errorf("custom column %q: %w", part, err)
		}
		columns = append(columns, Column{Heading: heading, path: p})
	}
	return columns, nil
}

// Headings returns the headings of custom columns.
func (f Format) Headings() []string {
	headings := make([]string, 0, len(f.columns))
	for _, c := range f.columns {
		headings = append(headings, c.Heading)
	}
	return headings
}

// Cells returns the custom columns of one object, given as JSON.
func (f Format) Cells(object []byte) ([]string, error) {
	document, err := Decode(object)
	if err != nil {
		return nil, err
	}
	cells := make([]string, 0, len(f.columns))
	for _, c := range f.columns {
		cell, err := c.cell(document)
		if err != nil {
			return nil, err
		}
		cells = append(cells, cell)
	}
	return cells, nil
}

func (c Column) cell(document any) (text string, err error) {
	defer broken(&err, "custom column "+c.Heading)
	found, err := c.path.FindResults(document)
	if err != nil {
		return "", fmt.Errorf("custom column %s: %w", c.Heading, err)
	}
	var values []string
	for _, results := range found {
		for _, value := range results {
			values = append(values, fmt.Sprint(value.Interface()))
		}
	}
	if len(values) == 0 {
		return "<none>", nil
	}
	return strings.Join(values, ","), nil
}
