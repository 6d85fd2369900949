package client

import (
	"context"
	"math/rand/v2"
	"strconv"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

const (
	maxAttempts = 3
	firstDelay  = 100 * time.Millisecond
	// pushback is the trailer by which gRPC servers say when to retry; a negative value forbids it.
	pushback = "grpc-retry-pushback-ms"
)

// retry makes a call up to three times while it fails with UNAVAILABLE. It waits as long as the server asks for, or a
// jittered, doubling delay, and gives up at once where the deadline would pass meanwhile. The caller must not have
// delivered anything of the call.
func retry(ctx context.Context, call func() (trailer metadata.MD, err error)) error {
	for attempt := 1; ; attempt++ {
		trailer, err := call()
		if status.Code(err) != codes.Unavailable || attempt == maxAttempts {
			return err
		}
		wait, ok := delay(attempt, trailer, err)
		if deadline, has := ctx.Deadline(); !ok || has && time.Until(deadline) <= wait {
			return err
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// sleep waits before the next attempt, or returns the context's error where that ends first.
func sleep(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	}
}

// delay says how long to wait before the next attempt, and false where the server forbids one.
func delay(attempt int, trailer metadata.MD, err error) (time.Duration, bool) {
	if asked := trailer.Get(pushback); len(asked) > 0 {
		ms, err := strconv.ParseUint(asked[0], 10, 31)
		return time.Duration(ms) * time.Millisecond, err == nil
	}
	if asked, ok := RetryAfter(err); ok {
		return asked + rand.N(asked/5+1), true //nolint:gosec // It spreads load and guards nothing.
	}
	full := firstDelay << (attempt - 1)
	return full/2 + rand.N(full), true //nolint:gosec // It spreads load and guards nothing.
}
