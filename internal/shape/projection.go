package shape

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"k8s.io/client-go/util/jsonpath"
)

const (
	// maxText bounds what a template prints for one object, in bytes.
	maxText = 64 << 10
	// maxSteps bounds how many values a template looks at in one object.
	maxSteps = 1_000_000
)

var (
	errTooLong  = fmt.Errorf("the template prints more than %d KiB for one object: name the parts that are wanted", maxText>>10)
	errTooFar   = errors.New("the template looks at too many values of one object: name the parts that are wanted")
	errNoFormat = errors.New("the template leads to a value that cannot be printed")
)

// render returns what the template makes of an object. What is not there prints nothing: a missing member, an index beyond
// the end, a step into a value that has no parts.
func (p *Projection) render(ctx context.Context, document map[string]any) (string, error) {
	e := evaluator{ctx: ctx}
	if err := e.render(p.parts, document); err != nil {
		return "", err
	}
	return string(e.text), nil
}

// evaluator prints one object.
type evaluator struct {
	ctx   context.Context //nolint:containedctx // it lives as long as one evaluation
	text  []byte
	steps int
}

func (e *evaluator) render(parts []part, current any) error {
	for _, p := range parts {
		found, err := e.walk(p.path, []any{current})
		if err != nil {
			return err
		}
		if !p.loop {
			if err := e.write(found); err != nil {
				return err
			}
			continue
		}
		for _, value := range found {
			if err := e.render(p.body, value); err != nil {
				return err
			}
		}
	}
	return e.step(len(parts))
}

// step counts values that were looked at.
func (e *evaluator) step(n int) error {
	before := e.steps / askEvery
	e.steps += n
	switch {
	case e.steps > maxSteps:
		return errTooFar
	case e.steps/askEvery != before && e.ctx.Err() != nil:
		return context.Cause(e.ctx)
	}
	return nil
}

// write prints values with blanks between them, as kubectl does: text as it is, lists and objects as JSON.
func (e *evaluator) write(values []any) error {
	for i, value := range values {
		if i > 0 {
			e.text = append(e.text, ' ')
		}
		switch v := value.(type) {
		case nil:
			e.text = append(e.text, "null"...)
		case map[string]any, []any:
			raw, err := json.Marshal(v)
			if err != nil {
				return errNoFormat
			}
			e.text = append(e.text, raw...)
		default:
			e.text = fmt.Append(e.text, v)
		}
		if len(e.text) > maxText {
			return errTooLong
		}
	}
	return nil
}

// walk follows a path from some values and returns where it leads to.
func (e *evaluator) walk(path []jsonpath.Node, from []any) ([]any, error) {
	for _, node := range path {
		var err error
		if from, err = e.follow(node, from); err != nil {
			return nil, err
		}
		if err := e.step(1 + len(from)); err != nil {
			return nil, err
		}
	}
	return from, nil
}

func (e *evaluator) follow(node jsonpath.Node, from []any) ([]any, error) {
	switch n := node.(type) {
	case *jsonpath.TextNode:
		return []any{n.Text}, nil
	case *jsonpath.IntNode:
		return repeated(int64(n.Value), len(from)), nil
	case *jsonpath.FloatNode:
		return repeated(n.Value, len(from)), nil
	case *jsonpath.BoolNode:
		return repeated(n.Value, len(from)), nil
	case *jsonpath.ListNode:
		return e.walk(n.Nodes, from)
	case *jsonpath.UnionNode:
		return e.union(n, from)
	case *jsonpath.FilterNode:
		return e.filter(n, from)
	case *jsonpath.RecursiveNode:
		return e.descend(from, nil)
	}
	var found []any
	for _, value := range from {
		switch n := node.(type) {
		case *jsonpath.FieldNode:
			if object, ok := value.(map[string]any); ok {
				if member, ok := object[n.Value]; ok {
					found = append(found, member)
				}
			}
		case *jsonpath.WildcardNode:
			found = append(found, inside(value)...)
		case *jsonpath.ArrayNode:
			if list, ok := value.([]any); ok {
				found = append(found, slice(list, n.Params)...)
			}
		}
		if len(found) > maxSteps {
			return nil, errTooFar
		}
	}
	return found, nil
}

func repeated(value any, n int) []any {
	values := make([]any, n)
	for i := range values {
		values[i] = value
	}
	return values
}

// inside returns the values in an object, in the order of their names, or in a list.
func inside(value any) []any {
	switch v := value.(type) {
	case map[string]any:
		values := make([]any, 0, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			values = append(values, v[name])
		}
		return values
	case []any:
		return v
	}
	return nil
}

// slice returns the elements from one index up to another, with a step; negative ones count from the end.
func slice(list []any, params [3]jsonpath.ParamsEntry) []any {
	from, to, step := 0, len(list), 1
	if params[0].Known {
		from = params[0].Value
	}
	if params[1].Known {
		to = params[1].Value
	}
	if params[2].Known {
		step = min(params[2].Value, max(len(list), 1))
	}
	if from < 0 {
		from += len(list)
	}
	if to < 0 || to == 0 && params[1].Derived { // [-1] is [-1:0], and means up to the end
		to += len(list)
	}
	if params[1].Derived && from < 0 {
		return nil
	}
	from, to = max(from, 0), min(to, len(list))
	var found []any
	for ; from < to; from += step {
		found = append(found, list[from])
	}
	return found
}

func (e *evaluator) union(n *jsonpath.UnionNode, from []any) ([]any, error) {
	var found []any
	for _, member := range n.Nodes {
		values, err := e.walk(member.Nodes, from)
		if err != nil {
			return nil, err
		}
		if err := e.step(len(values)); err != nil {
			return nil, err
		}
		found = append(found, values...)
	}
	return found, nil
}

// descend returns the values that have parts, and those in them.
func (e *evaluator) descend(from, found []any) ([]any, error) {
	var err error
	for _, value := range from {
		values := inside(value)
		if err = e.step(1); err != nil {
			return nil, err
		}
		if len(values) == 0 {
			continue
		}
		if found, err = e.descend(values, append(found, value)); err != nil {
			return nil, err
		}
	}
	return found, nil
}
