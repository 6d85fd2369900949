package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/clusterfleet/clusterfleet/pkg/client"
)

// ways are how calls ended: wrong, too late, left, and to their end.
type ways struct{ wrong, late, left, ended int }

func waysOf(t *tally, call string) ways {
	wrong, _ := t.failures()
	late, _ := t.lateness()
	return ways{wrong, late, t.counts[call][left], t.counts[call][ended]}
}

func TestOnlyWhatFollowsFromTheCallersOwnEndIsNoFailure(t *testing.T) {
	isOver := func(ctx context.Context, cancel context.CancelFunc) context.Context {
		<-ctx.Done()
		cancel()
		return ctx
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	wentHome := isOver(context.WithTimeout(t.Context(), 0))
	const goesOn, cancels, home, homeInTime, short, long = "goes on", "cancelled", "home", "home in its time", "short", "long"
	calls := map[string]context.Context{
		goesOn:     t.Context(),
		cancels:    cancelled,
		home:       wentHome,
		homeInTime: isOver(withTime(wentHome, pollTime)),
		short:      isOver(context.WithTimeoutCause(t.Context(), 0, givenTime(ample-1))),
		long:       isOver(context.WithTimeoutCause(t.Context(), 0, givenTime(ample))),
	}
	for name, test := range map[string]struct {
		call string
		gone bool
		err  error
		want ways
	}{
		"it ends":                           {goesOn, false, nil, ways{ended: 1}},
		"cancelled":                         {cancels, false, status.Error(codes.Canceled, ""), ways{left: 1}},
		"the crowd went home":               {home, false, context.DeadlineExceeded, ways{left: 1}},
		"the crowd went home in its time":   {homeInTime, false, status.Error(codes.DeadlineExceeded, ""), ways{left: 1}},
		"hung up":                           {goesOn, true, status.Error(codes.Unavailable, ""), ways{left: 1}},
		"hung up until its time was over":   {long, true, status.Error(codes.DeadlineExceeded, ""), ways{left: 1}},
		"no answer in little time":          {short, false, status.Error(codes.DeadlineExceeded, ""), ways{late: 1}},
		"no answer in ample time":           {long, false, status.Error(codes.DeadlineExceeded, ""), ways{wrong: 1}},
		"no answer, as the client finds":    {long, false, context.DeadlineExceeded, ways{wrong: 1}},
		"cancelled by somebody else":        {long, false, status.Error(codes.Canceled, ""), ways{wrong: 1}},
		"a deadline of somebody else":       {goesOn, false, status.Error(codes.DeadlineExceeded, ""), ways{wrong: 1}},
		"unavailable":                       {goesOn, false, status.Error(codes.Unavailable, ""), ways{wrong: 1}},
		"unavailable when its time is over": {short, false, status.Error(codes.Unavailable, ""), ways{wrong: 1}},
		"internal after the end":            {cancels, true, status.Error(codes.Internal, ""), ways{wrong: 1}},
		"no error of gRPC":                  {cancels, true, io.ErrUnexpectedEOF, ways{wrong: 1}},
	} {
		v := &visit{tally: newTally(), gone: test.gone}
		v.note(calls[test.call], "call", test.err)
		if got := waysOf(v.tally, "call"); got != test.want {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
}

func TestAWatchMayRunOutOfItsTimeOnlyOnceItHasBegun(t *testing.T) {
	for begun, want := range map[bool]ways{true: {left: 1}, false: {wrong: 1}} {
		ctx, cancel := context.WithTimeoutCause(t.Context(), 0, givenTime(time.Minute))
		v := &visit{tally: newTally()}
		v.noteWatch(ctx, begun, status.Error(codes.DeadlineExceeded, ""))
		if got := waysOf(v.tally, watching); got != want {
			t.Errorf("begun %v: %+v, want %+v", begun, got, want)
		}
		cancel()
	}
}

// TestAnAggregatorThatNeverAnswersIsWrong lets callers of all kinds call one that keeps every call until its deadline.
func TestAnAggregatorThatNeverAnswersIsWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const calls = 400
		v := &visit{tally: newTally(), random: rand.New(rand.NewPCG(1, 2))}
		var err error
		if v.client, err = client.Dial("127.0.0.1:1"); err != nil {
			t.Fatal(err)
		}
		defer v.leave()
		for range calls {
			v.gone = false
			_, whole := consume(t.Context(), v, "call", func(ctx context.Context) iter.Seq2[int, error] {
				return func(yield func(int, error) bool) {
					<-ctx.Done()
					yield(0, status.FromContextError(ctx.Err()).Err())
				}
			})
			if whole {
				t.Fatal("it was answered")
			}
		}
		got := waysOf(v.tally, "call")
		if got.wrong < calls/3 || got.late < calls/4 || got.wrong+got.late+got.left != calls {
			t.Errorf("%+v of %d", got, calls)
		}
		for _, f := range []finding{none("calls", got.wrong), judgeLate(v.tally.lateness())} {
			if f.verdict != fails {
				t.Errorf("%+v", f)
			}
		}
	})
}

func TestAFewCallsWithLittleTimeMayBeLate(t *testing.T) {
	for _, test := range []struct {
		late, of int
		want     verdict
	}{{0, 0, tooShort}, {0, 199, tooShort}, {2, 5, tooShort}, {3, 5, fails}, {2, 200, holds}, {3, 200, fails}, {10, 1000, holds}, {11, 1000, fails}} {
		if f := judgeLate(test.late, test.of); f.verdict != test.want || f.found != fmt.Sprintf("%d of %d", test.late, test.of) {
			t.Errorf("%+v, want %s", f, test.want)
		}
	}
}
