package shape

import (
	"k8s.io/client-go/third_party/forked/golang/template"
	"k8s.io/client-go/util/jsonpath"
)

// filter returns the elements of lists that pass.
func (e *evaluator) filter(n *jsonpath.FilterNode, from []any) ([]any, error) {
	var found []any
	for _, value := range from {
		list, _ := value.([]any)
		for _, element := range list {
			if err := e.step(1); err != nil {
				return nil, err
			}
			passes, err := e.passes(n, element)
			if err != nil {
				return nil, err
			}
			if passes {
				found = append(found, element)
			}
		}
	}
	return found, nil
}

// passes tells whether an element passes a filter. Where there is not one value on either side, or they cannot be compared,
// it does not.
func (e *evaluator) passes(n *jsonpath.FilterNode, element any) (bool, error) {
	left, err := e.walk(n.Left.Nodes, []any{element})
	if err != nil || n.Operator == "exists" {
		return len(left) > 0, err
	}
	right, err := e.walk(n.Right.Nodes, []any{element})
	if err != nil || len(left) != 1 || len(right) != 1 {
		return false, err
	}
	return compare(left[0], right[0], n.Operator), e.step(compared(left[0], right[0]))
}

// compared is how many steps it takes to compare two values: texts are gone over.
func compared(left, right any) int {
	one, _ := left.(string)
	other, _ := right.(string)
	return min(len(one), len(other)) / perStep
}

func compare(left, right any, operator string) bool {
	left, right = alike(left, right), alike(right, left)
	var passes bool
	var err error
	switch operator {
	case "==":
		passes, err = template.Equal(left, right)
	case "!=":
		passes, err = template.NotEqual(left, right)
	case "<":
		passes, err = template.Less(left, right)
	case "<=":
		passes, err = template.LessEqual(left, right)
	case ">":
		passes, err = template.Greater(left, right)
	case ">=":
		passes, err = template.GreaterEqual(left, right)
	}
	return passes && err == nil
}

// alike returns a whole number as the other one is, if that is not whole.
func alike(value, other any) any {
	if whole, ok := value.(int64); ok {
		if _, ok := other.(float64); ok {
			return float64(whole)
		}
	}
	return value
}
