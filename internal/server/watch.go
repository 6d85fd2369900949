package server

import (
	"context"
	"errors"

	"google.golang.org/grpc"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/broadcast"
	"github.com/clusterfleet/clusterfleet/internal/health"
)

// watchBatch is how many events a watch takes at a time. They are few: what a caller does not read in time is replaced by
// what is later only while it has not been taken.
const watchBatch = 32

// watch is a call of WatchClusterHealth.
type watch struct {
	stream       grpc.ServerStreamingServer[fleetv1.WatchClusterHealthResponse]
	subscription *broadcast.Subscription[*health.Record]
	deliveries   *deliveries
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
	selects, err := s.selection(selector(r.GetSelector()))
	if err != nil {
		return err
	}
	match := func(_ string, r *health.Record) bool { return selects(r) }
	w := &watch{stream: stream, subscription: s.monitor.Changes().Subscribe(match, from), deliveries: &s.deliveries}
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

// run sends events until the call ends.
func (w *watch) run(ctx context.Context) error {
	synced := false
	for {
		if !synced && w.subscription.Synced() {
			synced = true
			if err := w.tell(&fleetv1.WatchClusterHealthResponse{
				Event: &fleetv1.WatchClusterHealthResponse_Synced_{Synced: &fleetv1.WatchClusterHealthResponse_Synced{}},
			}); err != nil {
				return err
			}
		}
		events, err := w.subscription.Next(ctx, watchBatch)
		if err != nil {
			return w.ended(ctx, err)
		}
		for _, event := range events {
			delivery, err := w.deliveries.get(event, w.subscription.Token(event.Revision), w.stream)
			if err != nil {
				return err
			}
			if err := w.stream.SendMsg(delivery); err != nil {
				return err
			}
		}
	}
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
