package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/clusterfleet/clusterfleet/pkg/fanout"
)

// baseline runs all tests that the mutants name on the source as it is: they have to be there, and to pass.
func baseline(ctx context.Context, root string, mutants []mutant, jobs int) error {
	suites := together(mutants)
	run := func(ctx context.Context, s suite) (outcome, error) { return s.test(ctx, root, "", patience) }
	for r := range fanout.Each(ctx, slices.Values(suites), jobs, run) {
		switch o, s := r.Value, r.Key; {
		case r.Err != nil:
			return fmt.Errorf("%s without any fault: %w", s.dir, r.Err)
		case !o.passed:
			return fmt.Errorf("%s without any fault: %s fails\n%s", s.dir, cmp.Or(o.killer, "something"), strings.TrimSpace(o.output))
		default:
			if missing := slices.DeleteFunc(s.tests, func(name string) bool { return o.ran[name] }); len(missing) > 0 {
				return fmt.Errorf("%s has no test %s, which a patch names", s.dir, strings.Join(missing, ", "))
			}
		}
	}
	return ctx.Err()
}

// together returns the suites of all mutants, those of one package as one.
func together(mutants []mutant) []suite {
	type kind struct {
		dir  string
		race bool
	}
	named := map[kind]map[string]bool{}
	whole := map[kind]bool{}
	for _, m := range mutants {
		for _, s := range m.suites {
			k := kind{s.dir, s.race}
			if named[k] == nil {
				named[k] = map[string]bool{}
			}
			for _, name := range s.tests {
				test, _, _ := strings.Cut(name, "/")
				named[k][test] = true
			}
			whole[k] = whole[k] || len(s.tests) == 0
		}
	}
	var suites []suite
	for k, names := range named {
		s := suite{dir: k.dir, race: k.race}
		if !whole[k] {
			s.tests = slices.Sorted(maps.Keys(names))
		}
		suites = append(suites, s)
	}
	slices.SortFunc(suites, func(a, b suite) int { return strings.Compare(a.String(), b.String()) })
	return suites
}
