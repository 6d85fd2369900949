package client

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

const (
	// watchPatience is how long a watch that worked may fail in a row before it is given up: longer than an aggregator takes
	// to stop and start.
	watchPatience = 2 * time.Minute
	// maxDoublings bounds the delay between two attempts: about 13 s.
	maxDoublings = 8
)

// errLeft says that the caller has left the loop.
var errLeft = errors.New("left")

// Watch yields the health of the selected clusters: `started`, the clusters as they are, `synced`, then every change. It
// lasts until the loop is left or ctx ends; it has no deadline of its own. A nil request is about the whole fleet.
//
// Where the call breaks off (UNAVAILABLE, RESOURCE_EXHAUSTED, an end without an error), it is made again with the last
// resume token, after a jittered, doubling delay or what the aggregator asks for. The loop sees that as another `started`:
// with `reset`, everything known before is void and the whole selection follows, up to the next `synced`; without it, only
// what has changed meanwhile. Events may come twice, none is lost. [WithCut] tells of a call that cannot be made again at once.
//
// An error comes last: the context's, one that does not go away, or one that did not go away for 2 minutes (at the start:
// in three attempts).
func (c *Client) Watch(ctx context.Context, req *fleetv1.WatchClusterHealthRequest) iter.Seq2[*fleetv1.WatchClusterHealthResponse, error] {
	return func(yield func(*fleetv1.WatchClusterHealthResponse, error) bool) {
		resumed := copied(req)
		o := outage{cut: c.cut}
		for {
			trailer, err := c.watchOnce(ctx, resumed, func(event *fleetv1.WatchClusterHealthResponse) bool {
				if token := event.GetResumeToken(); token != "" {
					resumed.ResumeToken = token
				}
				if event.GetStarted() == nil { // A call that starts and fails again is no progress.
					o = outage{cut: c.cut, worked: true}
				}
				return yield(event, nil)
			})
			if errors.Is(err, errLeft) {
				return
			}
			if err := o.wait(ctx, trailer, err); err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// watchOnce makes one call and hands its events to take until take has enough, which is errLeft, or the call ends.
func (c *Client) watchOnce(ctx context.Context, req *fleetv1.WatchClusterHealthRequest,
	take func(*fleetv1.WatchClusterHealthResponse) bool,
) (metadata.MD, error) {
	call, cancel := context.WithCancel(ctx)
	defer cancel()
	silence := time.AfterFunc(c.timeout, cancel)
	defer silence.Stop()
	incoming, err := c.health.WatchClusterHealth(call, req)
	if err != nil {
		return nil, c.explain(err)
	}
	for {
		event, err := incoming.Recv()
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			return incoming.Trailer(), status.Error(codes.Unavailable, "the aggregator ended the watch")
		case call.Err() != nil && ctx.Err() == nil:
			return nil, status.Errorf(codes.Unavailable, "the watch did not start within %s", c.timeout)
		default:
			return incoming.Trailer(), c.explain(err)
		}
		silence.Stop()
		if !take(event) {
			return nil, errLeft
		}
	}
}

// outage counts the calls of a watch that failed in a row.
type outage struct {
	cut func(context.Context, error)
	// Whether anything was received before.
	worked   bool
	attempts int
	since    time.Time
}

// wait returns when the next call is due, or with the error that ends the watch.
func (o *outage) wait(ctx context.Context, trailer metadata.MD, err error) error {
	if code := status.Code(err); code != codes.Unavailable && code != codes.ResourceExhausted {
		return err
	}
	if o.attempts == 0 {
		o.since = time.Now()
	}
	o.attempts++
	wait, ok := delay(min(o.attempts, maxDoublings), trailer, err)
	switch {
	case !ok, !o.worked && o.attempts == maxAttempts, time.Since(o.since)+wait > watchPatience:
		return err
	}
	if o.worked && o.attempts == 2 {
		o.cut(ctx, err)
	}
	return sleep(ctx, wait) // Also where the deadline comes first: a watch that worked ends by its time then.
}
