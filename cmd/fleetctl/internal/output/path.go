package output

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"k8s.io/client-go/util/jsonpath"
	kjson "sigs.k8s.io/json"
)

// Path is a JSONPath template in kubectl's dialect.
type Path struct {
	template *jsonpath.JSONPath
}

// ParsePath reads a template such as `{range .items[*]}{.metadata.name}{"\n"}{end}`. As in kubectl's custom columns,
// one without braces is a path: `.items`, `items`.
func ParsePath(template string) (*Path, error) {
	if template == "" {
		return nil, errors.New("jsonpath needs a template, such as jsonpath='{.items[*].metadata.name}'")
	}
	if !strings.ContainsAny(template, "{}") {
		template = "{." + strings.TrimPrefix(template, ".") + "}"
	}
	p := jsonpath.New("output").AllowMissingKeys(true)
	if err := p.Parse(template); err != nil {
		return nil, fmt.Errorf("jsonpath %s: %w", template, err)
	}
	return &Path{template: p}, nil
}

// Execute writes what the format's JSONPath template makes of a document that Decode returned.
func (f Format) Execute(w io.Writer, document any) error { return f.path.Execute(w, document) }

// Execute writes what the template makes of a decoded document.
func (p *Path) Execute(w io.Writer, document any) (err error) {
	defer broken(&err, "jsonpath")
	if err := p.template.Execute(w, document); err != nil {
		return fmt.Errorf("jsonpath: %w", err)
	}
	return nil
}

// broken makes an error of a panic: the library panics on templates that it takes although they are wrong, such as a
// range without an end.
func broken(err *error, what string) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%s: the template cannot be applied; look at its ranges, indexes and filters", what)
	}
}

// Decode reads JSON as JSONPath templates want it: with whole numbers as int64, so that none is printed as 1e+06.
func Decode(raw []byte) (any, error) {
	var document any
	if err := kjson.UnmarshalCaseSensitivePreserveInts(raw, &document); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnprintable, err)
	}
	return document, nil
}
