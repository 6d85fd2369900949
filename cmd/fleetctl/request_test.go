package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client/clienttest"
)

// fleetctl runs a command line in this process.
func fleetctl(ctx context.Context, t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	var out, err strings.Builder
	code = run(ctx, args, &out, &err)
	return out.String(), err.String(), code
}

// asked returns the request that a command line makes.
func asked(t *testing.T, args ...string) proto.Message {
	t.Helper()
	requests := make(chan proto.Message, 1)
	ended := status.Error(codes.Aborted, "seen enough")
	address := clienttest.Serve(t, clienttest.Script{
		ListClusters: func(_ context.Context, req *fleetv1.ListClustersRequest) (*fleetv1.ListClustersResponse, error) {
			requests <- req
			return nil, ended
		},
		ProbeClusters: func(req *fleetv1.ProbeClustersRequest, _ grpc.ServerStreamingServer[fleetv1.ProbeClustersResponse]) error {
			requests <- req
			return ended
		},
		FetchManifests: func(req *fleetv1.FetchManifestsRequest, _ grpc.ServerStreamingServer[fleetv1.FetchManifestsResponse]) error {
			requests <- req
			return ended
		},
		WatchClusterHealth: func(req *fleetv1.WatchClusterHealthRequest, _ watchServer) error {
			requests <- req
			return ended
		},
		CompareManifests: func(req *fleetv1.CompareManifestsRequest, _ grpc.ServerStreamingServer[fleetv1.CompareManifestsResponse]) error {
			requests <- req
			return ended
		},
		ListTransitions: func(_ context.Context, req *fleetv1.ListTransitionsRequest) (*fleetv1.ListTransitionsResponse, error) {
			requests <- req
			return nil, ended
		},
		ListResourceTypes: func(_ context.Context, req *fleetv1.ListResourceTypesRequest) (*fleetv1.ListResourceTypesResponse, error) {
			requests <- req
			return nil, ended
		},
		SummarizeHibernation: func(req *fleetv1.SummarizeHibernationRequest, _ hibernationServer) error {
			requests <- req
			return ended
		},
		GetFleetOverview: func(_ context.Context, req *fleetv1.GetFleetOverviewRequest) (*fleetv1.GetFleetOverviewResponse, error) {
			requests <- req
			return nil, ended
		},
	})
	if _, stderr, code := fleetctl(t.Context(), t, append(args, "--server", address)...); code != exitFailed {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	return <-requests
}

func TestFlagsBecomeTheRequest(t *testing.T) {
	shown := &fleetv1.Output{Format: fleetv1.Output_FORMAT_TABLE}
	full := &fleetv1.Output{Format: fleetv1.Output_FORMAT_FULL}
	pods := &fleetv1.ResourceType{Resource: "pods"}
	for line, want := range map[string]proto.Message{
		"clusters": &fleetv1.ListClustersRequest{Selector: &fleetv1.ClusterSelector{}},
		"clusters a b/c -l x=y --state healthy,UNKNOWN": &fleetv1.ListClustersRequest{Selector: &fleetv1.ClusterSelector{
			Names: []string{"a", "b/c"}, LabelSelector: "x=y",
			States: []fleetv1.Verdict_State{fleetv1.Verdict_STATE_HEALTHY, fleetv1.Verdict_STATE_UNKNOWN},
		}},
		"watch a -l x=y --state healthy": &fleetv1.WatchClusterHealthRequest{Selector: &fleetv1.ClusterSelector{
			Names: []string{"a"}, LabelSelector: "x=y", States: []fleetv1.Verdict_State{fleetv1.Verdict_STATE_HEALTHY},
		}},
		"wait --for=state=HEALTHY a -l x=y": &fleetv1.WatchClusterHealthRequest{Selector: &fleetv1.ClusterSelector{Names: []string{"a"}, LabelSelector: "x=y"}},
		"history a --state degraded --limit 5000": &fleetv1.ListTransitionsRequest{
			Selector: &fleetv1.ClusterSelector{Names: []string{"a"}, States: []fleetv1.Verdict_State{fleetv1.Verdict_STATE_DEGRADED}}, PageSize: 1000,
		},
		"overview": &fleetv1.GetFleetOverviewRequest{Selector: &fleetv1.ClusterSelector{}, Limit: 10, ExpiringWithin: durationpb.New(30 * 24 * time.Hour)},
		"overview -l x=y --group-by topology.kubernetes.io/region --limit 3 --expiring-within 1w": &fleetv1.GetFleetOverviewRequest{
			Selector: &fleetv1.ClusterSelector{LabelSelector: "x=y"}, GroupBy: "topology.kubernetes.io/region", Limit: 3, ExpiringWithin: durationpb.New(7 * 24 * time.Hour),
		},
		"api-resources":              &fleetv1.ListResourceTypesRequest{Selector: &fleetv1.ClusterSelector{}},
		"api-resources --api-group=": &fleetv1.ListResourceTypesRequest{Selector: &fleetv1.ClusterSelector{}, Group: new("")},
		"api-resources --deprecated --api-group apps --clusters x=y --clusters !z --cluster a --state healthy --include-unreachable": &fleetv1.ListResourceTypesRequest{
			Selector: &fleetv1.ClusterSelector{Names: []string{"a"}, LabelSelector: "x=y,!z", States: []fleetv1.Verdict_State{fleetv1.Verdict_STATE_HEALTHY}},
			Group:    new("apps"), Deprecated: true, IncludeUnreachable: true,
		},
		"api-resources --limit 7 --per-cluster-timeout 5s": &fleetv1.ListResourceTypesRequest{
			Selector: &fleetv1.ClusterSelector{}, PerClusterTimeout: durationpb.New(5 * time.Second), MaxConcurrency: 7,
		},
		"probe": &fleetv1.ProbeClustersRequest{Selector: &fleetv1.ClusterSelector{}, Depth: fleetv1.Verdict_DEPTH_FULL},
		"probe --quick --limit 7 --per-cluster-timeout 1500ms": &fleetv1.ProbeClustersRequest{
			Selector: &fleetv1.ClusterSelector{}, Depth: fleetv1.Verdict_DEPTH_QUICK, MaxConcurrency: 7, PerClusterTimeout: durationpb.New(1500 * time.Millisecond),
		},
		"get pods":            &fleetv1.FetchManifestsRequest{Selector: &fleetv1.ClusterSelector{}, ResourceType: pods, Namespace: "default", Output: shown},
		"get pods -A -o json": &fleetv1.FetchManifestsRequest{Selector: &fleetv1.ClusterSelector{}, ResourceType: pods, Output: full},
		"get pods -o name": &fleetv1.FetchManifestsRequest{
			Selector: &fleetv1.ClusterSelector{}, ResourceType: pods, Namespace: "default", Output: &fleetv1.Output{Format: fleetv1.Output_FORMAT_METADATA},
		},
		"get deployments.v1.apps/web -n shop --limit 3": &fleetv1.FetchManifestsRequest{
			Selector: &fleetv1.ClusterSelector{}, ResourceType: &fleetv1.ResourceType{Resource: "deployments", Version: "v1", Group: "apps"},
			Namespace: "shop", Name: "web", MaxConcurrency: 3, Output: shown,
		},
		"get pods -l app=web --field-selector a=b --clusters env=prod --cluster x,y --cluster z --state degraded": &fleetv1.FetchManifestsRequest{
			Selector: &fleetv1.ClusterSelector{
				Names: []string{"x,y", "z"}, LabelSelector: "env=prod", States: []fleetv1.Verdict_State{fleetv1.Verdict_STATE_DEGRADED},
			},
			ResourceType: pods, Namespace: "default", LabelSelector: "app=web", FieldSelector: "a=b", Output: shown,
		},
		"hibernation": &fleetv1.SummarizeHibernationRequest{Selector: &fleetv1.ClusterSelector{}, Grouping: fleetv1.SummarizeHibernationRequest_GROUPING_CLUSTER},
		"hibernation -n shop": &fleetv1.SummarizeHibernationRequest{
			Selector: &fleetv1.ClusterSelector{}, Namespace: "shop", Grouping: fleetv1.SummarizeHibernationRequest_GROUPING_CLUSTER,
		},
		"diff deploy -A -l a=b --field-selector c=d --clusters x=y --cluster z --state healthy --limit 3": &fleetv1.CompareManifestsRequest{
			Selector:     &fleetv1.ClusterSelector{Names: []string{"z"}, LabelSelector: "x=y", States: []fleetv1.Verdict_State{fleetv1.Verdict_STATE_HEALTHY}},
			ResourceType: &fleetv1.ResourceType{Resource: "deploy"}, LabelSelector: "a=b", FieldSelector: "c=d", MaxConcurrency: 3,
		},
		"hibernation -A": &fleetv1.SummarizeHibernationRequest{Selector: &fleetv1.ClusterSelector{}, Grouping: fleetv1.SummarizeHibernationRequest_GROUPING_CLUSTER},
		"hibernation -n shop -l a=b -l c=d --clusters x=y --cluster z --by workload --annotation e/f --state running --limit 7 --per-cluster-timeout 5s": &fleetv1.SummarizeHibernationRequest{
			Selector:          &fleetv1.ClusterSelector{Names: []string{"z"}, LabelSelector: "x=y"},
			PerClusterTimeout: durationpb.New(5 * time.Second), MaxConcurrency: 7,
			Namespace: "shop", LabelSelector: "a=b,c=d", Annotation: "e/f", Grouping: fleetv1.SummarizeHibernationRequest_GROUPING_WORKLOAD,
		},
		"diff deploy web --against a --ignore spec.replicas --include-equal --include-unreachable": &fleetv1.CompareManifestsRequest{
			Selector: &fleetv1.ClusterSelector{}, ResourceType: &fleetv1.ResourceType{Resource: "deploy"}, Namespace: "default", Name: "web",
			Against: "a", Ignore: []string{"spec.replicas"}, IncludeEqual: true, IncludeUnreachable: true,
		},
		"hibernation --include-unreachable": &fleetv1.SummarizeHibernationRequest{
			Selector: &fleetv1.ClusterSelector{}, Grouping: fleetv1.SummarizeHibernationRequest_GROUPING_CLUSTER, IncludeUnreachable: true,
		},
		"hibernation --by namespace":               &fleetv1.SummarizeHibernationRequest{Selector: &fleetv1.ClusterSelector{}, Grouping: fleetv1.SummarizeHibernationRequest_GROUPING_NAMESPACE},
		"clusters -l x=y -l team=core --selector=": &fleetv1.ListClustersRequest{Selector: &fleetv1.ClusterSelector{LabelSelector: "x=y,team=core"}},
		"get pods -l a=b -l c=d --clusters x=y --clusters !z --field-selector e=f --field-selector g=h": &fleetv1.FetchManifestsRequest{
			Selector: &fleetv1.ClusterSelector{LabelSelector: "x=y,!z"}, ResourceType: pods, Namespace: "default",
			LabelSelector: "a=b,c=d", FieldSelector: "e=f,g=h", Output: shown,
		},
		"get pods --where object.x>3": &fleetv1.FetchManifestsRequest{
			Selector: &fleetv1.ClusterSelector{}, ResourceType: pods, Namespace: "default", Where: "object.x>3",
			Output: &fleetv1.Output{Format: fleetv1.Output_FORMAT_FULL, JsonPath: "{.metadata.creationTimestamp}"},
		},
		"get pods --where object.x>3 -o json": &fleetv1.FetchManifestsRequest{
			Selector: &fleetv1.ClusterSelector{}, ResourceType: pods, Namespace: "default", Where: "object.x>3", Output: full,
		},
		"get pods --where object.x>3 -o name": &fleetv1.FetchManifestsRequest{
			Selector: &fleetv1.ClusterSelector{}, ResourceType: pods, Namespace: "default", Where: "object.x>3",
			Output: &fleetv1.Output{Format: fleetv1.Output_FORMAT_FULL, JsonPath: "{.metadata.name}"},
		},
		"get pods --group-by {.x.y} --where object.x>3 -o wide": &fleetv1.FetchManifestsRequest{
			Selector: &fleetv1.ClusterSelector{}, ResourceType: pods, Namespace: "default", Where: "object.x>3",
			Output: &fleetv1.Output{Format: fleetv1.Output_FORMAT_FULL, JsonPath: "{.x.y}"},
		},
		"get pods -o yaml --show-managed-fields --show-secret-data": &fleetv1.FetchManifestsRequest{
			Selector: &fleetv1.ClusterSelector{}, ResourceType: pods, Namespace: "default",
			Output: &fleetv1.Output{Format: fleetv1.Output_FORMAT_FULL, ManagedFields: true, SecretData: true},
		},
		"get pods --limit-per-cluster 10 --include-unreachable --allow-stale": &fleetv1.FetchManifestsRequest{
			Selector: &fleetv1.ClusterSelector{}, ResourceType: pods, Namespace: "default", Output: shown,
			LimitPerCluster: 10, IncludeUnreachable: true, AllowStale: true,
		},
	} {
		t.Run(line, func(t *testing.T) {
			if diff := cmp.Diff(want, asked(t, strings.Fields(line)...), protocmp.Transform()); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheHistoryIsAskedForSinceAWhileAgo(t *testing.T) {
	before := time.Now()
	req, ok := asked(t, "history", "--since", "7d").(*fleetv1.ListTransitionsRequest)
	if since := req.GetSince().AsTime(); !ok || since.Before(before.AddDate(0, 0, -7)) || since.After(time.Now().AddDate(0, 0, -7)) {
		t.Errorf("since %s", since)
	}
}

func TestResourceTypesAreWrittenAsInKubectl(t *testing.T) {
	for text, want := range map[string]*fleetv1.ResourceType{
		"pods":                     {Resource: "pods"},
		"Pod":                      {Resource: "Pod"},
		"pods.v1":                  {Resource: "pods", Version: "v1"},
		"pods.v1.":                 {Resource: "pods", Version: "v1"},
		"deploy.apps":              {Resource: "deploy", Group: "apps"},
		"deployments.v1.apps":      {Resource: "deployments", Version: "v1", Group: "apps"},
		"x.v2beta1.a.example.com":  {Resource: "x", Version: "v2beta1", Group: "a.example.com"},
		"x.version1.example.com":   {Resource: "x", Group: "version1.example.com"},
		"certificates.example.com": {Resource: "certificates", Group: "example.com"},
	} {
		got, err := parseResource(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	for _, text := range []string{"", ".", ".apps", "pods.", "pods/x", "pods.Apps", "-pods", "pods.v1.-x"} {
		if got, err := parseResource(text); err == nil && text != "pods." {
			t.Errorf("%q is the type %v", text, got)
		}
	}
}

func TestTextThatIsNotUTF8IsAMistakeInTheCommandLine(t *testing.T) {
	for _, args := range [][]string{
		{"clusters", "\xff"},
		{"clusters", "-l", "a=\xff"},
		{"probe", "ok", "\xff"},
		{"probe", "-l", "a=\xff"},
		{"watch", "-l", "a=\xff"},
		{"history", "\xff"},
		{"overview", "-l", "a=\xff"},
		{"wait", "--for=state=HEALTHY", "\xff"},
		{"api-resources", "--api-group", "\xff"},
		{"api-resources", "--clusters", "a=\xff"},
		{"get", "pods", "\xff"},
		{"get", "pods/\xff"},
		{"get", "pods", "--cluster", "\xff"},
		{"get", "pods", "--clusters", "a=\xff"},
		{"get", "pods", "-l", "a=\xff"},
		{"get", "pods", "--where", "\xff"},
		{"get", "pods", "--group-by", "\xff"},
		{"get", "pods", "--field-selector", "a=\xff"},
		{"diff", "pods", "--field-selector", "a=\xff"},
		{"diff", "pods", "--against", "\xff"},
		{"diff", "pods", "--ignore", "a", "--ignore", "\xff"},
		{"hibernation", "-l", "a=\xff"},
		{"hibernation", "--annotation", "\xff"},
	} {
		_, stderr, code := fleetctl(t.Context(), t, append(args, "--server", "127.0.0.1:1")...)
		if code != exitUsage || !strings.Contains(stderr, `\xff" is not valid UTF-8`) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: exit code %d: %s", args, code, stderr)
		}
	}
}

func TestWhatCannotBeWrittenIsAnError(t *testing.T) {
	address := clienttest.Serve(t, fleet{members: testFleet()}.script())
	full := errors.New("no space left")
	for _, args := range [][]string{
		{"clusters"},
		{"probe"},
		{"probe", "-o", "jsonl"},
		{"get", "pods", "-o", "json"},
		{"get", "nodes"},
		{"get", "pods", "--where", "true"},
		{"get", "pods", "--group-by", ".x"},
		{"watch"},
		{"watch", "-o", "jsonl"},
		{"history"},
		{"overview"},
		{"api-resources"},
		{"wait", "--for=state=HEALTHY"},
		{"probe", "--watch"},
	} {
		var stderr strings.Builder
		if code := run(t.Context(), append(args, "--server", address), failingWriter{full}, &stderr); code != exitFailed {
			t.Errorf("%s: exit code %d", args, code)
		}
		if !strings.HasSuffix(stderr.String(), "error: no space left\n") {
			t.Errorf("%s: %s", args, stderr.String())
		}
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

var _ io.Writer = failingWriter{}
