package health_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// views returns the views of clusters of which some have been failing for a time and the others succeeded just now.
func views(n, failing int, since time.Duration) []health.View {
	base := make([]health.View, n)
	for i := range base {
		base[i].LastSuccess = at(0)
		if i < failing {
			base[i] = health.View{FailingSince: at(-since), LastSuccess: at(-since - second)}
		}
	}
	return base
}

func TestObserverIsSuspectWhenEnoughFailTogether(t *testing.T) {
	var sound, suspect health.Judgement
	suspect.Suspect = true
	cases := map[string]struct {
		before health.Judgement
		base   []health.View
		want   bool
	}{
		"nobody":                          {sound, nil, false},
		"all of two":                      {sound, views(2, 2, second), false},
		"all of two, suspect before":      {suspect, views(2, 2, second), false},
		"all of three":                    {sound, views(3, 3, second), true},
		"two of three":                    {sound, views(3, 2, second), false},
		"two of three, suspect before":    {suspect, views(3, 2, second), false},
		"three of five":                   {sound, views(5, 3, second), true},
		"three of six":                    {sound, views(6, 3, second), false},
		"54 of 100":                       {sound, views(100, 54, second), false},
		"55 of 100":                       {sound, views(100, 55, second), true},
		"11 of 20":                        {sound, views(20, 11, second), true},
		"a minute ago":                    {sound, views(100, 100, time.Minute), true},
		"longer ago":                      {sound, views(100, 100, time.Minute+1), false},
		"longer ago, suspect before":      {suspect, views(100, 55, time.Hour), true},
		"fewer, suspect before":           {suspect, views(100, 54, time.Hour), false},
		"recovered after they had failed": {sound, []health.View{{at(-2), at(-1)}, {at(-2), at(-1)}, {at(-2), at(-1)}}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := health.DefaultGuard().Judge(c.before, at(0), c.base); got.Suspect != c.want {
				t.Errorf("suspect %v, want %v", got.Suspect, c.want)
			}
		})
	}
}

func TestNoClusterProvesNothingWhateverTheThreshold(t *testing.T) {
	want := health.Judgement{Clear: at(0)}
	if diff := cmp.Diff(want, health.Guard{Percent: 55}.Judge(health.Judgement{}, at(0), nil)); diff != "" {
		t.Error(diff)
	}
}

func TestClearIsWhenEnoughOthersWereReached(t *testing.T) {
	// reached makes a base that was last reached so many seconds ago.
	reached := func(ago ...int) (base []health.View) {
		for _, s := range ago {
			base = append(base, health.View{LastSuccess: at(-time.Duration(s) * second)})
		}
		return base
	}
	hundred := make([]int, 100)
	for i := range hundred {
		hundred[i] = i
	}
	cases := map[string]struct {
		base []health.View
		want int // seconds ago
	}{
		"nobody":                             {nil, 0},
		"two prove nothing":                  {reached(50, 60), 0},
		"of three the latest":                {reached(7, 5, 6), 5},
		"of four the second: 50 %":           {reached(4, 3, 2, 1), 2},
		"of five the third: 60 %":            {reached(5, 4, 3, 2, 1), 3},
		"of twenty the tenth: 50 %, not 45":  {reached(20, 1, 19, 2, 18, 3, 17, 4, 16, 5, 15, 6, 14, 7, 13, 8, 12, 9, 11, 10), 10},
		"of a hundred the 46th":              {reached(hundred...), 45},
		"all at once":                        {reached(9, 9, 9, 9, 9, 9), 9},
		"the latest success, however it was": {reached(9, 9, 1, 9, 1, 9, 1), 9},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			want := at(-time.Duration(c.want) * second)
			if got := health.DefaultGuard().Judge(health.Judgement{}, at(0), c.base); !got.Clear.Equal(want) {
				t.Errorf("clear at %v, want %v", got.Clear.Sub(at(0)), want.Sub(at(0)))
			}
		})
	}
}

func TestClearIsTheSameAsOfSortedSuccesses(t *testing.T) {
	for seed := range uint64(2000) {
		random := rand.New(rand.NewPCG(seed, 2))
		base := make([]health.View, 3+random.IntN(300))
		var times []time.Time
		for i := range base {
			base[i].LastSuccess = at(-time.Duration(random.IntN(1 + random.IntN(1000))))
			times = append(times, base[i].LastSuccess)
		}
		slices.SortFunc(times, func(a, b time.Time) int { return b.Compare(a) })
		n := 1
		for n*100 <= 45*len(times) {
			n++
		}
		if len(times) == 3 {
			n = 1 // two may fail
		}
		if got := health.DefaultGuard().Judge(health.Judgement{}, at(0), base); !got.Clear.Equal(times[n-1]) {
			t.Fatalf("seed %d: clear at %v, want %v", seed, got.Clear, times[n-1])
		}
	}
}

func TestClusterCountsIfItWasHealthyWhenLastKnown(t *testing.T) {
	for _, s := range []cluster.State{cluster.Unknown, cluster.Degraded, cluster.Unreachable, cluster.Unauthorized} {
		if _, counts := in(s).status.View(); counts {
			t.Errorf("one in state %v counts", s)
		}
	}
	m := in(cluster.Healthy)
	expect := func(when string, want health.View) {
		got, counts := m.status.View()
		if !counts {
			t.Errorf("%s: it does not count", when)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", when, diff)
		}
	}
	expect("healthy", health.View{LastSuccess: at(0)})
	m.do(unreachable, at(second), health.Judgement{Suspect: true})
	expect("suspect", health.View{LastSuccess: at(0), FailingSince: at(second)})
	m.do(pass, at(40*second), clearAlways())
	expect("stale", health.View{LastSuccess: at(0)})
	m.do(unreachable, at(50*second), clearAlways())
	expect("heard of again", health.View{LastSuccess: at(0), FailingSince: at(50 * second)})
}

func BenchmarkJudge10000(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 3))
	now := time.Now() // with a monotonic reading, as in life
	fleet := make([]health.View, 10_000)
	for i := range fleet {
		fleet[i].LastSuccess = now.Add(-time.Duration(random.Int64N(int64(10 * second))))
		if i%2 == 0 {
			fleet[i].FailingSince = now.Add(-second)
		}
	}
	base := make([]health.View, len(fleet))
	b.ReportAllocs()
	for b.Loop() {
		copy(base, fleet)
		health.DefaultGuard().Judge(health.Judgement{}, now, base)
	}
}
