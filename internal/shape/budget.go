package shape

import (
	"context"

	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// maxSpent bounds what the evaluation of an expression for one object costs, in steps: some tenths of a second. (CEL's own
// limit does not hold here: what it takes to count is quadratic in the rounds of a loop, a minute for 100,000.)
const maxSpent = 1_000_000

// perStep is how many bytes or parts of values a function can go over in the time of a step.
const perStep = 64

// budgetVariable holds the budget of an evaluation. Expressions cannot name it.
const budgetVariable = "@budget"

// askEvery is after how many steps an evaluation asks whether its result is still wanted.
const askEvery = 1024

// budget is what an evaluation has spent so far.
type budget struct {
	ctx   context.Context //nolint:containedctx // it lives as long as one evaluation
	spent int
}

// spend counts steps. It ends the evaluation where they are too many, or nobody waits for it any more.
func spend(frame *interpreter.ExecutionFrame, steps int) {
	found, _ := frame.ResolveName(budgetVariable)
	b, ok := found.(*budget)
	if !ok {
		return
	}
	before := b.spent / askEvery
	b.spent += steps
	switch {
	case b.spent > maxSpent:
		panic(tooCostly())
	case b.spent/askEvery != before && b.ctx.Err() != nil:
		panic(interpreter.EvalCancelledError{Cause: interpreter.ContextCancelled, Message: "cancelled"})
	}
}

// tooCostly is what an evaluation panics with that is to end, whatever stands around it; CEL makes an error of it.
func tooCostly() interpreter.EvalCancelledError {
	return interpreter.EvalCancelledError{Cause: interpreter.CostLimitExceeded, Message: "too costly"}
}

// counted returns a node of an expression as one that counts when it is evaluated. A loop is left as it is: its parts count.
func counted(node interpreter.InterpretableV2) interpreter.InterpretableV2 {
	switch n := node.(type) {
	case *guardedCall, countedAttribute, countedConstructor, countedCall:
		return node
	case interpreter.InterpretableAttribute:
		return countedAttribute{n}
	case interpreter.InterpretableConstructor:
		return countedConstructor{InterpretableConstructor: n, parts: len(n.InitVals())}
	case interpreter.InterpretableCall:
		return countedCall{n}
	}
	return node
}

type countedCall struct{ interpreter.InterpretableCall }

// Exec counts, and calls.
func (n countedCall) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	spend(frame, 1)
	return n.InterpretableCall.Exec(frame)
}

type countedConstructor struct {
	interpreter.InterpretableConstructor

	parts int // that it is made of
}

// Exec counts, and makes the list or map.
func (n countedConstructor) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	spend(frame, 1+n.parts)
	return n.InterpretableConstructor.Exec(frame)
}

type countedAttribute struct {
	interpreter.InterpretableAttribute
}

// Exec counts, and finds the value.
func (n countedAttribute) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	spend(frame, 1)
	return n.InterpretableAttribute.Exec(frame)
}

// AddQualifier goes on to a part of the value.
func (n countedAttribute) AddQualifier(q interpreter.Qualifier) (interpreter.Attribute, error) {
	_, err := n.InterpretableAttribute.AddQualifier(q)
	return n, err
}
