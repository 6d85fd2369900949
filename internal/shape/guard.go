package shape

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/decls"
	"cel.dev/cel-go/common/functions"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
)

// maxWork bounds what one call of a function may do, in units of about a compared or copied byte.
const maxWork = 16 << 20

// A call is counted when it is over, and nothing ends it before. What is in this file looks at the arguments of functions
// first: the work of some is more than in proportion to what they are given, and some follow values that share their parts:
// `x.map(a, [a, a]).map(b, [b, b])…` is small and endless at once. Only those that are known to do little with any are free.

// decorated returns what makes the nodes of a program count, and guards its calls.
func decorated(env *cel.Env) interpreter.InterpretableDecoratorV2 {
	known := env.Functions()
	return func(node interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
		call, ok := node.(interpreter.InterpretableCall)
		if !ok {
			return counted(node), nil
		}
		guard := guardedCall{InterpretableCall: call, args: call.Args(), work: workOf(call.Function())}
		if guard.work == nil {
			return counted(node), nil
		}
		if call.Function() == matchFunction {
			return guardedMatch(guard)
		}
		var err error
		if guard.do, err = implementation(call, known); err != nil || guard.do == nil {
			return counted(node), err
		}
		return &guard, nil
	}
}

// guardedCall is a call that is made only where it does not do too much.
type guardedCall struct {
	interpreter.InterpretableCall

	args []interpreter.InterpretableV2
	work work
	do   functions.FunctionOp
}

// Exec evaluates the arguments, and calls.
func (c *guardedCall) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	values := make([]ref.Val, len(c.args))
	for i, arg := range c.args {
		values[i] = arg.Exec(frame)
		if types.IsUnknownOrError(values[i]) {
			return values[i]
		}
	}
	work := c.work(values)
	if work > maxWork {
		panic(tooCostly())
	}
	spend(frame, 1+work/perStep)
	result := c.do(values...)
	spend(frame, extent(result)/perStep)
	return types.LabelErrNode(c.ID(), result)
}

// Eval is Exec for callers of old.
func (c *guardedCall) Eval(vars interpreter.Activation) ref.Val {
	return c.Exec(interpreter.AsFrame(vars))
}

// implementation is what a call does. CEL compares by itself, whatever is declared.
func implementation(call interpreter.InterpretableCall, known map[string]*decls.FunctionDecl) (functions.FunctionOp, error) {
	switch call.Function() {
	case operators.Equals:
		return func(args ...ref.Val) ref.Val { return types.Equal(args[0], args[1]) }, nil
	case operators.NotEquals:
		return func(args ...ref.Val) ref.Val { return types.Bool(types.Equal(args[0], args[1]) != types.True) }, nil
	case operators.Add:
		return add, nil
	}
	overloads, err := known[call.Function()].Bindings()
	if err != nil {
		return nil, err
	}
	for _, o := range overloads {
		if o.Operator == call.Function() {
			return applied(o, len(call.Args())), nil
		}
	}
	return nil, nil
}

func applied(o *functions.Overload, args int) functions.FunctionOp {
	do := o.Function
	switch {
	case args == 1 && o.Unary != nil:
		do = func(args ...ref.Val) ref.Val { return o.Unary(args[0]) }
	case args == 2 && o.Binary != nil:
		do = func(args ...ref.Val) ref.Val { return o.Binary(args[0], args[1]) }
	}
	if o.OperandTrait == 0 || do == nil {
		return do
	}
	return func(args ...ref.Val) ref.Val {
		if !args[0].Type().HasTrait(o.OperandTrait) {
			return types.MaybeNoSuchOverloadErr(args[0])
		}
		return do(args...)
	}
}

// add adds two values. CEL makes of two lists one that asks both of them for everything: of a list that was added to itself
// again and again, the size would not be known before the end of time. Here the sum is a list of its own, but where
// a loop lets one grow.
func add(args ...ref.Val) ref.Val {
	left, canAdd := args[0].(traits.Adder)
	if !canAdd {
		return types.MaybeNoSuchOverloadErr(args[0])
	}
	_, isGrowing := args[0].(traits.MutableLister)
	one, isList := args[0].(traits.Lister)
	other, areLists := args[1].(traits.Lister)
	if isGrowing || !isList || !areLists {
		return left.Add(args[1])
	}
	sum := make([]ref.Val, 0, size(one)+size(other))
	for _, list := range []traits.Lister{one, other} {
		for it := list.Iterator(); it.HasNext() == types.True; {
			sum = append(sum, it.Next())
		}
	}
	return types.NewRefValList(types.DefaultTypeAdapter, sum)
}

func size(parts traits.Sizer) int {
	n, _ := parts.Size().(types.Int)
	return int(n)
}
