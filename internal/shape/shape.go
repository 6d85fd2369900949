package shape

import (
	"context"
	"maps"
)

// Shape is what is wanted of objects. The zero value wants all of them as they are.
type Shape struct {
	// Where selects objects. Nil: all.
	Where *Where
	// Projection is what is made of each. Nil: nothing, the object itself is wanted.
	Projection *Projection
}

// Type is what an object is, for objects that do not say it themselves.
type Type struct {
	APIVersion, Kind string
}

// IsZero tells that objects need not be looked at.
func (s Shape) IsZero() bool { return s.Where == nil && s.Projection == nil }

// Apply tells whether an object, given as JSON, is wanted and what the projection makes of it. Items of typed lists lack
// apiVersion and kind, and where only the metadata was asked for, they call themselves PartialObjectMetadata: they then have
// those of t.
//
// An error is the end of ctx as context.Cause has it, or of this package: it says why the expression could not be
// evaluated. An object that lacks what an expression asks for is not an error: it does not match, and nothing is printed.
func (s Shape) Apply(ctx context.Context, object []byte, t Type) (text string, wanted bool, err error) {
	if s.IsZero() {
		return "", true, nil
	}
	document, err := decode(object, s.members())
	if err != nil {
		return "", false, err
	}
	identify(document, t)
	if s.Where != nil {
		if wanted, err = s.Where.matches(ctx, document); err != nil || !wanted {
			return "", false, err
		}
	}
	if s.Projection != nil {
		text, err = s.Projection.render(ctx, document)
	}
	return text, err == nil, err
}

// members are the names of an object's members that can make a difference; nil for all of them.
func (s Shape) members() members {
	switch {
	case s.Where == nil:
		return s.Projection.members
	case s.Projection == nil:
		return s.Where.members
	case s.Where.members == nil, s.Projection.members == nil:
		return nil
	}
	both := maps.Clone(s.Where.members)
	maps.Copy(both, s.Projection.members)
	return both
}

// identify gives an object the type that it does not tell itself.
func identify(document map[string]any, t Type) {
	if kind, _ := document["kind"].(string); t.Kind != "" && (kind == "" || kind == partialKind) {
		document["apiVersion"], document["kind"] = t.APIVersion, t.Kind
	}
}
