package fanout_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"

	"github.com/clusterfleet/clusterfleet/pkg/fanout"
)

func ExampleEach() {
	ctx := context.Background()
	clusters := slices.Values([]string{"berlin", "oslo", "lima"})

	probe := func(_ context.Context, cluster string) (string, error) {
		if cluster == "oslo" {
			return "", errors.New("connection refused")
		}
		return "ready", nil
	}
	for r := range fanout.Each(ctx, clusters, 2, probe) {
		if r.Err != nil {
			fmt.Printf("%d %s: %v\n", r.Index, r.Key, r.Err)
			continue
		}
		fmt.Printf("%d %s is %s\n", r.Index, r.Key, r.Value)
	}
	// Unordered output:
	// 0 berlin is ready
	// 1 oslo: connection refused
	// 2 lima is ready
}

// When the context ends, the keys that were not started are told apart, and
// why.
func ExampleEach_cancel() {
	ctx, cancel := context.WithCancelCause(context.Background())
	probe := func(_ context.Context, cluster string) (string, error) {
		cancel(errors.New("the caller left")) // while the first is probed
		return "ready", nil
	}
	for r := range fanout.Each(ctx, slices.Values([]string{"berlin", "oslo"}), 1, probe) {
		switch {
		case errors.Is(r.Err, fanout.ErrNotAttempted):
			fmt.Printf("%s: %v\n", r.Key, r.Err)
		default:
			fmt.Printf("%s: %s, %v\n", r.Key, r.Value, r.Err)
		}
	}
	// Unordered output:
	// berlin: ready, <nil>
	// oslo: not attempted: the caller left
}

// Leaving the loop cancels what is still running and waits for it.
func ExampleEach_first() {
	ctx := context.Background()
	mirrors := slices.Values([]string{"slow", "fast", "slower"})

	fetch := func(ctx context.Context, mirror string) (string, error) {
		if mirror != "fast" {
			<-ctx.Done()
			return "", ctx.Err()
		}
		return "the file", nil
	}
	for r := range fanout.Each(ctx, mirrors, 3, fetch) {
		if r.Err == nil {
			fmt.Println(r.Value, "from", r.Key)
			break
		}
	}
	// Output: the file from fast
}

// A page is delivered when it is read, and the next is read when it was taken.
func ExampleStream() {
	ctx := context.Background()
	clusters := slices.Values([]string{"berlin"})

	list := func(_ context.Context, cluster string) iter.Seq2[[]string, error] {
		return func(yield func([]string, error) bool) {
			if !yield([]string{"pod-a", "pod-b"}, nil) {
				return // nobody wants the next page
			}
			yield(nil, errors.New("the continue token expired"))
		}
	}
	for p := range fanout.Stream(ctx, clusters, 8, list) {
		if p.Done {
			fmt.Printf("%s ended: %v\n", p.Key, p.Err)
			continue
		}
		fmt.Printf("%s: %v\n", p.Key, p.Value)
	}
	// Output:
	// berlin: [pod-a pod-b]
	// berlin ended: the continue token expired
}

// The stack of a panic is for the log.
func ExamplePanicError() {
	ctx := context.Background()
	parse := func(_ context.Context, s string) (byte, error) { return s[0], nil }

	for r := range fanout.Each(ctx, slices.Values([]string{""}), 1, parse) {
		if p, ok := errors.AsType[*fanout.PanicError](r.Err); ok {
			slog.Debug("fn panicked", "key", r.Key, "stack", string(p.Stack))
		}
		fmt.Println(r.Err)
	}
	// Output: panic: runtime error: index out of range [0] with length 0
}
