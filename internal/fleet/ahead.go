package fleet

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// callerPatience is how long what was asked for ahead waits for a caller who does not read. It holds a call of the cluster
// and memory, which others may wait for.
const callerPatience = 2 * time.Second

// ahead is the next page of a list, asked for while the one before it is read. Nothing of it is read before its turn: what
// the server sends by then stays in the socket. It is closed whether it is read or not; that ends its goroutine.
type ahead struct {
	token    string
	hold     *hold // memory for the page; a reading that comes to the page takes it over
	cancel   context.CancelFunc
	admitted chan struct{} // closed when it is its turn at the cluster
	answered chan struct{} // closed when there is a body or an error
	body     *cluster.Body
	err      error
	close    func()
}

// askAhead asks for the page, unless there is no memory for it at once.
func askAhead(ctx context.Context, client *cluster.Client, q cluster.Query, token string, h *hold) *ahead {
	if !h.tryAcquire() {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	a := &ahead{token: token, hold: h, cancel: cancel, admitted: make(chan struct{}), answered: make(chan struct{})}
	a.close = sync.OnceFunc(a.end)
	go func() {
		defer close(a.answered)
		a.body, a.err = client.Read(cluster.WithWaiter(ctx, admission{sync.OnceFunc(func() { close(a.admitted) })}), q, token)
	}()
	return a
}

// admission is the waiter of a page that is asked for ahead: its waiting costs nobody time until the page before it is read.
type admission struct{ admit func() }

// Wait does nothing.
func (admission) Wait() {}

// Go says that it is the page's turn.
func (a admission) Go() { a.admit() }

// await waits for the answer. The time in which the page waits for its turn at the cluster is not the cluster's.
func (a *ahead) await(watch *stopwatch) error {
	select {
	case <-a.admitted:
	case <-a.answered:
	default:
		watch.Wait()
		select {
		case <-a.admitted:
		case <-a.answered: // without a turn
		}
		watch.Go()
	}
	<-a.answered
	return a.err
}

// Read reads the page.
func (a *ahead) Read(p []byte) (int, error) { return a.body.Read(p) }

// Close ends the call, in whatever state it is.
func (a *ahead) Close() error {
	a.close()
	return nil
}

func (a *ahead) end() {
	a.cancel()
	<-a.answered
	if a.body != nil {
		_ = a.body.Close() // what was not read is not wanted
	}
	a.hold.release()
}

// openNext begins the page that was asked for ahead.
func (t *reading) openNext(next *ahead) (io.ReadCloser, error) {
	t.hold.release()
	if err := next.await(t.watch); err != nil {
		t.forgetNext()
		return nil, unended(err, next.token)
	}
	t.next = nil
	t.hold.takeOver(next.hold)
	t.resource = next.body.Resource
	return next, nil
}

// lookAhead asks for the page after the one that is being read, once it is known which one that is.
func (t *reading) lookAhead(ctx context.Context, continueToken string) {
	if t.looked || t.slow || continueToken == "" || t.limit > 0 && t.expected >= t.limit {
		return
	}
	t.looked = true
	t.next = askAhead(ctx, t.member.client, t.page(t.expected, continueToken), continueToken, t.hold.another())
}

// forgetNext ends what was asked for ahead.
func (t *reading) forgetNext() {
	if t.next != nil {
		_ = t.next.Close() // it was not looked at
		t.next = nil
	}
}
