package hibernation_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/internal/hibernation"
)

// entry is one workload of a cluster.
type entry struct {
	kind            int // index into hibernation.Types
	namespace, name string
	workload        hibernation.Workload
}

func entries() []entry {
	three := hibernation.Workload{Eligible: true, Replicas: 3}
	asleep := hibernation.Workload{Eligible: true, Asleep: true, Before: 2}
	controlled := hibernation.Workload{Eligible: true, Controlled: true, Replicas: 3}
	return []entry{
		{0, "shop", "web", three},
		{0, "shop", "api", asleep},
		{0, "blog", "operated", controlled}, // what an operator controls is a workload all the same
		{0, "none", "ineligible", hibernation.Workload{}},
		{1, "blog", "db", asleep},
		{2, "shop", "web-5d4f", controlled},
		{2, "shop", "root", three},
		{3, "shop", "canary", asleep},
	}
}

func tallied(t *testing.T, tally *hibernation.Tally) *hibernation.Tally {
	t.Helper()
	for _, e := range entries() {
		if err := tally.Add(hibernation.Types()[e.kind], e.namespace, e.name, e.workload); err != nil {
			t.Fatal(err)
		}
	}
	if n := tally.Workloads(); n != 6 {
		t.Errorf("%d workloads were counted", n)
	}
	return tally
}

func TestWorkloadsAreSummedUpByClusterNamespaceOrNotAtAll(t *testing.T) {
	type group = hibernation.Group
	type sum = hibernation.Sum
	one := func(namespace, kind, name string, w hibernation.Workload) group {
		s := sum{Eligible: 1, Replicas: w.Replicas, HibernatedReplicas: w.Before}
		if w.Asleep {
			s.Hibernated = 1
		}
		return group{Namespace: namespace, Kind: kind, Name: name, Sum: s}
	}
	e := entries()
	for _, c := range []struct {
		by      hibernation.Grouping
		unknown int
		want    []group
	}{
		{hibernation.ByCluster, 1, []group{
			{Sum: sum{Eligible: 6, Hibernated: 3, Unknown: 1, Replicas: 9, HibernatedReplicas: 6}},
		}},
		{hibernation.ByNamespace, 2, []group{
			{Namespace: "blog", Sum: sum{Eligible: 2, Hibernated: 1, Unknown: 2, Replicas: 3, HibernatedReplicas: 2}},
			{Namespace: "shop", Sum: sum{Eligible: 4, Hibernated: 2, Unknown: 2, Replicas: 6, HibernatedReplicas: 4}},
		}},
		{hibernation.ByWorkload, 3, []group{
			one("shop", "Deployment", "web", e[0].workload), one("shop", "Deployment", "api", e[1].workload),
			one("blog", "Deployment", "operated", e[2].workload), one("blog", "StatefulSet", "db", e[4].workload),
			one("shop", "ReplicaSet", "root", e[6].workload), one("shop", "Rollout", "canary", e[7].workload),
		}},
	} {
		got := tallied(t, hibernation.NewTally(c.by, "")).End(c.unknown)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("by %d (-want +got):\n%s", c.by, diff)
		}
	}
}

func TestSingleWorkloadsAreTakenOnce(t *testing.T) {
	tally := tallied(t, hibernation.NewTally(hibernation.ByWorkload, ""))
	if n := len(tally.Take()); n != 6 {
		t.Errorf("%d were taken", n)
	}
	if again, end := tally.Take(), tally.End(1); len(again) != 0 || len(end) != 0 {
		t.Errorf("some come twice: %v, %v", again, end)
	}
	if sums := tallied(t, hibernation.NewTally(hibernation.ByNamespace, "")).Take(); len(sums) != 0 {
		t.Errorf("sums that may grow were taken: %v", sums)
	}
}

func TestWhereNothingIsFoundTheGroupsAreThoseThatAreKnown(t *testing.T) {
	for about, c := range map[string]struct {
		by        hibernation.Grouping
		namespace string
		unknown   int
		want      []hibernation.Group
	}{
		"cluster":                        {hibernation.ByCluster, "", 0, []hibernation.Group{{}}},
		"cluster, unread":                {hibernation.ByCluster, "shop", 4, []hibernation.Group{{Sum: hibernation.Sum{Unknown: 4}}}},
		"namespaces":                     {hibernation.ByNamespace, "", 0, nil},
		"namespaces, unread":             {hibernation.ByNamespace, "", 4, nil},
		"namespace that is named":        {hibernation.ByNamespace, "shop", 0, nil},
		"namespace that is named,unread": {hibernation.ByNamespace, "shop", 4, []hibernation.Group{{Namespace: "shop", Sum: hibernation.Sum{Unknown: 4}}}},
		"workloads, unread":              {hibernation.ByWorkload, "shop", 4, nil},
	} {
		if diff := cmp.Diff(c.want, hibernation.NewTally(c.by, c.namespace).End(c.unknown)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", about, diff)
		}
	}
}

func TestATallyIsBounded(t *testing.T) {
	deployment, w := hibernation.Types()[0], hibernation.Workload{Eligible: true}
	tally := hibernation.NewTally(hibernation.ByNamespace, "")
	for i := range 1_000_000 {
		err := tally.Add(deployment, fmt.Sprintf("namespace-with-a-long-name-%036d", i), "a", w)
		if err == nil {
			continue
		}
		if !errors.Is(err, hibernation.ErrTooMany) || i < 20_000 || tally.Workloads() != int64(i) || len(tally.End(1)) != i {
			t.Errorf("%v after %d namespaces, %d workloads", err, i, tally.Workloads())
		}
		return
	}
	t.Error("a million namespaces were taken")
}
