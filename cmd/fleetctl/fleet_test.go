package main

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"k8s.io/apimachinery/pkg/labels"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client"
	"github.com/clusterfleet/clusterfleet/pkg/client/clienttest"
)

// member is one cluster of the fleet that the tests ask.
type member struct {
	cluster *fleetv1.Cluster
	failure *spb.Status
}

// testFleet has a cluster in each state, in no order.
func testFleet() []member {
	healthy := func(version string, took time.Duration) *fleetv1.Verdict {
		return &fleetv1.Verdict{State: fleetv1.Verdict_STATE_HEALTHY, ServerVersion: version, Duration: durationpb.New(took), Username: "reader"}
	}
	failing := func(s fleetv1.Verdict_State, r fleetv1.Verdict_Reason, b fleetv1.Verdict_Blame, message, hint string) *fleetv1.Verdict {
		return &fleetv1.Verdict{State: s, Reason: r, Blame: b, Message: message, Hint: hint, Duration: durationpb.New(1234 * time.Millisecond)}
	}
	full := healthy("v1.36.3", 12*time.Millisecond)
	full.Checks = []*fleetv1.Check{
		{Kind: fleetv1.Check_KIND_DNS, Outcome: fleetv1.Check_OUTCOME_PASSED, Duration: durationpb.New(time.Millisecond)},
		{Kind: fleetv1.Check_KIND_AUTHZ, Outcome: fleetv1.Check_OUTCOME_SKIPPED},
	}
	full.Expiries = []*fleetv1.Expiry{
		{Kind: fleetv1.Expiry_KIND_CLIENT_CERTIFICATE, ExpiresAt: timestamppb.New(time.Date(2031, 3, 4, 5, 6, 7, 0, time.UTC))},
		{Kind: fleetv1.Expiry_KIND_TOKEN},
		{Kind: fleetv1.Expiry_KIND_SERVING_CERTIFICATE, ExpiresAt: timestamppb.New(time.Date(2030, 3, 4, 5, 6, 7, 0, time.UTC))},
	}
	return []member{
		newMember("staging-1", "staging", failing(fleetv1.Verdict_STATE_DEGRADED, fleetv1.Verdict_REASON_NOT_READY,
			fleetv1.Verdict_BLAME_CONTROL_PLANE, "readyz says: etcd failed", "look at etcd"), codes.Unavailable),
		newMember("prod-3", "prod", failing(fleetv1.Verdict_STATE_UNREACHABLE, fleetv1.Verdict_REASON_CONNECTION_REFUSED,
			fleetv1.Verdict_BLAME_NETWORK, "connection refused", "is the API server running?"), codes.Unavailable),
		newMember("prod-2", "prod", healthy("v1.35.0", 900*time.Microsecond), codes.OK),
		{cluster: &fleetv1.Cluster{Name: "arn:aws:eks:eu-west-1:1:cluster/dev", Labels: map[string]string{"env": "dev"}, Virtual: true, Source: "kubeconfig"}},
		newMember("prod-1", "prod", full, codes.OK),
	}
}

func newMember(name, env string, v *fleetv1.Verdict, code codes.Code) member {
	m := member{cluster: &fleetv1.Cluster{
		Name: name, Labels: map[string]string{"env": env, "team": "core"}, Server: "https://" + env + ".example:6443",
		Namespace: "shop", Source: "kubeconfig", Credential: fleetv1.Cluster_CREDENTIAL_TOKEN,
		Observation: &fleetv1.Observation{Verdict: v, Age: durationpb.New(12 * time.Second)},
	}}
	if code != codes.OK {
		reason := strings.TrimPrefix(v.GetReason().String(), "REASON_")
		m.failure = failed(code, v.GetMessage(), reason)
	}
	return m
}

func failed(code codes.Code, message, reason string) *spb.Status {
	s, err := status.New(code, message).WithDetails(&errdetails.ErrorInfo{Domain: client.Domain, Reason: reason})
	if err != nil {
		panic(err)
	}
	return s.Proto()
}

// fleet serves members as the aggregator does.
type fleet struct {
	members []member
	// fetch sends the batches of one readable cluster; nil for the objects of objects_test.go.
	fetch func(m member, req *fleetv1.FetchManifestsRequest) []*fleetv1.ManifestBatch
	// text stands wherever a stranger's text can be in what the clusters do not tell; empty for none.
	text string
}

func (f fleet) script() clienttest.Script {
	return clienttest.Script{
		ListClusters: f.list, ProbeClusters: f.probe, FetchManifests: f.fetchAll, ListClusterHealth: f.listHealth,
		WatchClusterHealth: f.watchHealth, ListTransitions: f.listTransitions, GetFleetOverview: f.overview,
		ListResourceTypes:    f.types,
		SummarizeHibernation: f.hibernation,
		CompareManifests:     f.compare,
	}
}

// selected narrows the fleet as selector.proto says.
func (f fleet) selected(s *fleetv1.ClusterSelector) ([]member, error) {
	var unknown []string
	for _, name := range s.GetNames() {
		if !slices.ContainsFunc(f.members, func(m member) bool { return m.cluster.GetName() == name }) {
			unknown = append(unknown, strconv.Quote(name))
		}
	}
	if len(unknown) > 0 {
		return nil, status.ErrorProto(failed(codes.NotFound, "the fleet has no cluster "+strings.Join(unknown, ", "), "CLUSTER_NOT_FOUND"))
	}
	match, err := labels.Parse(s.GetLabelSelector())
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	var found []member
	for _, m := range f.members {
		state := m.cluster.GetObservation().GetVerdict().GetState()
		if state == 0 {
			state = fleetv1.Verdict_STATE_UNKNOWN
		}
		if (len(s.GetNames()) == 0 || slices.Contains(s.GetNames(), m.cluster.GetName())) &&
			match.Matches(labels.Set(m.cluster.GetLabels())) &&
			(len(s.GetStates()) == 0 || slices.Contains(s.GetStates(), state)) {
			found = append(found, m)
		}
	}
	return found, nil
}

func (f fleet) list(_ context.Context, req *fleetv1.ListClustersRequest) (*fleetv1.ListClustersResponse, error) {
	found, err := f.selected(req.GetSelector())
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(x, y member) int { return strings.Compare(x.cluster.GetName(), y.cluster.GetName()) })
	answer := &fleetv1.ListClustersResponse{TotalSize: int32(len(found))}
	for i, m := range found {
		if m.cluster.GetName() <= req.GetPageToken() {
			continue
		}
		if len(answer.GetClusters()) == 2 { // Small pages: the client must ask for the next one.
			answer.NextPageToken = found[i-1].cluster.GetName()
			break
		}
		answer.Clusters = append(answer.Clusters, m.cluster)
	}
	return answer, nil
}

func (f fleet) probe(req *fleetv1.ProbeClustersRequest, out grpc.ServerStreamingServer[fleetv1.ProbeClustersResponse]) error {
	found, err := f.selected(req.GetSelector())
	if err != nil {
		return err
	}
	send := func(r *fleetv1.ProbeClustersResponse) {
		if err == nil {
			err = out.Send(r)
		}
	}
	summary := &fleetv1.Summary{Expected: int32(len(found)), Duration: durationpb.New(1250 * time.Millisecond)}
	send(&fleetv1.ProbeClustersResponse{Event: &fleetv1.ProbeClustersResponse_Started{Started: &fleetv1.Started{Expected: summary.GetExpected()}}})
	for _, m := range found {
		send(&fleetv1.ProbeClustersResponse{Event: &fleetv1.ProbeClustersResponse_Result{Result: &fleetv1.ProbeResult{
			Cluster: m.cluster.GetName(), Observation: m.cluster.GetObservation(), Error: m.failure, Skipped: m.cluster.GetVirtual(),
		}}})
		m.count(summary)
	}
	send(&fleetv1.ProbeClustersResponse{Event: &fleetv1.ProbeClustersResponse_Summary{Summary: summary}})
	return err
}

func (m member) count(s *fleetv1.Summary) {
	switch {
	case m.cluster.GetVirtual():
		s.Skipped++
	case m.failure != nil:
		s.Failed++
	default:
		s.Succeeded++
	}
}

func (f fleet) fetchAll(req *fleetv1.FetchManifestsRequest, out grpc.ServerStreamingServer[fleetv1.FetchManifestsResponse]) error {
	found, err := f.selected(req.GetSelector())
	if err != nil {
		return err
	}
	send := func(r *fleetv1.FetchManifestsResponse) {
		if err == nil {
			err = out.Send(r)
		}
	}
	fetch := f.fetch
	if fetch == nil {
		fetch = shopObjects
	}
	summary := &fleetv1.Summary{Expected: int32(len(found)), Duration: durationpb.New(time.Second)}
	send(&fleetv1.FetchManifestsResponse{Event: &fleetv1.FetchManifestsResponse_Started{Started: &fleetv1.Started{Expected: summary.GetExpected()}}})
	for _, m := range found {
		done := &fleetv1.Completion{Error: m.failure, Skipped: m.cluster.GetVirtual()}
		if m.failure == nil && !m.cluster.GetVirtual() {
			for _, batch := range fetch(m, req) {
				batch.Cluster = m.cluster.GetName()
				if batch.GetCompletion() != nil {
					done, m.failure = batch.GetCompletion(), batch.GetCompletion().GetError()
					continue
				}
				send(&fleetv1.FetchManifestsResponse{Event: &fleetv1.FetchManifestsResponse_Batch{Batch: batch}})
			}
		}
		if done.GetTruncated() {
			summary.Truncated++
		} else {
			m.count(summary)
		}
		send(&fleetv1.FetchManifestsResponse{Event: &fleetv1.FetchManifestsResponse_Batch{
			Batch: &fleetv1.ManifestBatch{Cluster: m.cluster.GetName(), Completion: done},
		}})
	}
	send(&fleetv1.FetchManifestsResponse{Event: &fleetv1.FetchManifestsResponse_Summary{Summary: summary}})
	return err
}
