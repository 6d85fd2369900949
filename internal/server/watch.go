package server

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/peer"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/broadcast"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/health"
)

// watchBatch is how many events a watch takes at a time. They are few: what a caller does not read in time is replaced by
// what is later only while it has not been taken.
const watchBatch = 32

// watch is a call of WatchClusterHealth.
type watch struct {
	stream       grpc.ServerStreamingServer[fleetv1.WatchClusterHealthResponse]
	subscription *broadcast.Subscription[*health.Record]
	teller       *teller
}

// WatchClusterHealth sends the health of the selected clusters as it is, and then every change.
func (s *monitored) WatchClusterHealth(r *fleetv1.WatchClusterHealthRequest, stream grpc.ServerStreamingServer[fleetv1.WatchClusterHealthResponse]) error {
	if s.monitor == nil {
		return notMonitored()
	}
	from, err := broadcast.ParseToken(r.GetResumeToken())
	if err != nil {
		return invalidField("resume_token", "not the resume_token of an event")
	}
	match, err := s.match(selector(r.GetSelector()))
	if err != nil {
		return err
	}
	w := &watch{stream: stream, subscription: s.monitor.Changes().Subscribe(match, from), teller: s.teller}
	anew := from == broadcast.Token{} || w.subscription.Reset()
	if err := w.tell(&fleetv1.WatchClusterHealthResponse{
		Event: &fleetv1.WatchClusterHealthResponse_Started_{Started: &fleetv1.WatchClusterHealthResponse_Started{Reset_: anew}},
	}); err != nil {
		return err
	}
	s.calls.watchers.Inc()
	defer s.calls.watchers.Dec()
	return w.run(stream.Context())
}

// match returns what tells whether a change concerns a watch, nil where all do.
func (s *monitored) match(wanted fleet.Selector) (func(string, *health.Record) bool, error) {
	selects, err := s.selection(wanted)
	if err != nil || wanted.All() {
		return nil, err
	}
	return func(_ string, r *health.Record) bool { return selects(r) }, nil
}

// run sends events until the call ends.
func (w *watch) run(ctx context.Context) error {
	t := &tail{
		stream: boundedOf(w.stream), subscription: w.subscription, peer: peerOf(ctx), ended: make(chan error, 1), teller: w.teller,
	}
	if err := w.catchUp(ctx, t); err != nil {
		return err
	}
	if err := w.tell(&fleetv1.WatchClusterHealthResponse{
		Event: &fleetv1.WatchClusterHealthResponse_Synced_{Synced: &fleetv1.WatchClusterHealthResponse_Synced{}},
	}); err != nil {
		return err
	}
	return w.follow(ctx, t)
}

// catchUp sends what was known when the call began. The caller may take its time, and what is sent waits for it.
func (w *watch) catchUp(ctx context.Context, t *tail) error {
	for !w.subscription.Synced() {
		events, err := w.subscription.Next(ctx, watchBatch)
		if err != nil {
			return w.ended(ctx, err)
		}
		for _, event := range events {
			d, err := w.teller.deliveries.get(event, w.subscription.Token(event.Revision), time.Now())
			if err != nil {
				return err
			}
			t.count(len(d.data))
			if err := w.stream.SendMsg(&parcel{delivery: d, tail: t}); err != nil {
				return err
			}
			w.teller.sent.Inc()
		}
	}
	return nil
}

// follow waits while the teller sends what changes.
func (w *watch) follow(ctx context.Context, t *tail) error {
	t.handOver()
	w.teller.add(t) //nolint:contextcheck // the teller's goroutine is nobody's call
	var err error
	select {
	case err = <-t.ended:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	w.teller.remove(t)
	return w.ended(ctx, err)
}

// peerOf names the connection of a call.
func peerOf(ctx context.Context) string {
	if p, ok := peer.FromContext(ctx); ok {
		return p.Addr.String()
	}
	return ""
}

// tell sends what only this caller gets. All that was taken so far has been sent.
func (w *watch) tell(message *fleetv1.WatchClusterHealthResponse) error {
	message.ResumeToken = w.subscription.Position().String()
	return w.stream.Send(message)
}

// ended says why there are no more events.
func (w *watch) ended(ctx context.Context, err error) error {
	token := w.subscription.Position().String()
	switch {
	case errors.Is(err, broadcast.ErrClosed):
		return shuttingDown(token)
	case errors.Is(err, broadcast.ErrBehind):
		return slowCaller(token)
	}
	return orGone(ctx, err)
}
