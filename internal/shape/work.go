package shape

import (
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// work is how much a function does with its arguments, in units of about a compared or copied byte.
type work func(args []ref.Val) int

const (
	// sortingFactor is how often sorting looks at an element.
	sortingFactor = 16
	// zoneWork is the work of reading a time zone, which is a file.
	zoneWork = 128 * perStep
)

// workOf returns how much a function does; nil if it is little. One that is not classified may go over everything.
func workOf(function string) work {
	if w, known := classified(function); known {
		return w
	}
	return everything
}

// classified returns how much the functions do that expressions can call; nil for one that does little with any arguments.
func classified(function string) (w work, known bool) {
	switch function {
	case operators.Conditional, operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot, operators.NotStrictlyFalse, "__not_strictly_false__",
		operators.Index, operators.OptIndex, operators.OptSelect,
		operators.Negate, operators.Subtract, operators.Multiply, operators.Divide, operators.Modulo,
		"dyn", "type", "first", "last",
		"optional.none", "optional.of", "optional.ofNonZeroValue", "hasValue", "value", "or", "orValue":
		return nil, true
	case operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals,
		"contains", "startsWith", "endsWith", "lowerAscii", "upperAscii", "trim", "reverse", "charAt", "substring", "slice", "strings.quote",
		"cel.@mapInsert", "bool", "bytes", "double", "duration", "int", "string", "timestamp", "uint":
		return linear, true
	case "optional.unwrap", "unwrapOpt":
		return everything, true
	case operators.Equals, operators.NotEquals:
		return smaller, true
	case operators.In, operators.OldIn, "in":
		return searching, true
	case operators.Add:
		return joining, true
	case "lists.range":
		return counting, true
	case "size":
		return spelling, true
	case "split":
		return splitting, true
	case matchFunction:
		return compiling, true
	case "sort", "@sortByAssociatedKeys":
		return sorting, true
	case "flatten", "format", "indexOf", "join", "lastIndexOf", "replace":
		return product, true
	case "distinct", "sets.contains", "sets.equivalent", "sets.intersects":
		return pairs, true
	case "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours", "getMilliseconds", "getMinutes", "getMonth", "getSeconds":
		return zoned, true
	}
	return nil, false
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

// pairs is the work of comparing each element of a list with each of another, or of the list itself.
func pairs(args []ref.Val) int {
	each := weight(args[len(args)-1], maxWork+1)
	if list, ok := args[0].(traits.Lister); ok && each <= maxWork {
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

// spelling is the work of counting the letters of a text. Lists and maps know their size.
func spelling(args []ref.Val) int {
	if _, hasParts := args[0].(traits.Iterable); hasParts {
		return 1
	}
	return extent(args[0])
}

// everything is the work of going over the arguments and all that is in them.
func everything(args []ref.Val) int {
	work := 0
	for _, arg := range args {
		work += weight(arg, maxWork+1)
	}
	return work
}

// searching is the work of looking for a value in a list, or for a key in a map.
func searching(args []ref.Val) int { return extent(args[0]) + weight(args[1], maxWork+1) }

// sorting is the work of sorting a list.
func sorting(args []ref.Val) int { return sortingFactor * everything(args) }

// splitting is the work of making a list of a text.
func splitting(args []ref.Val) int { return perPart * weight(args[0], maxWork) }

// joining is the work of adding one value to another.
func joining(args []ref.Val) int {
	if _, isGrowing := args[0].(traits.MutableLister); isGrowing {
		return 1
	}
	return linear(args)
}

// counting is the work of making a list of the numbers up to another.
func counting(args []ref.Val) int {
	n, _ := args[0].(types.Int)
	return perPart * int(min(max(n, 0), maxRange))
}

// zoned is the work of telling a part of a time, which may be that in a time zone.
func zoned(args []ref.Val) int {
	if len(args) > 1 {
		return zoneWork + linear(args)
	}
	return 1
}
