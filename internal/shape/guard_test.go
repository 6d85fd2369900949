package shape

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestEveryFunctionOfTheEnvironmentIsClassified(t *testing.T) {
	env, err := environment()
	if err != nil {
		t.Fatal(err)
	}
	for name := range env.Functions() {
		if _, known := classified(name); !known {
			t.Errorf("how much %s does is not known", name)
		}
	}
	if workOf("a function of tomorrow") == nil {
		t.Error("what is not classified is free")
	}
}

// TestNoFunctionIsEndlessForAValueThatSharesItsParts calls all functions with a value that is small and endless at once.
func TestNoFunctionIsEndlessForAValueThatSharesItsParts(t *testing.T) {
	env, err := environment()
	if err != nil {
		t.Fatal(err)
	}
	calls := []string{`{"a": 1}[x]`, `[1][x]`, `{x: 1}`, `x && true`, `x ? 1 : 2`, `x + 1`, `1 + x`, `x - 1`, `x * 1`, `x / 1`, `x % 1`, `-x`, `!x`, `x < 1`, `x == x`, `x in x`, `[dyn(optional.of(1)), x].unwrapOpt()`}
	for name, function := range env.Functions() {
		if strings.ContainsAny(name, "_@!") || name == "in" {
			continue // an operator, or a name that cannot be written
		}
		for _, overload := range function.OverloadDecls() {
			args := strings.TrimSuffix(strings.Repeat("x, ", len(overload.ArgTypes())), ", ")
			if overload.IsMemberFunction() {
				_, args, _ = strings.Cut(args, "x")
				calls = append(calls, fmt.Sprintf("x.%s(%s)", name, strings.TrimPrefix(args, ", ")))
				continue
			}
			calls = append(calls, fmt.Sprintf("%s(%s)", name, args))
		}
	}
	for _, call := range calls {
		w, err := ParseWhere(`[dyn([dyn(0)]` + strings.Repeat(`.map(a, dyn([a, a]))`, 50) + `)].exists(x, dyn(` + call + `) == 1)`)
		if err != nil {
			if !strings.Contains(err.Error(), "too costly") {
				t.Errorf("%s: %v", call, err)
			}
			continue
		}
		start := time.Now()
		_, _, err = Shape{Where: w}.Apply(t.Context(), []byte(`{}`), Type{})
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: it took %s", call, took)
		}
		if err != nil && !errors.Is(err, errTooCostly) && !errors.Is(err, errMismatch) {
			t.Errorf("%s: %v", call, err)
		}
	}
}
