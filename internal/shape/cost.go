package shape

import (
	"errors"
	"math"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/checker"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

const (
	// maxEstimate bounds what is expected of an expression over an object whose lists and texts are of usualSize, by CEL's
	// estimate: what is beyond it would be ended for most objects, and is refused before one is read.
	maxEstimate = 100 * maxSpent
	usualSize   = 100

	// maxNesting, maxNodes and maxRange bound an expression itself, and the list that it makes of nothing.
	maxNesting = 64
	maxNodes   = 10_000
	maxRange   = 10_000
)

// affordable refuses an expression that is known to cost too much.
func affordable(env *cel.Env, checked *cel.Ast) error {
	estimate, err := env.EstimateCost(checked, usual{})
	if err != nil {
		return err
	}
	isKnown := estimate.Max < math.MaxUint64 // of a sorted list, for one, CEL knows no bound
	if estimate.Min > maxSpent || isKnown && estimate.Max > maxEstimate {
		return errors.New("the expression is too costly: loop less deep, or over less")
	}
	return nil
}

// usual is an object as they usually are.
type usual struct{}

// EstimateSize returns the size of what only the object tells.
func (usual) EstimateSize(checker.AstNode) *checker.SizeEstimate {
	return &checker.SizeEstimate{Min: 0, Max: usualSize}
}

// EstimateCallCost leaves calls to CEL's own estimates.
func (usual) EstimateCallCost(string, string, *checker.AstNode, []checker.AstNode) *checker.CallEstimate {
	return nil
}

// lookedAt returns which members of the object an expression can look at; nil where it may be any, as where it loops over
// the object itself.
func lookedAt(checked *cel.Ast) members {
	root := ast.NavigateAST(checked.NativeRep())
	found := members{}
	isObject := func(e ast.NavigableExpr) bool { return e.Kind() == ast.IdentKind && e.AsIdent() == objectVariable }
	for _, object := range ast.MatchDescendants(root, isObject) {
		parent, ok := object.Parent()
		if !ok {
			return nil
		}
		name, ok := selected(parent, object.ID())
		if !ok {
			return nil
		}
		found[name] = struct{}{}
	}
	return found
}

// selected returns the name of the member that e takes out of the operand, if it does so by a fixed name.
func selected(e ast.NavigableExpr, operand int64) (name string, ok bool) {
	switch e.Kind() {
	case ast.SelectKind:
		return e.AsSelect().FieldName(), true
	case ast.CallKind:
		call := e.AsCall()
		args := call.Args()
		isSelection := call.FunctionName() == operators.Index || call.FunctionName() == operators.OptIndex || call.FunctionName() == operators.OptSelect
		if !isSelection || len(args) != 2 || args[0].ID() != operand || args[1].Kind() != ast.LiteralKind {
			return "", false
		}
		text, ok := args[1].AsLiteral().(types.String)
		return string(text), ok
	default:
		return "", false
	}
}
