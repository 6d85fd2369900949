package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
	"github.com/clusterfleet/clusterfleet/pkg/fanout"
)

const (
	// minPatience is how long a cluster that has not answered keeps its place in a call from those that wait for one, at least. A
	// SYN that was lost is sent again after a second.
	minPatience = 1500 * time.Millisecond
	// patienceFactor is how many times as long as it took before: a slow cluster is no silent one.
	patienceFactor = 4
)

// begin returns a context for the first answer of a cluster, as fanout.Patience does; nil if it is waited for in any case. How
// long a credential plugin takes to begin with says nothing of the cluster.
func (r FetchRequest) begin(ctx context.Context, m *member) (_ context.Context, answered func() bool) {
	if !r.patient || m.client.AwaitsPlugin() {
		return ctx, nil
	}
	return fanout.Patience(ctx, max(minPatience, patienceFactor*time.Duration(m.pace[answerWork].Load())))
}

// ask asks for a page. The error is fanout.ErrPostponed, with what became of the call by then, if the cluster's place went to
// another before it answered.
func (t *reading) ask(ctx context.Context, continueToken string) (*cluster.Body, error) {
	begun := time.Now()
	body, err := t.member.client.Read(cluster.WithWaiter(ctx, t.watch), t.page(t.end.Items, continueToken), continueToken)
	if t.answered == nil {
		return body, err
	}
	if isAnswer(err) && t.answered() {
		t.answered = nil
		t.member.pace.note(time.Since(begun) - t.watch.queued)
		return body, err
	}
	if err == nil {
		_ = body.Close() // it comes too late
		err = cluster.Unfinished(cluster.PhaseBody, fanout.ErrPostponed)
	}
	if errors.Is(context.Cause(ctx), fanout.ErrPostponed) {
		err = fmt.Errorf("%w: %w", fanout.ErrPostponed, err)
	}
	return nil, err
}

// isAnswer reports whether a server has answered, whatever.
func isAnswer(err error) bool {
	e, failed := errors.AsType[*cluster.Error](err)
	return err == nil || failed && (e.StatusCode != 0 || e.Reason == cluster.NotFound)
}
