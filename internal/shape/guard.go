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

// A call is counted when it is over, and nothing ends it before. What is in this file looks at the arguments of those
// functions first whose work is not small: because it is more than in proportion to what they are given, or because they
// follow values that share their parts: `x.map(a, [a, a]).map(b, [b, b])…` is small and endless at once.

// decorated returns what makes the nodes of a program count, and guards its calls.
func decorated(env *cel.Env) interpreter.InterpretableDecoratorV2 {
	known := env.Functions()
	return func(node interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
		call, ok := node.(interpreter.InterpretableCall)
		if !ok {
			return counted(node), nil
		}
		work := workOf(call.Function())
		if work == nil {
			return counted(node), nil
		}
		do, err := implementation(call, known)
		if err != nil || do == nil {
			return node, err
		}
		return &guardedCall{InterpretableCall: call, args: call.Args(), work: work, do: do}, nil
	}
}

// guardedCall is a call that is made only where it does not do too much.
type guardedCall struct {
	interpreter.InterpretableCall

	args []interpreter.InterpretableV2
	work func(args []ref.Val) int
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
	return types.LabelErrNode(c.ID(), c.do(values...))
}

// Eval is Exec for callers of old.
func (c *guardedCall) Eval(vars interpreter.Activation) ref.Val {
	return c.Exec(interpreter.AsFrame(vars))
}

// workOf returns how much a function does with its arguments; nil for one that does little with any.
func workOf(function string) func(args []ref.Val) int {
	switch function {
	case operators.Equals, operators.NotEquals:
		return smaller
	case operators.In:
		return func(args []ref.Val) int { return weight(args[1], maxWork+1) }
	case "sets.contains", "sets.intersects", "sets.equivalent":
		return func(args []ref.Val) int { return pairs(args[0], args[1]) }
	case "distinct":
		return func(args []ref.Val) int { return pairs(args[0], args[0]) }
	case "sort", "@sortByAssociatedKeys":
		return func(args []ref.Val) int { return sortingFactor * weight(args[0], maxWork) }
	case "indexOf", "lastIndexOf", "replace", "join", "format", "flatten":
		return product
	case operators.Add:
		return joining
	case "split":
		return func(args []ref.Val) int { return perPart * weight(args[0], maxWork) }
	case "contains", "startsWith", "endsWith", "lowerAscii", "upperAscii", "trim", "reverse", "charAt", "substring", "size", "slice",
		operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals, "string", "bytes", "int", "double", "timestamp", "duration":
		return linear
	case matchFunction:
		return matching
	}
	return nil
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
	case matchFunction:
		return matcher(call.Args()[1])
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

func size(list traits.Lister) int {
	n, _ := list.Size().(types.Int)
	return int(n)
}

// extent is how large a value is itself, without what is in its parts.
func extent(value ref.Val) int {
	switch v := value.(type) {
	case types.String:
		return len(v)
	case types.Bytes:
		return len(v)
	case traits.Lister:
		return perPart * size(v)
	}
	return 1
}

// matcher matches a pattern, which is compiled once where it stands in the expression.
func matcher(pattern interpreter.InterpretableV2) (functions.FunctionOp, error) {
	constant, ok := pattern.(interpreter.InterpretableConst)
	if !ok {
		return matches, nil
	}
	text, ok := constant.Value().(types.String)
	if !ok {
		return matches, nil
	}
	compiled, err := compileRegex(string(text))
	if err != nil {
		return nil, err
	}
	return func(args ...ref.Val) ref.Val { return match(compiled, args[0]) }, nil
}

// smaller is the work of comparing two values.
func smaller(args []ref.Val) int {
	left := weight(args[0], maxWork+1)
	return weight(args[1], left)
}

// product is the work of going over one argument for each piece of the others.
func product(args []ref.Val) int {
	work := 1
	for _, arg := range args {
		work *= weight(arg, maxWork+1)
		if work > maxWork {
			break
		}
	}
	return work
}

// pairs is the work of comparing each element of a list with each of another.
func pairs(one, other ref.Val) int {
	each := weight(other, maxWork+1)
	if list, ok := one.(traits.Lister); ok && each <= maxWork {
		return each * min(size(list), maxWork)
	}
	return each
}

// linear is the work of going over the arguments once.
func linear(args []ref.Val) int {
	work := 0
	for _, arg := range args {
		work += extent(arg)
	}
	return work
}

// joining is the work of adding one value to another.
func joining(args []ref.Val) int {
	if _, isGrowing := args[0].(traits.MutableLister); isGrowing {
		return 1
	}
	return linear(args)
}

const (
	// perPart is what an element of a list, or a member of a map, counts beside what is in it: as many bytes are compared or
	// copied in the time that it takes.
	perPart = 64
	// sortingFactor is how often sorting looks at an element.
	sortingFactor = 16
)

// weight is how much a value holds, in bytes and parts, counted up to a bound. It is at least 1.
func weight(value ref.Val, bound int) int {
	sum := 1
	switch v := value.(type) {
	case types.String:
		return max(len(v), 1)
	case types.Bytes:
		return max(len(v), 1)
	case *types.Optional:
		if v.HasValue() {
			sum += weight(v.GetValue(), bound)
		}
	case traits.Lister:
		for it := v.Iterator(); sum < bound && it.HasNext() == types.True; {
			sum += perPart + weight(it.Next(), bound-sum)
		}
	case traits.Mapper:
		for it := v.Iterator(); sum < bound && it.HasNext() == types.True; {
			key := it.Next()
			sum += perPart + weight(key, bound-sum) + weight(v.Get(key), bound-sum)
		}
	}
	return sum
}
