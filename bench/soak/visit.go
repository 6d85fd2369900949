package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/clusterfleet/clusterfleet/pkg/client"
)

// visit is one stay of a caller: a connection of its own, over which it makes some calls.
type visit struct {
	client *client.Client
	random *rand.Rand
	tally  *tally
	names  []string // of clusters that never leave

	mu    sync.Mutex
	conns []net.Conn
	// gone tells that the caller has hung up, so that calls fail.
	gone bool
}

// newVisit returns a visit that has not begun. It must be ended with leave.
func newVisit(address string, names []string, random *rand.Rand, tally *tally) (*visit, error) {
	v := &visit{random: random, tally: tally, names: names}
	var err error
	v.client, err = client.Dial(address, client.WithGRPC(grpc.WithContextDialer(v.dial)))
	return v, err
}

func (v *visit) dial(ctx context.Context, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.conns = append(v.conns, conn)
	return conn, nil
}

// cut resets the connections, as when a machine goes away. gRPC makes a new one where it is needed.
func (v *visit) cut() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, conn := range v.conns {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // it may be closed
		}
		_ = conn.Close() // likewise
	}
	v.conns = nil
}

// hangUp cuts the connections for good: what is under way fails.
func (v *visit) hangUp() {
	v.mu.Lock()
	v.gone = true
	v.mu.Unlock()
	v.cut()
	v.leave()
}

// leave ends the visit. It may be called more than once.
func (v *visit) leave() { _ = v.client.Close() } // a second call finds it closed

// note counts how a call ended. ctx is the call's: what follows from its end is no failure, unless it is the deadline that
// the call was given, before which the aggregator answers.
func (v *visit) note(ctx context.Context, call string, err error) {
	v.mu.Lock()
	gone := v.gone
	v.mu.Unlock()
	code := status.Code(err)
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		code = status.FromContextError(err).Code()
	}
	if err == nil {
		v.tally.count(call, ended)
		return
	}
	ending := code == codes.Canceled || code == codes.DeadlineExceeded
	given, late := outOfTime(ctx)
	switch {
	case gone && (ending || code == codes.Unavailable):
		v.tally.count(call, left)
	case ending && late && given < ample:
		v.tally.late(call, given)
	case ending && !late && ctx.Err() != nil:
		v.tally.count(call, left)
	case ending && late:
		v.tally.fail(call, fmt.Errorf("%w: %w", givenTime(given.Round(100*time.Millisecond)), err))
	default:
		v.tally.fail(call, fmt.Errorf("%s: %w", code, err))
	}
}

// ample is from which time on a call must end before its deadline. Of less, the aggregator's headroom is 50 to 250 ms, which
// a busy machine may need for itself at times.
const ample = 5 * time.Second

// givenTime is why a context has ended: the call was not answered in the time that it was given.
type givenTime time.Duration

func (g givenTime) Error() string { return fmt.Sprintf("no answer in %s", time.Duration(g)) }

// withTime gives a call its time. What ends it before, its caller's leaving or the end of all calls, is another cause.
func withTime(ctx context.Context, given time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, given, givenTime(given))
}

// outOfTime reports whether ctx has ended, or ends just now, because the time of its call was over, and how much that was.
func outOfTime(ctx context.Context) (given time.Duration, late bool) {
	if over(ctx) {
		<-ctx.Done()
	}
	g, late := errors.AsType[givenTime](context.Cause(ctx))
	return time.Duration(g), late
}

// clocks is by how much the aggregator may see a deadline before a timer here has fired.
const clocks = 100 * time.Millisecond

// over reports whether ctx has ended, or ends by its deadline just now.
func over(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && time.Until(deadline) < clocks
}

// between returns a random time.
func (v *visit) between(least, most time.Duration) time.Duration {
	return least + time.Duration(v.random.Int64N(int64(most-least)))
}

// pause waits for a time, and reports whether ctx has not ended by then.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// departure is how a caller leaves a call. Half of them stay to its end.
type departure int

const (
	stays departure = iota
	stops           // leaves the loop after some results
	cancels
	hangsUp
	departures
)

func (v *visit) departure() departure {
	if v.random.IntN(2) == 0 {
		return stays
	}
	return departure(v.random.IntN(int(departures)))
}

// consume reads the results of a call of the caller's own time and leaves it in a way of its own. It returns how many came
// and whether the call ran to its end.
func consume[R any](ctx context.Context, v *visit, call string, begin func(context.Context) iter.Seq2[R, error]) (results int, whole bool) {
	how, patience := v.departure(), v.between(200*time.Millisecond, 5*time.Second)
	given := v.between(500*time.Millisecond, 10*time.Second)
	ctx, cancel := withTime(ctx, given)
	defer cancel()
	var timer *time.Timer
	switch how {
	case cancels:
		timer = time.AfterFunc(patience, cancel)
	case hangsUp:
		timer = time.AfterFunc(patience, v.hangUp)
	default:
		timer = time.NewTimer(patience)
	}
	defer timer.Stop()
	enough := v.random.IntN(200)
	for _, err := range begin(ctx) {
		if err != nil {
			v.note(ctx, call, err)
			return results, false
		}
		results++
		if how == stops && results > enough {
			v.tally.count(call, left)
			return results, false
		}
	}
	v.note(ctx, call, nil)
	if given < ample {
		v.tally.inTime()
	}
	return results, true
}
