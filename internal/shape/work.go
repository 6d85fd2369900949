package shape

import (
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// work is how much a function does with its arguments, in units of about a compared or copied byte.
type work func(args []ref.Val) int

// little is the work of a function that does little with any arguments.
var little work

const (
	// sortingFactor is how often sorting looks at an element.
	sortingFactor = 16
	// zoneWork is the work of reading a time zone, which is a file.
	zoneWork = 128 * perStep
)

// workOf returns how much a function does; nil if it is little. One that this package does not know may go over everything.
func workOf(function string) work {
	if w, known := works[function]; known {
		return w
	}
	return everything
}

// works is how much the functions do that expressions can call. What is not here counts, too: see workOf.
var works = map[string]work{
	operators.Conditional:         little,
	operators.LogicalAnd:          little,
	operators.LogicalOr:           little,
	operators.LogicalNot:          little,
	operators.NotStrictlyFalse:    little,
	operators.OldNotStrictlyFalse: little,
	operators.Index:               little,
	operators.OptIndex:            little,
	operators.OptSelect:           little,
	operators.Negate:              little,
	operators.Subtract:            little,
	operators.Multiply:            little,
	operators.Divide:              little,
	operators.Modulo:              little,
	"dyn":                         little,
	"type":                        little,
	"first":                       little,
	"last":                        little,
	"hasValue":                    little,
	"value":                       little,
	"or":                          little,
	"orValue":                     little,
	"optional.none":               little,
	"optional.of":                 little,
	"optional.ofNonZeroValue":     little,

	operators.Equals:    smaller,
	operators.NotEquals: smaller,
	operators.In:        searching,
	operators.OldIn:     searching,
	"in":                searching,
	operators.Add:       joining,
	"cel.@mapInsert":    inserting,
	"lists.range":       counting,
	"size":              spelling,
	"split":             splitting,
	matchFunction:       compiling,

	operators.Less:          linear,
	operators.LessEquals:    linear,
	operators.Greater:       linear,
	operators.GreaterEquals: linear,
	"contains":              linear,
	"startsWith":            linear,
	"endsWith":              linear,
	"lowerAscii":            linear,
	"upperAscii":            linear,
	"trim":                  linear,
	"reverse":               linear,
	"charAt":                linear,
	"substring":             linear,
	"slice":                 linear,
	"strings.quote":         linear,
	"bool":                  linear,
	"bytes":                 linear,
	"double":                linear,
	"duration":              linear,
	"int":                   linear,
	"string":                linear,
	"timestamp":             linear,
	"uint":                  linear,

	"optional.unwrap": everything,
	"unwrapOpt":       everything,

	"sort":                  sorting,
	"@sortByAssociatedKeys": sorting,

	"flatten":     product,
	"format":      product,
	"indexOf":     product,
	"join":        product,
	"lastIndexOf": product,
	"replace":     product,

	"distinct":        pairs,
	"sets.contains":   pairs,
	"sets.equivalent": pairs,
	"sets.intersects": pairs,

	"getDate":         zoned,
	"getDayOfMonth":   zoned,
	"getDayOfWeek":    zoned,
	"getDayOfYear":    zoned,
	"getFullYear":     zoned,
	"getHours":        zoned,
	"getMilliseconds": zoned,
	"getMinutes":      zoned,
	"getMonth":        zoned,
	"getSeconds":      zoned,
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

// inserting is the work of adding to the map of a loop.
func inserting(args []ref.Val) int { return linear(args) }

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
