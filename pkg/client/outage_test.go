package client

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

func TestAnOutageIsWaitedOutForTwoMinutes(t *testing.T) {
	for name, test := range map[string]struct {
		err               error
		trailer           metadata.MD
		earliest, latest  time.Duration
		fewest, mostCalls int
	}{
		"with growing delays":         {unavailable(t, 0), nil, 100 * time.Second, 2 * time.Minute, 11, 30},
		"as slowly as it is asked":    {unavailable(t, 50*time.Second), nil, 100 * time.Second, 2 * time.Minute, 3, 3},
		"not where that is too late":  {unavailable(t, time.Hour), nil, 0, 0, 1, 1},
		"not where it is forbidden":   {unavailable(t, 0), metadata.Pairs(pushback, "-1"), 0, 0, 1, 1},
		"not where it will not pass":  {status.Error(codes.PermissionDenied, ""), nil, 0, 0, 1, 1},
		"also where it is overloaded": {status.Error(codes.ResourceExhausted, ""), nil, 100 * time.Second, 2 * time.Minute, 11, 30},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				told := 0
				o := outage{worked: true, cut: func(context.Context, error) { told++ }}
				start, calls := time.Now(), 1
				for o.wait(t.Context(), test.trailer, test.err) == nil {
					calls++
				}
				took := time.Since(start)
				if took < test.earliest || took > test.latest || calls < test.fewest || calls > test.mostCalls {
					t.Errorf("%d calls in %s", calls, took)
				}
				if want := min(1, calls-1); told != want {
					t.Errorf("that it is cut was told %d times, want %d", told, want)
				}
			})
		})
	}
}
