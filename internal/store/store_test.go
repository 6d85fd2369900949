package store_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/internal/store"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

func TestWhatIsSavedAndAppendedIsThereAfterARestart(t *testing.T) {
	dir := t.TempDir()
	s := open(t, store.Options{Dir: dir})
	want := []health.Snapshot{snapshot("a"), {Cluster: "b"}}
	s.Save(want...)
	first, second := transition("a", 1), transition("b", 2)
	s.Append(first)
	s.Append(second)
	shut(t, s)

	s = open(t, store.Options{Dir: dir})
	if diff := cmp.Diff(want, load(t, s)); diff != "" {
		t.Error(diff)
	}
	first.Sequence, second.Sequence = 1, 2
	if diff := cmp.Diff([]health.Transition{second, first}, history(t, s, health.HistoryQuery{})); diff != "" {
		t.Error(diff)
	}
}

func TestTheLatestSnapshotOfAClusterIsKept(t *testing.T) {
	s := open(t, store.Options{Dir: t.TempDir()})
	s.Save(health.Snapshot{Cluster: "a", State: cluster.Healthy})
	settle(t, s)
	s.Save(health.Snapshot{Cluster: "a", State: cluster.Degraded})
	s.Save(health.Snapshot{Cluster: "a", State: cluster.Unreachable})
	settle(t, s)
	eventually(t, "the last one is stored", func() bool {
		return cmp.Equal([]health.Snapshot{{Cluster: "a", State: cluster.Unreachable}}, load(t, s))
	})
}

func TestAForgottenClusterHasAHistoryOnly(t *testing.T) {
	dir := t.TempDir()
	s := open(t, store.Options{Dir: dir})
	s.Save(snapshot("a"), snapshot("b"))
	s.Append(transition("a", 1))
	eventually(t, "both are stored", func() bool { return len(load(t, s)) == 2 })
	s.Forget("a")
	s.Save(snapshot("b"))
	shut(t, s)

	s = open(t, store.Options{Dir: dir})
	if diff := cmp.Diff([]health.Snapshot{snapshot("b")}, load(t, s)); diff != "" {
		t.Error(diff)
	}
	if got := history(t, s, health.HistoryQuery{Clusters: only("a")}); len(got) != 1 {
		t.Errorf("the history of the forgotten cluster is %v", got)
	}
}

func TestNamesMayHoldWhatSubjectsMustNot(t *testing.T) {
	names := []string{
		"arn:aws:eks:eu-west-1:123456789012:cluster/prod", "admin@kind", "a.b.*.>", "with space", "ünï-çødé-集群", ">", "*", "$JS.API",
		"A", "a", strings.Repeat("x", 253),
	}
	s := open(t, store.Options{Dir: t.TempDir()})
	for i, name := range names {
		s.Save(health.Snapshot{Cluster: name})
		s.Append(transition(name, i))
	}
	settle(t, s)
	eventually(t, "all are stored", func() bool { return len(load(t, s)) == len(names) })
	for i, name := range names {
		want := transition(name, i)
		want.Sequence = uint64(i + 1)
		if diff := cmp.Diff([]health.Transition{want}, history(t, s, health.HistoryQuery{Clusters: only(name)})); diff != "" {
			t.Error(diff)
		}
	}
}

func TestWhatCannotBeStoredIsCountedAndTheRestIsStored(t *testing.T) {
	s := open(t, store.Options{Dir: t.TempDir()})
	huge := transition("huge", 1)
	huge.Message = strings.Repeat("x", 1<<20)
	nameless := transition("", 2)
	stateless := transition("stateless", 3)
	stateless.To = 77
	for _, x := range []health.Transition{huge, transition("a", 1), nameless, stateless, transition("b", 2)} {
		s.Append(x)
	}
	s.Save(health.Snapshot{Cluster: strings.Repeat("x", 254)}, health.Snapshot{Cluster: "a"})
	s.Forget("")
	settle(t, s)
	eventually(t, "the good snapshot is stored", func() bool { return len(load(t, s)) == 1 })
	if got := history(t, s, health.HistoryQuery{}); len(got) != 2 || got[0].Cluster != "b" || got[1].Cluster != "a" {
		t.Errorf("stored is %v", got)
	}
	if got := s.Stats().Dropped; got != 5 {
		t.Errorf("%d are counted as dropped, not 5", got)
	}
	if err := s.Status(); err != nil {
		t.Errorf("one that cannot be stored is not a store that cannot be written: %v", err)
	}
}

func TestAQueryIsByClusterStateTimeSequenceAndLimit(t *testing.T) {
	s := open(t, store.Options{Dir: t.TempDir()})
	began := time.Now()
	const n = 3000
	var all []health.Transition
	for i := range n {
		x := transition(fmt.Sprintf("c%d", i%40), i)
		x.At = began.Add(-time.Hour + time.Duration(i)*time.Second).UTC().Round(0)
		if i%7 == 0 {
			x.To = cluster.Degraded
		}
		s.Append(x)
		x.Sequence = uint64(i + 1)
		all = append(all, x)
	}
	settle(t, s)
	rare := transition("rare", 1)
	rare.At = began.UTC().Round(0)
	s.Append(rare)
	for i := range n {
		s.Append(transition("noise", i))
	}
	settle(t, s)

	many := map[string]struct{}{}
	for i := range 20 {
		many[fmt.Sprintf("c%d", i)] = struct{}{}
	}
	for name, q := range map[string]health.HistoryQuery{
		"all but the noise":        {Before: n + 1, Limit: 2 * n},
		"the latest":               {Before: n + 1, Limit: 10},
		"one cluster":              {Clusters: only("c7"), Before: n + 1, Limit: 2 * n},
		"one cluster's latest":     {Clusters: only("c7"), Limit: 3},
		"before a sequence":        {Clusters: only("c7", "c8"), Before: 1700, Limit: 13},
		"two clusters":             {Clusters: only("c1", "c39", "there is none"), Limit: 2 * n},
		"many clusters":            {Clusters: many, Limit: 700},
		"no cluster":               {Clusters: only(), Limit: 10},
		"a state":                  {To: []cluster.State{cluster.Degraded}, Before: n + 1, Limit: 100},
		"a state of a cluster":     {Clusters: only("c3"), To: []cluster.State{cluster.Degraded, cluster.Healthy}, Limit: n},
		"a time":                   {Since: began.Add(-30 * time.Minute), Before: n + 1, Limit: n},
		"a time of one":            {Since: began.Add(-30 * time.Minute), Clusters: only("c3"), Limit: n},
		"before the first":         {Before: 1, Limit: n},
		"a cluster that is not":    {Clusters: only("nobody"), Limit: n},
		"a name that cannot be":    {Clusters: only(""), Limit: n},
		"a time that is not yet":   {Since: time.Now().Add(time.Hour), Limit: n},
		"nothing changed to it":    {To: []cluster.State{cluster.Unauthorized}, Limit: n},
		"more than a window of it": {Clusters: only("c0"), Before: n + 1, Limit: n},
	} {
		t.Run(name, func(t *testing.T) {
			var want []health.Transition
			for _, x := range slices.Backward(all) {
				_, of := q.Clusters[x.Cluster]
				if (q.Clusters == nil || of) && (len(q.To) == 0 || slices.Contains(q.To, x.To)) && !x.At.Before(q.Since) &&
					(q.Before == 0 || x.Sequence < q.Before) && len(want) < q.Limit {
					want = append(want, x)
				}
			}
			got, err := s.Transitions(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(sequences(want), sequences(got)); diff != "" {
				t.Error(diff)
			}
			if len(want) > 0 && !cmp.Equal(want[0], got[0]) {
				t.Error(cmp.Diff(want[0], got[0]))
			}
		})
	}
	if got := history(t, s, health.HistoryQuery{Clusters: only("rare")}); len(got) != 1 || got[0].Sequence != n+1 {
		t.Errorf("the rare one is %v", got)
	}
	if _, err := s.Transitions(t.Context(), health.HistoryQuery{}); err == nil {
		t.Error("a query without limit is answered")
	}
}

func TestTheOldestTransitionsGoByAgeAndBySize(t *testing.T) {
	t.Run("age", func(t *testing.T) {
		s := open(t, store.Options{Dir: t.TempDir(), MaxAge: time.Second})
		s.Append(transition("a", 1))
		settle(t, s)
		eventually(t, "it is too old", func() bool { return len(history(t, s, health.HistoryQuery{})) == 0 })
		s.Append(transition("a", 2))
		settle(t, s)
		if got := history(t, s, health.HistoryQuery{}); len(got) != 1 || got[0].Sequence != 2 {
			t.Errorf("after that there is %v", got)
		}
	})
	t.Run("size", func(t *testing.T) {
		s := open(t, store.Options{Dir: t.TempDir(), MaxBytes: 100_000})
		for i := range 2000 {
			s.Append(transition("a", i))
		}
		settle(t, s)
		got := history(t, s, health.HistoryQuery{Limit: 10_000})
		if len(got) == 0 || len(got) > 1000 || got[0].Sequence != 2000 {
			t.Errorf("%d are left", len(got))
		}
		if got := history(t, s, health.HistoryQuery{Clusters: only("a"), Limit: 10_000}); len(got) == 0 || got[0].Sequence != 2000 {
			t.Errorf("%d of the cluster are left", len(got))
		}
	})
	t.Run("options of an existing store", func(t *testing.T) {
		dir := t.TempDir()
		s := open(t, store.Options{Dir: dir})
		s.Append(transition("a", 1))
		shut(t, s)
		s = open(t, store.Options{Dir: dir, MaxAge: time.Second})
		eventually(t, "it is too old", func() bool { return len(history(t, s, health.HistoryQuery{})) == 0 })
	})
}

func TestManyCallersAtOnceLoseNothing(t *testing.T) {
	s := open(t, store.Options{Dir: t.TempDir()})
	var wg sync.WaitGroup
	for c := range 8 {
		wg.Go(func() {
			for i := range 500 {
				s.Append(transition(fmt.Sprintf("c%d", c), i))
				s.Save(health.Snapshot{Cluster: fmt.Sprintf("c%d-%d", c, i)})
			}
		})
	}
	for range 4 {
		wg.Go(func() {
			for range 20 {
				history(t, s, health.HistoryQuery{Limit: 10})
				_ = s.Status()
			}
		})
	}
	wg.Wait()
	settle(t, s)
	for c := range 8 {
		got := history(t, s, health.HistoryQuery{Clusters: only(fmt.Sprintf("c%d", c))})
		if len(got) != 500 || !slices.IsSortedFunc(got, func(a, b health.Transition) int { return b.At.Compare(a.At) }) {
			t.Errorf("%d of cluster %d are stored, or in another order", len(got), c)
		}
	}
	eventually(t, "all snapshots are stored", func() bool { return len(load(t, s)) == 4000 })
	if got := s.Stats(); got.WrittenTransitions != 4000 || got.Dropped != 0 || got.Failures != 0 {
		t.Errorf("%+v", got)
	}
}

func TestAQueueThatIsFullDropsAndSaysSo(t *testing.T) {
	s := open(t, store.Options{Dir: t.TempDir()})
	for i := range 400_000 {
		s.Append(transition("a", i))
		if i%1000 == 0 && s.Stats().Dropped > 0 {
			break
		}
	}
	dropped := s.Stats().Dropped
	if dropped == 0 {
		t.Fatal("all were taken: the disk is faster than this test")
	}
	if err := s.Status(); err == nil || !strings.Contains(err.Error(), "were dropped") {
		t.Errorf("the status is %v", err)
	}
	settle(t, s)
	eventually(t, "the store is well again", func() bool { return s.Status() == nil })
	if got := s.Stats(); got.Dropped != dropped {
		t.Errorf("%d are counted as dropped, then %d", dropped, got.Dropped)
	}
}

func TestAfterItIsClosedNothingIsTakenAndNothingHangs(t *testing.T) {
	s := open(t, store.Options{Dir: t.TempDir()})
	shut(t, s)
	s.Append(transition("a", 1))
	s.Save(snapshot("a"))
	s.Forget("a")
	if got := s.Stats().Dropped; got != 3 {
		t.Errorf("%d are counted as dropped, not 3", got)
	}
	if s.Status() == nil {
		t.Error("a closed store says it is well")
	}
	if _, err := s.Transitions(t.Context(), health.HistoryQuery{Limit: 1}); err == nil {
		t.Error("a closed store has a history")
	}
	if _, err := s.Load(t.Context()); err == nil {
		t.Error("a closed store has snapshots")
	}
}

func TestADirectoryHasOneProcess(t *testing.T) {
	dir := t.TempDir()
	s := open(t, store.Options{Dir: dir})
	_, err := store.Open(t.Context(), store.Options{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), dir+" is in use by another process") {
		t.Fatalf("the second one gets %v", err)
	}
	shut(t, s)
	open(t, store.Options{Dir: dir})
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]store.Options{
		"neither":           {},
		"both":              {Dir: t.TempDir(), URL: "nats://127.0.0.1:1"},
		"negative age":      {Dir: t.TempDir(), MaxAge: -1},
		"a file":            {Dir: file},
		"nobody listens":    {URL: "nats://me:secret@127.0.0.1:1"},
		"not a NATS server": {URL: "http://["},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := store.Open(t.Context(), o)
			if err == nil {
				shut(t, s)
				t.Fatal("it opens")
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
}

func TestTheServerIsSilentAndHasNoPort(t *testing.T) {
	var log syncBuffer
	s := open(t, store.Options{Dir: t.TempDir(), Log: slog.New(slog.NewTextHandler(&log, nil))})
	s.Append(transition("a", 1))
	shut(t, s)
	if log.String() != "" {
		t.Errorf("the log of a quiet life is %s", log.String())
	}
}
