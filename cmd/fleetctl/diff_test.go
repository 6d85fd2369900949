package main

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client/clienttest"
)

type (
	compareRequest  = fleetv1.CompareManifestsRequest
	compareResponse = fleetv1.CompareManifestsResponse
	compareServer   = grpc.ServerStreamingServer[fleetv1.CompareManifestsResponse]
	variant         = fleetv1.ComparedObject_Variant
)

// compare answers as if each cluster that can be read had the deployments api, the same everywhere; web, of which the first one
// has another form than the others; and job, which only the last one has. Gadgets are served nowhere.
func (f fleet) compare(req *compareRequest, out compareServer) error {
	found, err := f.selected(req.GetSelector())
	if err != nil {
		return err
	}
	var events []*compareResponse
	summary := &fleetv1.Summary{Expected: int32(len(found)), Duration: durationpb.New(time.Second)}
	events = append(events, &compareResponse{Event: &fleetv1.CompareManifestsResponse_Started{Started: &fleetv1.Started{Expected: summary.GetExpected()}}})
	var read []string
	for _, m := range found {
		done := &fleetv1.Completion{Error: m.failure, Skipped: m.cluster.GetVirtual()}
		m.count(summary)
		if m.failure == nil && !m.cluster.GetVirtual() {
			read = append(read, m.cluster.GetName())
			if req.GetResourceType().GetResource() == "gadgets" {
				done.Error = failed(codes.NotFound, `the cluster has no resource type "gadgets"`, "NOT_FOUND")
			}
		}
		events = append(events, &compareResponse{Event: &fleetv1.CompareManifestsResponse_Cluster{Cluster: &fleetv1.ComparedCluster{Cluster: m.cluster.GetName(), Completion: done}}})
	}
	slices.Sort(read)
	totals := &fleetv1.ComparisonTotals{}
	if len(read) > 0 && req.GetResourceType().GetResource() != "gadgets" && req.GetNamespace() != "empty" {
		for _, o := range f.comparedObjects(req, read) {
			totals.Objects++
			switch {
			case len(o.GetMissing()) > 0:
				totals.MissingSomewhere++
			case len(o.GetVariants()) > 1:
				totals.Differing++
			default:
				totals.Equal++
				if !req.GetIncludeEqual() {
					continue
				}
			}
			events = append(events, &compareResponse{Event: &fleetv1.CompareManifestsResponse_Object{Object: o}})
		}
	}
	events = append(events, &compareResponse{Event: &fleetv1.CompareManifestsResponse_Totals{Totals: totals}},
		&compareResponse{Event: &fleetv1.CompareManifestsResponse_Summary{Summary: summary}})
	for _, event := range events {
		if err := out.Send(event); err != nil {
			return err
		}
	}
	return nil
}

func (f fleet) comparedObjects(req *compareRequest, read []string) []*fleetv1.ComparedObject {
	namespace, text := cmp.Or(f.text, "shop"), cmp.Or(f.text, "registry.example.com/web:2")
	first, others, last := read[:1], read[1:], read[len(read)-1:]
	objects := []*fleetv1.ComparedObject{
		{Namespace: namespace, Name: "api", Variants: []*variant{{Clusters: read, Hash: "aa", Baseline: true}}},
		{Namespace: namespace, Name: "job", Variants: []*variant{{Clusters: last, Hash: "bb", Baseline: true}}, Missing: read[:len(read)-1]},
		{Namespace: namespace, Name: "web", Variants: []*variant{{Clusters: others, Hash: "cc", Baseline: true}, {
			Clusters: first, Hash: "dd",
			Diff: "--- " + last[0] + "\n+++ " + first[0] + "\n@@ -7,5 +7,5 @@\n     spec:\n       containers:\n-      - image: registry.example.com/web:1\n+      - image: " + text + "\n         name: main\n",
		}}},
	}
	if req.GetAgainst() == first[0] {
		objects[2].Variants = []*variant{{Clusters: first, Hash: "dd", Baseline: true}, {Clusters: others, Hash: "cc", DiffOmitted: "the object is too large"}}
	} else if len(others) == 0 || slices.Contains(req.GetIgnore(), "spec.template.spec.containers[*].image") {
		objects[2].Variants = []*variant{{Clusters: read, Hash: "cc", Baseline: true}}
	}
	if len(read) == 1 {
		objects[1].Missing = nil
	}
	return slices.DeleteFunc(objects, func(o *fleetv1.ComparedObject) bool { return req.GetName() != "" && req.GetName() != o.GetName() })
}

func TestDiffsAreColouredOnATerminalOnly(t *testing.T) {
	t.Setenv("TERM", "xterm")
	script := fleet{members: testFleet()}.script()
	got := onTerminal(t, script, "diff", "deploy", "web", "-n", "shop", "--cluster", "prod-1", "--cluster", "prod-2")
	for _, want := range []string{"\x1b[1mshop/web\x1b[0m\n", "\x1b[31m-      - image: registry.example.com/web:1\x1b[0m\n", "\x1b[32m+      - image", "\x1b[36m@@ "} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %q", want, got)
		}
	}
	t.Setenv("NO_COLOR", "1")
	if got := onTerminal(t, script, "diff", "deploy", "-A", "--cluster", "prod-1", "--cluster", "prod-2"); strings.Contains(got, "\x1b") {
		t.Errorf("colours although NO_COLOR is set: %q", got)
	}
}

func TestADiffRequestSaysWhatTheFlagsSay(t *testing.T) {
	var got *compareRequest
	address := clienttest.Serve(t, clienttest.Script{CompareManifests: func(req *compareRequest, out compareServer) error {
		got = req
		return fleet{members: testFleet()}.compare(req, out)
	}})
	stdout, stderr, code := fleetctl(t.Context(), t, "diff", "deploy.apps", "-n", "shop", "-l", "app=web", "--field-selector", "metadata.name!=x", "--clusters", "env=prod",
		"--state", "healthy", "--against", "prod-1", "--ignore", "a.b", "--ignore", "c[*]", "--include-equal", "--per-cluster-timeout", "3s", "--limit", "7", "--server", address)
	if code != exitUnhealthy {
		t.Fatalf("exit code %d\n%s\n%s", code, stdout, stderr)
	}
	want := &compareRequest{
		Selector:          &fleetv1.ClusterSelector{LabelSelector: "env=prod", States: []fleetv1.Verdict_State{fleetv1.Verdict_STATE_HEALTHY}},
		PerClusterTimeout: durationpb.New(3 * time.Second), MaxConcurrency: 7,
		ResourceType: &fleetv1.ResourceType{Group: "apps", Resource: "deploy"}, Namespace: "shop", LabelSelector: "app=web", FieldSelector: "metadata.name!=x",
		Against: "prod-1", Ignore: []string{"a.b", "c[*]"}, IncludeEqual: true,
	}
	if got.String() != want.String() {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

func TestObjectsThatAreNotToldInTimeAreCounted(t *testing.T) {
	script := func(failed int32) clienttest.Script {
		return clienttest.Script{CompareManifests: func(_ *compareRequest, out compareServer) error {
			_ = out.Send(&compareResponse{Event: &fleetv1.CompareManifestsResponse_Started{Started: &fleetv1.Started{Expected: 3}}})
			_ = out.Send(&compareResponse{Event: &fleetv1.CompareManifestsResponse_Totals{Totals: &fleetv1.ComparisonTotals{Objects: 9, Equal: 2, Differing: 7, NotTold: 5}}})
			return out.Send(&compareResponse{Event: &fleetv1.CompareManifestsResponse_Summary{Summary: &fleetv1.Summary{
				Expected: 3, Succeeded: 3 - failed, Failed: failed, DeadlineExceeded: true,
			}}})
		}}
	}
	for failed, want := range map[int32]string{
		0: "ran out (--timeout): 5 of 9 objects are not shown\n",
		1: "ran out (--timeout): 1 of 3 clusters have no whole result\n",
	} {
		_, stderr, code := fleetctl(t.Context(), t, "diff", "nodes", "--server", clienttest.Serve(t, script(failed)))
		if code != exitDeadline || !strings.Contains(stderr, "2 equal, 7 differing, 0 missing somewhere, 5 not shown\n") || !strings.Contains(stderr, want) {
			t.Errorf("exit code %d\n%s", code, stderr)
		}
	}
}

func TestHostileTextReachesNoDiff(t *testing.T) {
	for _, text := range hostileTexts() {
		hostile := hostileFleet(text)
		other := newMember("other "+hostile.text, "good", hostile.members[1].cluster.GetObservation().GetVerdict(), codes.OK)
		hostile.members = append(hostile.members, other)
		address := clienttest.Serve(t, hostile.script())
		for _, line := range []string{"diff deploy -A", "diff deploy -A -o wide --include-equal"} {
			stdout, stderr, code := fleetctl(t.Context(), t, append(strings.Fields(line), "--server", address)...)
			if code != exitUnhealthy || !strings.Contains(stdout, "+++ ") {
				t.Fatalf("%q: exit code %d\n%s", text, code, stdout)
			}
			for _, r := range stdout + stderr {
				if r != '\n' && !unicode.IsPrint(r) {
					t.Errorf("%q: %s: %U is printed:\n%q\n%q", text, line, r, stdout, stderr)
					break
				}
			}
		}
	}
}

func TestTheLongListOfVariantsIsShortInATable(t *testing.T) {
	var variants []*variant
	var clusters []string
	for i := range 40 {
		name := "c" + strings.Repeat("0", i)
		clusters = append(clusters, name)
		v := &variant{Clusters: []string{name}, Baseline: i == 0}
		if i > 10 {
			v.DiffOmitted = "an object gets at most 10 diffs"
		}
		variants = append(variants, v)
	}
	address := clienttest.Serve(t, clienttest.Script{CompareManifests: func(_ *compareRequest, out compareServer) error {
		_ = out.Send(&compareResponse{Event: &fleetv1.CompareManifestsResponse_Started{Started: &fleetv1.Started{Expected: 40}}})
		for _, name := range clusters {
			_ = out.Send(&compareResponse{Event: &fleetv1.CompareManifestsResponse_Cluster{Cluster: &fleetv1.ComparedCluster{Cluster: name}}})
		}
		_ = out.Send(&compareResponse{Event: &fleetv1.CompareManifestsResponse_Object{Object: &fleetv1.ComparedObject{Name: "a", Variants: variants, Missing: clusters}}})
		return out.Send(&compareResponse{Event: &fleetv1.CompareManifestsResponse_Summary{Summary: &fleetv1.Summary{Expected: 40, Succeeded: 40}}})
	}})
	stdout, _, _ := fleetctl(t.Context(), t, "diff", "nodes", "--server", address)
	if !strings.Contains(stdout, "  differs   29 variants more\n") || !strings.Contains(stdout, "(no diff of 29 variants: an object gets at most 10 diffs)") || !strings.Contains(stdout, "0000 and 35 more\n") {
		t.Error(stdout)
	}
	stdout, _, _ = fleetctl(t.Context(), t, "diff", "nodes", "-o", "wide", "--server", address)
	if strings.Contains(stdout, "more") || strings.Count(stdout, "  differs  ") != 39 {
		t.Error(stdout)
	}
}
