package faults_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/checker"
)

// watchOnce records one call until it ends, and returns the token to go on by.
func (s *subject) watchOnce(ctx context.Context, w *checker.Watch) (token string, err error) {
	token = w.Token
	stream, err := s.health.WatchClusterHealth(ctx, &fleetv1.WatchClusterHealthRequest{ResumeToken: w.Token})
	if err != nil {
		return token, err
	}
	for {
		event, err := stream.Recv()
		if err != nil {
			return token, err
		}
		w.See(event)
		if event.GetResumeToken() != "" {
			token = event.GetResumeToken()
		}
	}
}

// attend watches in one call until ctx ends.
func (s *subject) attend(ctx context.Context, h *checker.History, name string) error {
	_, err := s.watchOnce(ctx, h.Watch(name, "", true))
	return unlessLeft(ctx, err)
}

// comeAndGo watches in calls of random length, each of which goes on where the one before ended.
func (s *subject) comeAndGo(ctx context.Context, h *checker.History, name string, random *rand.Rand) error {
	token := ""
	for ctx.Err() == nil {
		call, leave := context.WithCancel(ctx)
		patience := time.AfterFunc(100*time.Millisecond+time.Duration(random.Int64N(int64(4*time.Second))), leave)
		next, err := s.watchOnce(call, h.Watch(name, token, false))
		gone := call.Err() != nil
		patience.Stop()
		leave()
		if !gone {
			return err
		}
		token = next
	}
	return nil
}

// unlessLeft returns the error of a call unless it is the caller who ended it.
func unlessLeft(ctx context.Context, err error) error {
	code := status.Code(err)
	if ctx.Err() != nil && (code == codes.Canceled || code == codes.DeadlineExceeded) {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return errors.New("the aggregator ended the call")
	}
	return err
}
