package client_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client"
	"github.com/clusterfleet/clusterfleet/pkg/client/clienttest"
)

type listRequest = fleetv1.ListClustersRequest

// pages serves clusters c0, c1, … two a page; next says which token follows the given one.
func pages(next func(string) string) func(context.Context, *listRequest) (*fleetv1.ListClustersResponse, error) {
	return func(_ context.Context, req *listRequest) (*fleetv1.ListClustersResponse, error) {
		if req.GetSelector().GetLabelSelector() != "env=prod" {
			return nil, status.Error(codes.InvalidArgument, "the selector got lost")
		}
		return &fleetv1.ListClustersResponse{
			Clusters:      []*fleetv1.Cluster{{Name: req.GetPageToken() + "1"}, {Name: req.GetPageToken() + "2"}},
			NextPageToken: next(req.GetPageToken()),
		}, nil
	}
}

func TestListClustersIteratesOverPages(t *testing.T) {
	address := clienttest.Serve(t, clienttest.Script{ListClusters: pages(func(token string) string {
		return map[string]string{"": "b", "b": "c"}[token]
	})})
	req := &listRequest{Selector: &fleetv1.ClusterSelector{LabelSelector: "env=prod"}}
	var names []string
	for cluster, err := range dial(t, address).ListClusters(t.Context(), req) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, cluster.GetName())
	}
	if want := []string{"1", "2", "b1", "b2", "c1", "c2"}; !cmp.Equal(names, want) {
		t.Errorf("clusters %q, want %q", names, want)
	}
	if req.GetPageToken() != "" {
		t.Error("the caller's request was changed")
	}
}

func TestListClustersEndsWithTheLoop(t *testing.T) {
	var asked atomic.Int32
	address := clienttest.Serve(t, clienttest.Script{ListClusters: pages(func(string) string { asked.Add(1); return "b" })})
	req := &listRequest{Selector: &fleetv1.ClusterSelector{LabelSelector: "env=prod"}}
	for _, err := range dial(t, address).ListClusters(t.Context(), req) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	if asked.Load() != 1 {
		t.Errorf("%d pages were asked for", asked.Load())
	}
}

func TestListClustersRefusesAPageThatComesAgain(t *testing.T) {
	address := clienttest.Serve(t, clienttest.Script{ListClusters: pages(func(string) string { return "b" })})
	req := &listRequest{Selector: &fleetv1.ClusterSelector{LabelSelector: "env=prod"}}
	var last error
	n := 0
	for _, err := range dial(t, address).ListClusters(t.Context(), req) {
		last, n = err, n+1
	}
	if last == nil || n != 5 {
		t.Errorf("%d values, the last error is %v", n, last)
	}
}

func TestServingTellsTheServersHealth(t *testing.T) {
	c := dial(t, clienttest.Serve(t, clienttest.Script{}))
	if ok, err := c.Serving(t.Context(), ""); !ok || err != nil {
		t.Errorf("serving %t, error %v", ok, err)
	}
	if ok, err := c.Serving(t.Context(), "unknown"); ok || status.Code(err) != codes.NotFound {
		t.Errorf("an unknown service: serving %t, error %v", ok, err)
	}
}

func TestErrorsTellTheirDetails(t *testing.T) {
	address := clienttest.Serve(t, clienttest.Script{
		GetCluster: func(context.Context, *fleetv1.GetClusterRequest) (*fleetv1.GetClusterResponse, error) {
			return nil, detailed(t, codes.ResourceExhausted, "too many calls",
				&errdetails.ErrorInfo{Domain: "elsewhere", Reason: "NOT_THIS"},
				&errdetails.ErrorInfo{Domain: "clusterfleet", Reason: "THROTTLED", Metadata: map[string]string{"hint": "call less often"}},
				&errdetails.RetryInfo{RetryDelay: durationpb.New(3 * time.Second)},
				&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: "name", Description: "is odd"}}})
		},
	})
	_, err := dial(t, address).GetCluster(t.Context(), "c1")
	err = fmt.Errorf("look at c1: %w", err)
	after, ok := client.RetryAfter(err)
	got := []any{client.Message(err), client.Reason(err), client.Hint(err), after, ok, client.Violations(err)}
	want := []any{"too many calls", "THROTTLED", "call less often", 3 * time.Second, true, []client.Violation{{Field: "name", Description: "is odd"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("details (-want +got):\n%s", diff)
	}
}

func TestErrorsWithoutDetailsTellNone(t *testing.T) {
	for name, err := range map[string]error{
		"none": nil, "not of gRPC": errors.New("plain"), "without details": status.Error(codes.NotFound, "plain"),
	} {
		t.Run(name, func(t *testing.T) {
			_, after := client.RetryAfter(err)
			if client.Reason(err) != "" || client.Hint(err) != "" || after || client.Violations(err) != nil {
				t.Error("details from nowhere")
			}
			if got := client.Message(err); err != nil && got != "plain" || err == nil && got != "" {
				t.Errorf("the message is %q", got)
			}
		})
	}
}

func TestTheStatusOfAResultIsAnErrorWithDetails(t *testing.T) {
	failed := detailed(t, codes.Unavailable, "connection refused", &errdetails.ErrorInfo{Domain: client.Domain, Reason: "CONNECTION_REFUSED"})
	err := client.StatusError(status.Convert(failed).Proto())
	if client.Reason(err) != "CONNECTION_REFUSED" || !strings.Contains(client.Message(err), "refused") {
		t.Errorf("reason %q, message %q", client.Reason(err), client.Message(err))
	}
	if err := client.StatusError(nil); err != nil {
		t.Errorf("no status is the error %v", err)
	}
}

func detailed(t *testing.T, code codes.Code, message string, details ...protoadapt.MessageV1) error {
	t.Helper()
	s, err := status.New(code, message).WithDetails(details...)
	if err != nil {
		t.Fatal(err)
	}
	return s.Err()
}
