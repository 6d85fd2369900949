package fanout_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/pkg/fanout"
)

// explode is the function whose name a stack has to show.
func explode(v any) { panic(v) }

func TestPanicOfFnIsThatKeysError(t *testing.T) {
	calls := map[string]func(){
		"runtime.Goexit was called": runtime.Goexit,
		"boom":                      func() { explode("boom") },
		"not attempted":             func() { explode(fanout.ErrNotAttempted) },
		"runtime error: index out of range [3] with length 0": func() { explode(make([]int, 0)[3]) },
		"panic called with nil argument":                      func() { explode(nil) },
	}
	for text, call := range calls {
		t.Run(text, func(t *testing.T) {
			var others []int
			for r := range fanout.Each(t.Context(), upTo(5), 1, func(_ context.Context, key int) (int, error) {
				if key == 2 {
					call()
				}
				return key, nil
			}) {
				if r.Key != 2 {
					others = append(others, r.Value)
					continue
				}
				checkPanic(t, r.Err, "panic: "+text, "panic_test.go")
			}
			if diff := cmp.Diff([]int{0, 1, 3, 4}, others); diff != "" {
				t.Errorf("values of the other keys (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGoexitOfEveryFnCostsNoSlotAndNoStack(t *testing.T) {
	const keys = 20_000
	for _, limit := range []int{1, 3} {
		yielded := 0
		for r := range fanout.Each(t.Context(), upTo(keys), limit, func(context.Context, int) (int, error) {
			runtime.Goexit()
			return 0, nil
		}) {
			if r.Err == nil {
				t.Fatal("no error")
			}
			yielded++
		}
		if yielded != keys {
			t.Errorf("%d results with limit %d", yielded, limit)
		}
	}
}

// checkPanic wants a PanicError with this text, and a stack that mentions where,
// which no way to print the error does.
func checkPanic(t *testing.T, err error, text, where string) {
	t.Helper()
	var p *fanout.PanicError
	if !errors.As(err, &p) {
		t.Fatalf("error %v is no PanicError", err)
	}
	if p.Error() != text {
		t.Errorf("text is %q, want %q", p.Error(), text)
	}
	if !strings.Contains(string(p.Stack), where) {
		t.Errorf("stack does not mention %s:\n%s", where, p.Stack)
	}
	for _, format := range []string{"%v", "%+v", "%s", "%q"} {
		if printed := fmt.Sprintf(format, err); strings.Contains(printed, where) {
			t.Errorf("%s prints the stack: %s", format, printed)
		}
	}
	if errors.Is(err, fanout.ErrNotAttempted) {
		t.Error("a panic passes for a key that was not attempted")
	}
}

func TestPanicOfKeysGoesOnInTheLoop(t *testing.T) {
	for text, call := range map[string]func(){
		"boom":                      func() { explode("boom") },
		"runtime.Goexit was called": runtime.Goexit,
	} {
		t.Run(text, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				keys := func(yield func(int) bool) {
					yield(0)
					waitStubbornly(time.Second)
					call()
				}
				start := time.Now()
				var got []error
				v := caught(func() {
					for r := range fanout.Each(t.Context(), keys, 1, func(ctx context.Context, _ int) (int, error) {
						return 0, wait(ctx, time.Hour)
					}) {
						got = append(got, r.Err)
					}
				})
				err, _ := v.(error)
				checkPanic(t, err, "panic: "+text, "panic_test.go")
				if took := time.Since(start); took != time.Second {
					t.Errorf("took %v, want 1s", took)
				}
				if len(got) != 1 || !errors.Is(got[0], context.Canceled) {
					t.Errorf("errors of the running calls: %v", got)
				}
			})
		})
	}
}

func TestPanicOfAnIteratorEndsItsKey(t *testing.T) {
	for text, call := range map[string]func(){
		"boom":                      func() { explode("boom") },
		"runtime.Goexit was called": runtime.Goexit,
	} {
		t.Run(text, func(t *testing.T) {
			parts := slices.Collect(fanout.Stream(t.Context(), upTo(1), 1,
				func(context.Context, int) iter.Seq2[string, error] {
					return func(yield func(string, error) bool) {
						yield("one", nil)
						call()
					}
				}))
			if len(parts) != 2 || parts[0].Value != "one" || !parts[1].Done {
				t.Fatalf("parts are %+v", parts)
			}
			checkPanic(t, parts[1].Err, "panic: "+text, "panic_test.go")
		})
	}
}
