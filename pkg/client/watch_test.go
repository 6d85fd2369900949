package client_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client"
	"github.com/clusterfleet/clusterfleet/pkg/client/clienttest"
)

type (
	watchRequest = fleetv1.WatchClusterHealthRequest
	watchEvent   = fleetv1.WatchClusterHealthResponse
	watchServer  = grpc.ServerStreamingServer[watchEvent]
)

func watchStarted(reset bool, token string) *watchEvent {
	return &watchEvent{Event: &fleetv1.WatchClusterHealthResponse_Started_{Started: &fleetv1.WatchClusterHealthResponse_Started{Reset_: reset}}, ResumeToken: token}
}

func watchChanged(cluster, token string) *watchEvent {
	return &watchEvent{Event: &fleetv1.WatchClusterHealthResponse_Changed{Changed: &fleetv1.ClusterHealth{Cluster: cluster}}, ResumeToken: token}
}

func watchSynced(token string) *watchEvent {
	return &watchEvent{Event: &fleetv1.WatchClusterHealthResponse_Synced_{Synced: &fleetv1.WatchClusterHealthResponse_Synced{}}, ResumeToken: token}
}

// word is an event in short.
func word(e *watchEvent) string {
	switch {
	case e.GetStarted().GetReset_():
		return "reset"
	case e.GetStarted() != nil:
		return "started"
	case e.GetChanged() != nil:
		return e.GetChanged().GetCluster()
	}
	return "synced"
}

// watchCall is what one call of a watch sends and how it ends.
type watchCall struct {
	events []*watchEvent
	err    error
}

// watched ranges over a watch whose calls are scripted, up to the event named last or the end, and returns the events in
// short, the tokens of the calls and the error.
func watched(t *testing.T, last string, calls ...watchCall) (words, tokens []string, err error) {
	t.Helper()
	requests := make(chan *watchRequest, len(calls)+1)
	address := clienttest.Serve(t, clienttest.Script{WatchClusterHealth: func(req *watchRequest, out watchServer) error {
		requests <- req
		if len(requests) > len(calls) {
			return status.Error(codes.Internal, "one call too many")
		}
		call := calls[len(requests)-1]
		for _, event := range call.events {
			if err := out.Send(event); err != nil {
				return err
			}
		}
		return call.err
	}})
	req := &watchRequest{Selector: &fleetv1.ClusterSelector{LabelSelector: "env=prod"}}
	for event, failed := range dial(t, address).Watch(t.Context(), req) {
		if err = failed; err != nil {
			break
		}
		words = append(words, word(event))
		if words[len(words)-1] == last {
			break
		}
	}
	close(requests)
	for r := range requests {
		if r.GetSelector().GetLabelSelector() != "env=prod" {
			t.Error("the selector got lost")
		}
		tokens = append(tokens, r.GetResumeToken())
	}
	if req.GetResumeToken() != "" {
		t.Error("the caller's request was changed")
	}
	return words, tokens, err
}

func TestAWatchGoesOnBehindTheLastEvent(t *testing.T) {
	words, tokens, err := watched(
		t, "end",
		watchCall{[]*watchEvent{watchStarted(true, "t1"), watchChanged("a", "t2"), watchChanged("b", "t3")}, status.Error(codes.Unavailable, "shutting down")},
		watchCall{nil, status.Error(codes.Unavailable, "not yet")},
		watchCall{[]*watchEvent{watchStarted(false, "t3"), watchSynced("t3"), watchChanged("a", "")}, status.Error(codes.ResourceExhausted, "too slow")},
		watchCall{[]*watchEvent{watchStarted(true, "u1"), watchChanged("c", "u2"), watchSynced("u2")}, nil},
		watchCall{[]*watchEvent{watchStarted(false, "u2"), watchChanged("end", "u3")}, nil},
	)
	if err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"reset", "a", "b", "started", "synced", "a", "reset", "c", "synced", "started", "end"}, words); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"", "t3", "t3", "t3", "u2"}, tokens); diff != "" {
		t.Errorf("tokens (-want +got):\n%s", diff)
	}
}

func TestAWatchGivesUpOnErrorsThatDoNotGoAway(t *testing.T) {
	begun := watchCall{[]*watchEvent{watchStarted(true, "t1"), watchSynced("t2")}, status.Error(codes.Unavailable, "")}
	busy := watchCall{nil, status.Error(codes.Unavailable, "busy")}
	for name, test := range map[string]struct {
		calls []watchCall
		code  codes.Code
		made  int
	}{
		"an unknown name":            {[]watchCall{{nil, status.Error(codes.NotFound, "")}}, codes.NotFound, 1},
		"no permission, after a cut": {[]watchCall{begun, {nil, status.Error(codes.PermissionDenied, "")}}, codes.PermissionDenied, 2},
		"no answer at the start":     {[]watchCall{busy, busy, busy}, codes.Unavailable, 3},
		"a start and no more":        {[]watchCall{{begun.events[:1], busy.err}, {begun.events[:1], busy.err}, {begun.events[:1], busy.err}}, codes.Unavailable, 3},
	} {
		t.Run(name, func(t *testing.T) {
			_, tokens, err := watched(t, "", test.calls...)
			if status.Code(err) != test.code || len(tokens) != test.made {
				t.Errorf("%d calls, error %v", len(tokens), err)
			}
		})
	}
}

func TestAWatchThatIsLeftEndsInTheServer(t *testing.T) {
	for name, leave := range map[string]func(cancel func()) bool{
		"by a break":       func(func()) bool { return true },
		"with its context": func(cancel func()) bool { cancel(); return false },
	} {
		t.Run(name, func(t *testing.T) {
			ended := make(chan error, 1)
			address := clienttest.Serve(t, clienttest.Script{WatchClusterHealth: func(_ *watchRequest, out watchServer) error {
				err := out.Send(watchStarted(true, "t1"))
				<-out.Context().Done()
				ended <- out.Context().Err()
				return err
			}})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var last error
			for _, err := range dial(t, address).Watch(ctx, nil) {
				if last = err; err == nil && leave(cancel) {
					break
				}
			}
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("the server's call ended with %v", err)
			}
			if name == "with its context" && status.Code(last) != codes.Canceled {
				t.Errorf("the watch ended with %v", last)
			}
		})
	}
}

func TestAWatchThatIsCutShortlyBeforeItsDeadlineEndsWithIt(t *testing.T) {
	address := clienttest.Serve(t, clienttest.Script{WatchClusterHealth: func(_ *watchRequest, out watchServer) error {
		if err := out.Send(watchSynced("t1")); err != nil {
			return err
		}
		s, err := status.New(codes.Unavailable, "restarting").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(time.Minute)})
		return errors.Join(err, s.Err())
	}})
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	var last error
	for _, err := range dial(t, address).Watch(ctx, nil) {
		last = err
	}
	if status.Code(last) != codes.DeadlineExceeded {
		t.Errorf("the watch ended with %v", last)
	}
}

func TestAWatchOutlivesTheTimeoutOfCallsButMustStartWithin(t *testing.T) {
	const timeout = 300 * time.Millisecond
	silent := make(chan struct{}, 3)
	address := clienttest.Serve(t, clienttest.Script{WatchClusterHealth: func(_ *watchRequest, out watchServer) error {
		silent <- struct{}{}
		<-out.Context().Done()
		return nil
	}})
	for _, err := range dial(t, address, client.WithTimeout(timeout)).Watch(t.Context(), nil) {
		if status.Code(err) != codes.Unavailable || client.Message(err) != "the watch did not start within 300ms" || len(silent) != 3 {
			t.Errorf("the watch ended with %v after %d calls", err, len(silent))
		}
	}
	address = clienttest.Serve(t, clienttest.Script{WatchClusterHealth: func(_ *watchRequest, out watchServer) error {
		later := time.NewTimer(2 * timeout)
		defer later.Stop()
		err := out.Send(watchStarted(true, "t1"))
		<-later.C
		return errors.Join(err, out.Send(watchSynced("t1")))
	}})
	var words []string
	for event, err := range dial(t, address, client.WithTimeout(timeout)).Watch(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		if words = append(words, word(event)); len(words) == 2 {
			break
		}
	}
	if !cmp.Equal(words, []string{"reset", "synced"}) {
		t.Errorf("events %q", words)
	}
}
