package main

import (
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/clusterfleet/clusterfleet/pkg/client"
)

func TestAFailureSaysWhenTheClusterWantsToBeAskedAgain(t *testing.T) {
	for wait, want := range map[time.Duration]string{
		time.Minute:             "c: busy (THROTTLED, again in 1m0s)",
		1234 * time.Millisecond: "c: busy (THROTTLED, again in 1.2s)",
		time.Microsecond:        "c: busy (THROTTLED, again in 100ms)",
	} {
		s, err := status.FromProto(failed(codes.Unavailable, "busy", "THROTTLED")).
			WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(wait)})
		if err != nil {
			t.Fatal(err)
		}
		if got := (failure{"c", client.StatusError(s.Proto())}).String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
