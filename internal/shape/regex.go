package shape

import (
	"fmt"
	"regexp"
	"regexp/syntax"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// matchFunction is CEL's only function that takes a regular expression here.
const matchFunction = "matches"

const (
	// maxPattern bounds a regular expression, in bytes. Parsing one may take a thousand times as many.
	maxPattern = 1 << 10
	// maxRegexProgram bounds the steps of a regular expression, each of which may look at each byte of a text.
	maxRegexProgram = 200
	// compilingFactor is the work of compiling a byte of a pattern.
	compilingFactor = 128 * perStep
)

// compileRegex compiles a regular expression that is not too large. (CEL's own check of the size panics on repetitions.)
func compileRegex(pattern string) (*regexp.Regexp, error) {
	if len(pattern) > maxPattern {
		return nil, fmt.Errorf("the regular expression is too long: it has %d bytes, and may have %d", len(pattern), maxPattern)
	}
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, err
	}
	if steps := programSize(parsed); steps > maxRegexProgram {
		return nil, fmt.Errorf("the regular expression is too large: it has %d steps, and may have %d", steps, maxRegexProgram)
	}
	return regexp.Compile(pattern)
}

// programSize is about how many steps a regular expression is compiled to. Compiling it to count them would take as long as
// it is large.
func programSize(re *syntax.Regexp) int {
	var size int
	switch re.Op {
	case syntax.OpConcat:
	case syntax.OpLiteral:
		size = len(re.Rune)
	case syntax.OpAlternate:
		size = len(re.Sub)
	case syntax.OpCapture, syntax.OpStar:
		size = 2
	default:
		size = 1
	}
	for _, sub := range re.Sub {
		size += programSize(sub)
	}
	if re.Op == syntax.OpRepeat {
		size *= max(re.Min, re.Max, 1)
	}
	return size
}

// regexCheck finds bad regular expressions that stand in an expression.
type regexCheck struct{}

// Name is the check's name.
func (regexCheck) Name() string { return "clusterfleet.regex" }

// Validate reports them.
func (regexCheck) Validate(_ *cel.Env, _ cel.ValidatorConfig, checked *ast.AST, issues *cel.Issues) {
	for _, call := range ast.MatchDescendants(ast.NavigateAST(checked), ast.FunctionMatcher(matchFunction)) {
		args := call.AsCall().Args()
		pattern := args[len(args)-1]
		if pattern.Kind() != ast.LiteralKind {
			continue
		}
		text, ok := pattern.AsLiteral().(types.String)
		if !ok {
			continue
		}
		if _, err := compileRegex(string(text)); err != nil {
			issues.ReportErrorAtID(pattern.ID(), "%s", err.Error())
		}
	}
}

// matches tells whether a text matches a pattern.
func matches(args ...ref.Val) ref.Val {
	pattern, ok := args[1].(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(args[1])
	}
	compiled, err := compileRegex(string(pattern))
	if err != nil {
		return types.WrapErr(err)
	}
	return match(compiled, args[0])
}

func match(compiled *regexp.Regexp, value ref.Val) ref.Val {
	if text, ok := value.(types.String); ok {
		return types.Bool(compiled.MatchString(string(text)))
	}
	return types.MaybeNoSuchOverloadErr(value)
}

// guardedMatch guards a call of matches. A pattern that stands in the expression is compiled once.
func guardedMatch(guard guardedCall) (interpreter.InterpretableV2, error) {
	guard.do = matches
	constant, ok := guard.args[1].(interpreter.InterpretableConst)
	if !ok {
		return &guard, nil
	}
	text, ok := constant.Value().(types.String)
	if !ok {
		return &guard, nil
	}
	compiled, err := compileRegex(string(text))
	if err != nil {
		return nil, err
	}
	guard.work = matching
	guard.do = func(args ...ref.Val) ref.Val { return match(compiled, args[0]) }
	return &guard, nil
}

// matching is the work of matching a text.
func matching(args []ref.Val) int { return maxRegexProgram * extent(args[0]) }

// compiling is the work of compiling a pattern, too.
func compiling(args []ref.Val) int {
	return compilingFactor*min(extent(args[1]), maxPattern) + matching(args)
}
