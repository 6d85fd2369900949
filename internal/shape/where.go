package shape

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/ext"
	"cel.dev/cel-go/interpreter"
)

// objectVariable is what an expression calls the object.
const objectVariable = "object"

// maxProblems bounds how many mistakes of one expression are told.
const maxProblems = 3

// Where is a CEL expression that an object matches or not. Beside the standard library it knows the extensions strings,
// lists, sets, optionals (`object.?status.?phase.orValue("")`) and comprehensions over two variables.
type Where struct {
	program cel.Program
	members members // of the object, that the expression looks at
}

// ParseWhere compiles an expression such as `object.status.phase != "Running"`. The error says what is wrong with it, and
// where: it is the caller's to mend.
func ParseWhere(expression string) (*Where, error) {
	env, err := environment()
	if err != nil {
		return nil, err
	}
	checked, issues := env.Compile(expression)
	if issues.Err() != nil {
		return nil, problems(issues)
	}
	if t := checked.OutputType(); !t.IsExactType(cel.BoolType) && !t.IsExactType(cel.DynType) {
		return nil, fmt.Errorf("the expression is of type %s, and must be a condition, of type bool", t)
	}
	if err := affordable(env, checked); err != nil {
		return nil, err
	}
	program, err := env.Program(checked, cel.CustomDecoratorV2(decorated(env)))
	if err != nil {
		return nil, err
	}
	return &Where{program: program, members: lookedAt(checked)}, nil
}

func environment() (*cel.Env, error) {
	return cel.NewEnv(
		cel.Variable(objectVariable, cel.DynType),
		cel.OptionalTypes(),
		cel.CrossTypeNumericComparisons(true),
		cel.ASTValidators(regexCheck{}),
		cel.ParserRecursionLimit(maxNesting),
		cel.ExpressionNodeLimit(maxNodes),
		ext.Strings(), ext.Lists(ext.ListsMaxRangeSize(maxRange)), ext.Sets(), ext.TwoVarComprehensions(),
	)
}

// problems are the mistakes in an expression, each with its line and column, both from 1.
func problems(issues *cel.Issues) error {
	var said []string
	for _, e := range issues.Errors() {
		if len(said) == maxProblems {
			said = append(said, fmt.Sprintf("and %d more", len(issues.Errors())-maxProblems))
			break
		}
		said = append(said, fmt.Sprintf("%d:%d: %s", e.Location.Line(), max(e.Location.Column(), 0)+1, e.Message))
	}
	return errors.New(strings.Join(said, "; "))
}

// matches tells whether the expression is true for an object.
func (w *Where) matches(ctx context.Context, document map[string]any) (bool, error) {
	value, _, err := w.program.Eval(map[string]any{objectVariable: document, budgetVariable: &budget{ctx: ctx}})
	if err != nil {
		return false, evaluation(ctx, err)
	}
	if result, ok := value.(types.Bool); ok {
		return bool(result), nil
	}
	return false, errNoCondition
}

var (
	errTooCostly   = errors.New("the expression is too costly for the object: select fewer of its parts, or loop less deep")
	errNoCondition = errors.New("the expression comes to a value that is neither true nor false")
	errMismatch    = errors.New("the expression cannot be evaluated: a part of the object is of another type than it asks for, or has a value that it cannot work with")
)

// evaluation is why an expression was not evaluated, nil where the object only lacks what it asks for. What CEL says about
// it may hold parts of the object, and is not passed on.
func evaluation(ctx context.Context, err error) error {
	cancelled, ok := errors.AsType[interpreter.EvalCancelledError](err)
	switch {
	case ok && cancelled.Cause == interpreter.CostLimitExceeded:
		return errTooCostly
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case missing(err):
		return nil
	}
	return errMismatch
}

// missing tells that something is not there: a member, an element, or the value of an optional. CEL has no type for it: its
// own conformance tests compare these texts.
func missing(err error) bool {
	text := err.Error()
	return text == "optional.none() dereference" || strings.HasPrefix(text, "no such key: ") || strings.HasPrefix(text, "index out of bounds: ") ||
		strings.HasPrefix(text, "index ") && strings.Contains(text, " out of range in list ")
}
