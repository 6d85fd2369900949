package client

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

func unavailable(t *testing.T, after time.Duration) error {
	t.Helper()
	s := status.New(codes.Unavailable, "busy")
	if after > 0 {
		var err error
		if s, err = s.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(after)}); err != nil {
			t.Fatal(err)
		}
	}
	return s.Err()
}

// attempts runs retry in fake time and returns when each attempt was made, from the first one on.
func attempts(ctx context.Context, call func(n int) (metadata.MD, error)) (at []time.Duration, err error) {
	start := time.Now()
	err = retry(ctx, func() (metadata.MD, error) {
		at = append(at, time.Since(start))
		return call(len(at))
	})
	return at, err
}

func TestRetryWaitsBetweenThreeAttemptsAtMost(t *testing.T) {
	for name, test := range map[string]struct {
		after    time.Duration
		trailer  metadata.MD
		earliest []time.Duration
		latest   []time.Duration
	}{
		"a jittered doubling delay": {
			earliest: []time.Duration{0, 50 * time.Millisecond, 150 * time.Millisecond},
			latest:   []time.Duration{0, 150 * time.Millisecond, 450 * time.Millisecond},
		},
		"what RetryInfo asks for": {
			after:    2 * time.Second,
			earliest: []time.Duration{0, 2 * time.Second, 4 * time.Second},
			latest:   []time.Duration{0, 2400 * time.Millisecond, 4800 * time.Millisecond},
		},
		"what the pushback asks for": {
			after: time.Minute, trailer: metadata.Pairs(pushback, "300"),
			earliest: []time.Duration{0, 300 * time.Millisecond, 600 * time.Millisecond},
			latest:   []time.Duration{0, 300 * time.Millisecond, 600 * time.Millisecond},
		},
		"not where the pushback forbids it": {
			trailer: metadata.Pairs(pushback, "-1"), earliest: []time.Duration{0}, latest: []time.Duration{0},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				at, err := attempts(t.Context(), func(int) (metadata.MD, error) { return test.trailer, unavailable(t, test.after) })
				if status.Code(err) != codes.Unavailable {
					t.Errorf("the error is %v", err)
				}
				if len(at) != len(test.earliest) {
					t.Fatalf("attempts at %s", at)
				}
				for i := range at {
					if at[i] < test.earliest[i] || at[i] > test.latest[i] {
						t.Errorf("attempt %d at %s, want it from %s to %s", i+1, at[i], test.earliest[i], test.latest[i])
					}
				}
			})
		})
	}
}

func TestRetryStopsWithTheFirstAnswerThatIsNotUnavailable(t *testing.T) {
	for name, answer := range map[string]error{
		"success":     nil,
		"not found":   status.Error(codes.NotFound, "no"),
		"overload":    status.Error(codes.ResourceExhausted, "no"),
		"not of gRPC": errors.New("no"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				at, err := attempts(t.Context(), func(n int) (metadata.MD, error) {
					if n == 1 {
						return nil, unavailable(t, 0)
					}
					return nil, answer
				})
				if len(at) != 2 || !errors.Is(err, answer) {
					t.Errorf("%d attempts, error %v", len(at), err)
				}
			})
		})
	}
}

func TestRetryGivesUpAtOnceWhereTheDeadlineComesBeforeTheNextAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		at, err := attempts(ctx, func(int) (metadata.MD, error) { return nil, unavailable(t, time.Minute) })
		if len(at) != 1 || status.Code(err) != codes.Unavailable || time.Since(start) != 0 {
			t.Errorf("%d attempts, error %v after %s", len(at), err, time.Since(start))
		}
	})
}

func TestRetryEndsItsWaitWhenTheCallerLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer time.AfterFunc(time.Second, cancel).Stop()
		start := time.Now()
		_, err := attempts(ctx, func(int) (metadata.MD, error) { return nil, unavailable(t, time.Minute) })
		if status.Code(err) != codes.Canceled || time.Since(start) != time.Second {
			t.Errorf("error %v after %s", err, time.Since(start))
		}
	})
}
