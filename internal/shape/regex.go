package shape

import (
	"fmt"
	"regexp"
	"regexp/syntax"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// matchFunction is CEL's only function that takes a regular expression here.
const matchFunction = "matches"

// maxRegexProgram bounds the steps of a compiled regular expression, each of which may look at each byte of a text.
const maxRegexProgram = 200

// compileRegex compiles a regular expression that is not too large. (CEL's own check of the size panics on repetitions.)
func compileRegex(pattern string) (*regexp.Regexp, error) {
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, err
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, err
	}
	if steps := len(program.Inst); steps > maxRegexProgram {
		return nil, fmt.Errorf("the regular expression is too large: it has %d steps, and may have %d", steps, maxRegexProgram)
	}
	return regexp.Compile(pattern)
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

// matching is the work of matching.
func matching(args []ref.Val) int { return maxRegexProgram * weight(args[0], maxWork) }
