package main

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client/clienttest"
)

func healthyMember(name string) member {
	return newMember(name, "test", &fleetv1.Verdict{State: fleetv1.Verdict_STATE_HEALTHY}, codes.OK)
}

func TestClustersWithOtherColumnsHaveABlockOfTheirOwn(t *testing.T) {
	f := fleet{members: []member{healthyMember("d"), healthyMember("c"), healthyMember("b"), healthyMember("a")}}
	for _, m := range f.members[1:3] { // b and c are of another version.
		m.cluster.Labels["columns"] = "old"
	}
	address := clienttest.Serve(t, f.script())
	for line, want := range map[string]string{
		"get pods --server": "CLUSTER   NAME   READY   STATUS\n" +
			"a         job    1/1     Running\n" +
			"d         job    1/1     Running\n" +
			"\n" +
			"CLUSTER   NAME   READY   PHASE\n" +
			"b         job    1/1     Running\n" +
			"c         job    1/1     Running\n",
		"get pods --no-headers --server": "a     job   1/1   Running\nd     job   1/1   Running\nb     job   1/1   Running\nc     job   1/1   Running\n",
	} {
		stdout, stderr, code := fleetctl(t.Context(), t, append(strings.Fields(line), address)...)
		if diff := cmp.Diff(want, stdout); diff != "" || code != exitDone {
			t.Errorf("%s: exit code %d: %s\nstdout (-want +got):\n%s", line, code, stderr, diff)
		}
	}
}

func TestWarningsAreBoundedUnlessAllAreWanted(t *testing.T) {
	f := fleet{members: []member{healthyMember("good")}}
	for i := range 33 {
		m := healthyMember(fmt.Sprintf("c%02d", i))
		code := codes.Unavailable
		if i >= 25 {
			code = codes.NotFound
		}
		m.failure = failed(code, "no", "X")
		f.members = append(f.members, m)
	}
	address := clienttest.Serve(t, f.script())
	for line, want := range map[string]struct {
		lines int
		last  []string
	}{
		"get pods": {maxWarnings + 3, []string{
			"warning: c19: no (X)", "warning: and 5 more", "warning: not found in c25, c26, c27, c28, c29 and 3 more", "1 of 34 clusters read",
		}},
		"get pods --all-warnings": {25 + 2, []string{
			"warning: c24: no (X)", "warning: not found in c25, c26, c27, c28, c29, c30, c31, c32", "1 of 34 clusters read",
		}},
	} {
		_, stderr, code := fleetctl(t.Context(), t, append(strings.Fields(line), "--server", address)...)
		lines := strings.Split(strings.TrimSpace(stderr), "\n")
		if code != exitDone || len(lines) != want.lines {
			t.Fatalf("%s: exit code %d, %d lines:\n%s", line, code, len(lines), stderr)
		}
		if diff := cmp.Diff(want.last, lines[len(lines)-len(want.last):]); diff != "" {
			t.Errorf("%s: the last warnings (-want +got):\n%s", line, diff)
		}
	}
}

func TestAnObjectThatIsNotJSONIsLeftOutAndCounts(t *testing.T) {
	f := fleet{members: []member{healthyMember("a")}, fetch: func(member, *fleetv1.FetchManifestsRequest) []*fleetv1.ManifestBatch {
		return []*fleetv1.ManifestBatch{{Manifests: []*fleetv1.Manifest{{Namespace: "n", Name: "bad", Json: `{"a":`}, {Name: "good", Json: `{}`}}}}
	}}
	address := clienttest.Serve(t, f.script())
	for flag, want := range map[string]int{"--require-complete": exitUnhealthy, "--require-complete=false": exitDone} {
		stdout, stderr, code := fleetctl(t.Context(), t, "get", "pods", "-o", "jsonl", flag, "--server", address)
		if code != want || strings.Count(stdout, "\n") != 1 || !strings.HasPrefix(stderr, "warning: a: n/bad is left out: ") {
			t.Errorf("%s: exit code %d\n%s%s", flag, code, stdout, stderr)
		}
	}
}

func TestAnObjectThatAFormCannotShowIsLeftOutAlone(t *testing.T) {
	f := fleet{members: []member{healthyMember("a")}, fetch: func(member, *fleetv1.FetchManifestsRequest) []*fleetv1.ManifestBatch {
		return []*fleetv1.ManifestBatch{{Manifests: []*fleetv1.Manifest{
			{Namespace: "n", Name: "huge", Json: `{"metadata":{"name":"huge"},"number":1e400}`}, {Name: "good", Json: `{"metadata":{"name":"good"}}`},
		}}}
	}}
	address := clienttest.Serve(t, f.script())
	for _, form := range []string{"yaml", "custom-columns=NAME:.metadata.name", "jsonpath={.items[*].metadata.name}"} {
		stdout, stderr, code := fleetctl(t.Context(), t, "get", "pods", "-o", form, "--server", address)
		if code != exitDone || !strings.Contains(stdout, "good") || strings.Contains(stdout, "huge") ||
			!strings.HasPrefix(stderr, "warning: a: n/huge is left out: ") {
			t.Errorf("%s: exit code %d\n%s%s", form, code, stdout, stderr)
		}
	}
}

// TestMemoryDoesNotGrowWithTheFleet prints more objects than it may hold.
func TestMemoryDoesNotGrowWithTheFleet(t *testing.T) {
	const size, clusters, objects = 256 << 10, 8, 16
	f := fleet{fetch: func(member, *fleetv1.FetchManifestsRequest) []*fleetv1.ManifestBatch {
		object := `{"data":"` + strings.Repeat("x", size) + `"}`
		batches := make([]*fleetv1.ManifestBatch, 0, objects)
		for range objects {
			batches = append(batches, &fleetv1.ManifestBatch{Manifests: []*fleetv1.Manifest{{Name: "a", Json: object}}})
		}
		return batches
	}}
	for i := range clusters {
		f.members = append(f.members, healthyMember(fmt.Sprint("c", i)))
	}
	address := clienttest.Serve(t, f.script())
	for _, format := range []string{"jsonl", "json"} {
		sampled := &heapSampler{base: liveHeap()}
		if code := run(t.Context(), []string{"get", "pods", "-o", format, "--server", address}, sampled, io.Discard); code != exitDone {
			t.Fatalf("%s: exit code %d", format, code)
		}
		if sampled.written < clusters*objects*size {
			t.Errorf("%s: %d bytes are written", format, sampled.written)
		}
		if sampled.grown > clusters*objects*size/3 {
			t.Errorf("%s: the heap grew by %d MiB", format, sampled.grown>>20)
		}
	}
}

// heapSampler measures how much the live heap grows, at every 4 MiB written.
type heapSampler struct {
	base, grown      int64
	written, sampled int
}

func (s *heapSampler) Write(p []byte) (int, error) {
	s.written += len(p)
	if s.written-s.sampled > 4<<20 {
		s.sampled = s.written
		s.grown = max(s.grown, liveHeap()-s.base)
	}
	return len(p), nil
}

func liveHeap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

func TestNamesCarryTheTypeAsKubectlWritesIt(t *testing.T) {
	for want, test := range map[string]struct{ typed, apiVersion, kind string }{
		"node/a":                {"no", "v1", "Node"},
		"deployment.apps/a":     {"deploy", "apps/v1", "Deployment"},
		"widget.example.com/a":  {"wd", "example.com/v1", "Widget"},
		"wd/a":                  {"wd", "", ""},
		"wd.example.com/a":      {"wd.v1.example.com", "meta.k8s.io/v1", "PartialObjectMetadata"},
		"widgets.example.com/a": {"Widgets.example.com", "example.com/v1", ""},
	} {
		f := fleet{members: []member{healthyMember("c")}, fetch: func(member, *fleetv1.FetchManifestsRequest) []*fleetv1.ManifestBatch {
			return []*fleetv1.ManifestBatch{{ApiVersion: test.apiVersion, Kind: test.kind, Manifests: []*fleetv1.Manifest{{Name: "a", Json: "{}"}}}}
		}}
		stdout, stderr, code := fleetctl(t.Context(), t, "get", test.typed, "-o", "name", "--server", clienttest.Serve(t, f.script()))
		if stdout != "c\t"+want+"\n" || code != exitDone {
			t.Errorf("%v is named %q, want %s; exit code %d: %s", test, stdout, want, code, stderr)
		}
	}
}

func TestAClusterThatIsReadInPartIsNotRead(t *testing.T) {
	half := func(_ member, _ *fleetv1.FetchManifestsRequest) []*fleetv1.ManifestBatch {
		return []*fleetv1.ManifestBatch{
			{ApiVersion: "v1", Kind: "Pod", Manifests: []*fleetv1.Manifest{{Name: "a", Json: "{}"}}},
			{Completion: &fleetv1.Completion{Error: failed(codes.DeadlineExceeded, "no end", "RESPONSE_TIMEOUT")}},
		}
	}
	for says, members := range map[string][]member{
		"error: c: no end (RESPONSE_TIMEOUT)\n": {healthyMember("c")},
		"warning: c: no end (RESPONSE_TIMEOUT)\nwarning: d: no end (RESPONSE_TIMEOUT)\nerror: none of 2 clusters could be read whole\n": {healthyMember("c"), healthyMember("d")},
	} {
		address := clienttest.Serve(t, fleet{members: members, fetch: half}.script())
		for _, format := range []string{"json", "name", "jsonl", "custom-columns=A:.x"} {
			for flag, want := range map[string]int{"--require-complete": exitUnhealthy, "--require-complete=false": exitFailed} {
				stdout, stderr, code := fleetctl(t.Context(), t, "get", "pods", "-A", "-o", format, flag, "--server", address)
				if code != want || stdout == "" || stderr != says {
					t.Errorf("%s %s: exit code %d\n%s%s", format, flag, code, stdout, stderr)
				}
			}
		}
	}
}

func TestTheLastLineSaysWhatIsNotWholeOrOfOneTime(t *testing.T) {
	ends := map[string]*fleetv1.Completion{
		"whole":     {},
		"changed":   {Inconsistent: true},
		"truncated": {Truncated: true},
		"both":      {Truncated: true, Inconsistent: true},
		"failed":    {Error: failed(codes.Unavailable, "no", "X")},
	}
	for members, want := range map[string]struct {
		says  string
		codes [2]int // without and with --require-complete
	}{
		"whole":                 {"", [2]int{exitDone, exitDone}},
		"changed":               {"1 of 1 clusters read; inconsistent: 1, whose list changed while it was read\n", [2]int{exitDone, exitDone}},
		"truncated":             {"1 of 1 clusters read; truncated: 1, which have more than 10 objects (--limit-per-cluster)\n", [2]int{exitDone, exitUnhealthy}},
		"both failed truncated": {"warning: failed: no (X)\n2 of 3 clusters read; truncated: 2, which have more than 10 objects (--limit-per-cluster); inconsistent: 1, whose list changed while it was read\n", [2]int{exitDone, exitUnhealthy}},
		"whole failed":          {"warning: failed: no (X)\n1 of 2 clusters read\n", [2]int{exitDone, exitUnhealthy}},
	} {
		f := fleet{fetch: func(m member, _ *fleetv1.FetchManifestsRequest) []*fleetv1.ManifestBatch {
			return []*fleetv1.ManifestBatch{
				{ApiVersion: "v1", Kind: "Pod", Manifests: []*fleetv1.Manifest{{Name: "a", Json: "{}"}}},
				{Completion: ends[m.cluster.GetName()]},
			}
		}}
		for name := range strings.FieldsSeq(members) {
			f.members = append(f.members, healthyMember(name))
		}
		address := clienttest.Serve(t, f.script())
		for i, flag := range []string{"--require-complete=false", "--require-complete"} {
			_, stderr, code := fleetctl(t.Context(), t, "get", "pods", "-o", "name", "--limit-per-cluster", "10", flag, "--server", address)
			if stderr != want.says || code != want.codes[i] {
				t.Errorf("%s %s: exit code %d\n%s", members, flag, code, stderr)
			}
		}
	}
}
