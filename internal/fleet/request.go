package fleet

import (
	"github.com/clusterfleet/clusterfleet/internal/safetext"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// RequestError says that a request makes no sense, and why.
type RequestError struct {
	// Field is the path of the request's field that is wrong.
	Field string
	// Problem says what is wrong with it. It is safe to show.
	Problem string

	cause error
}

// Error says what is wrong with which field.
func (e *RequestError) Error() string { return e.Field + ": " + e.Problem }

// Unwrap returns the cause.
func (e *RequestError) Unwrap() error { return e.cause }

func badRequest(field string, cause error) error {
	return &RequestError{Field: field, Problem: safetext.Clean(cause.Error()), cause: cause}
}

// checkQuery finds the field that makes a query bad by looking at a query that grows by a field at a time. The fields are
// those of the request, below prefix.
func checkQuery(prefix string, q cluster.Query) error {
	err := q.Validate()
	if err == nil {
		return nil
	}
	part := cluster.Query{Type: q.Type}
	for _, next := range []struct {
		field string
		add   func()
	}{
		{"resource_type", func() {}},
		{"namespace", func() { part.Namespace = q.Namespace }},
		{"name", func() { part.Name = q.Name }},
		{"label_selector", func() { part.LabelSelector = q.LabelSelector }},
		{"field_selector", func() { part.FieldSelector = q.FieldSelector }},
	} {
		next.add()
		if err := part.Validate(); err != nil {
			return badRequest(prefix+next.field, err)
		}
	}
	return badRequest(prefix+"output", err)
}
