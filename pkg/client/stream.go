package client

import (
	"context"
	"errors"
	"io"
	"iter"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// The streams of fleet.v1.
type (
	// ProbeStream yields a result a cluster.
	ProbeStream = Stream[fleetv1.ProbeClustersResponse, *fleetv1.ProbeClustersResponse, *fleetv1.ProbeResult]
	// FetchStream yields one or more batches a cluster, the last of each with its completion.
	FetchStream = Stream[fleetv1.FetchManifestsResponse, *fleetv1.FetchManifestsResponse, *fleetv1.ManifestBatch]
	// ReferenceStream yields a result a reference.
	ReferenceStream = Stream[fleetv1.GetManifestsResponse, *fleetv1.GetManifestsResponse, *fleetv1.ReferenceResult]
	// HibernationStream yields one or more results a cluster, the last of each with its completion.
	HibernationStream = Stream[fleetv1.SummarizeHibernationResponse, *fleetv1.SummarizeHibernationResponse, *fleetv1.HibernationResult]
)

// ErrIncomplete ends a stream that ended without a summary: some results may be missing.
var ErrIncomplete = errors.New("the aggregator ended the stream without a summary: results may be missing")

// ErrConsumed is what the second range over a stream yields.
var ErrConsumed = errors.New("the stream was ranged over already: each call makes one")

// Event is a message M of a fan-out stream: `started`, a result, or `summary`.
type Event[M any] interface {
	*M
	proto.Message
	GetStarted() *fleetv1.Started
	GetSummary() *fleetv1.Summary
}

// Stream is one fan-out call with events E and results R. The call starts when it is ranged over, by Results or by
// Events, once; breaking out of the loop cancels it. Only the goroutine that ranges may use the stream.
type Stream[M any, E Event[M], R comparable] struct {
	events  iter.Seq2[E, error]
	result  func(E) R
	ranged  bool
	started *fleetv1.Started
	summary *fleetv1.Summary
}

// Results yields each result as it comes. A cluster's failure is a result; an error is the call's own, comes last, and
// leaves what came before good.
func (s *Stream[M, E, R]) Results() iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		var none R
		for event, err := range s.Events() {
			if err != nil {
				yield(none, err)
				return
			}
			if r := s.result(event); r != none && !yield(r, nil) {
				return
			}
		}
	}
}

// Events yields each message as the aggregator sent it, `started` and `summary` among them. Errors are those of Results.
func (s *Stream[M, E, R]) Events() iter.Seq2[E, error] {
	return func(yield func(E, error) bool) {
		if s.ranged {
			yield(nil, ErrConsumed)
			return
		}
		s.ranged = true
		for event, err := range s.events {
			if err == nil {
				s.note(event)
			}
			if !yield(event, err) || err != nil {
				return
			}
		}
		if s.summary == nil {
			yield(nil, ErrIncomplete)
		}
	}
}

func (s *Stream[M, E, R]) note(event E) {
	if started := event.GetStarted(); started != nil {
		s.started = started
	}
	if summary := event.GetSummary(); summary != nil {
		s.summary = summary
	}
}

// Started is what the aggregator said at the start, such as how many results to expect; nil before that. It is set when
// the first result is yielded.
func (s *Stream[M, E, R]) Started() *fleetv1.Started { return s.started }

// Summary counts how the call went; nil unless the stream was ranged over to its end and ended well.
func (s *Stream[M, E, R]) Summary() *fleetv1.Summary { return s.summary }

// newStream returns a stream that makes the call when it is ranged over.
func newStream[Req, M any, E Event[M], R comparable](ctx context.Context, c *Client, req *Req,
	call func(context.Context, *Req, ...grpc.CallOption) (grpc.ServerStreamingClient[M], error), result func(E) R,
) *Stream[M, E, R] {
	events := func(yield func(E, error) bool) {
		ctx, cancel := c.bounded(ctx)
		defer cancel() // Ends the call where the loop was left early.
		var incoming grpc.ServerStreamingClient[M]
		var event *M
		err := retry(ctx, func() (trailer metadata.MD, err error) {
			if incoming, err = call(ctx, req); err != nil {
				return nil, c.explain(err)
			}
			if event, err = incoming.Recv(); err != nil {
				return incoming.Trailer(), c.explain(err)
			}
			return nil, nil
		})
		for ; err == nil; event, err = incoming.Recv() {
			if !yield(event, nil) {
				return
			}
		}
		if !ended(err) {
			yield(nil, c.explain(err))
		}
	}
	return &Stream[M, E, R]{events: events, result: result}
}

// ended tells that the aggregator ended the stream well. That a connection ended is no such end: io.EOF is its cause then.
func ended(err error) bool {
	var unreachable *ConnectError
	return errors.Is(err, io.EOF) && !errors.As(err, &unreachable)
}
