package schedule_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/clusterfleet/clusterfleet/internal/simulator"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/schedule"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func names(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("c%d", i))
	}
	return names
}

func TestAScheduleFollowsFromItsSeed(t *testing.T) {
	one, same, other := generate(7), generate(7), generate(8)
	if diff := cmp.Diff(one.String(), same.String()); diff != "" {
		t.Errorf("the same seed: %s", diff)
	}
	if one.String() == other.String() {
		t.Error("another seed makes the same schedule")
	}
}

func generate(seed uint64) *schedule.Schedule {
	return schedule.Generate(seed, names(60), 5*time.Minute, schedule.Acts())
}

func TestASchedulesEpisodesLeaveRoomToBeTold(t *testing.T) {
	for seed := range uint64(50) {
		s := generate(seed)
		kinds, last := map[string]int{}, map[string]time.Duration{}
		for _, e := range s.Episodes {
			kinds[e.Name]++
			if e.From < 0 || e.To > s.Length || e.To <= e.From {
				t.Fatalf("seed %d: %+v", seed, e)
			}
			if before, met := last[e.Cluster]; met && e.From < before+e.Want.Recovered {
				t.Fatalf("seed %d: %s begins %s after the one before", seed, e.Name, e.From-before)
			}
			if e.Want.Within > 0 && e.To-e.From < e.Want.Within+10*time.Second {
				t.Fatalf("seed %d: %s lasts %s", seed, e.Name, e.To-e.From)
			}
			last[e.Cluster] = e.To
		}
		if len(kinds) != len(schedule.Acts()) {
			t.Fatalf("seed %d: %d kinds of %d", seed, len(kinds), len(schedule.Acts()))
		}
		if n := len(s.Faultless()); n != 20 {
			t.Fatalf("seed %d: %d clusters have no fault", seed, n)
		}
	}
}

// stage notes what is shown when.
type stage struct {
	start time.Time
	shown []string
	fails bool
}

func (s *stage) SetFault(cluster string, fault simulator.Fault) error {
	s.note(cluster, string(fault.Kind))
	<-time.After(10 * time.Millisecond) // a fault takes a while to come
	if s.fails {
		return errors.New("it does not come")
	}
	return nil
}

func (s *stage) ClearFault(cluster string) error {
	s.note(cluster, "ends")
	return nil
}

func (s *stage) note(cluster, what string) {
	s.shown = append(s.shown, fmt.Sprint(time.Since(s.start), " ", cluster, " ", what))
}

func two() *schedule.Schedule {
	span := func(from, to time.Duration) schedule.Window { return schedule.Window{From: from, To: to} }
	return &schedule.Schedule{Clusters: names(2), Length: 10 * time.Second, Episodes: []schedule.Episode{
		{Cluster: "c0", Name: "flap", Fault: simulator.Fault{Kind: simulator.Error503}, Period: 2 * time.Second, Window: span(1*time.Second, 4*time.Second)},
		{Cluster: "c1", Name: "refuse", Fault: simulator.Fault{Kind: simulator.Refuse}, Window: span(2500*time.Millisecond, 5*time.Second)},
		{Cluster: "c1", Name: "of somebody else", Window: span(6*time.Second, 7*time.Second)},
	}}
}

func TestAPlayedScheduleSaysWhenFaultsReallyCameAndWent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, shown := two(), &stage{start: time.Now()}
		if err := s.Play(t.Context(), shown.start, shown); err != nil {
			t.Fatal(err)
		}
		want := []string{"1s c0 error-503", "2s c0 ends", "2.5s c1 refuse", "3s c0 error-503", "4s c0 ends", "5s c1 ends"}
		if diff := cmp.Diff(want, shown.shown); diff != "" {
			t.Error(diff)
		}
		if took := time.Since(shown.start); took != s.Length {
			t.Errorf("it took %s", took)
		}
		if e := s.Episodes[1]; e.From != 2500*time.Millisecond || e.To != 5*time.Second || e.Edge != 10*time.Millisecond {
			t.Errorf("got %+v", e)
		}
	})
}

func TestAScheduleEndsWithItsContextOrWithItsStage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if err := two().Play(ctx, time.Now(), &stage{start: time.Now()}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if err := two().Play(t.Context(), time.Now(), &stage{start: time.Now(), fails: true}); err == nil {
			t.Error("a fault that does not come is no error")
		}
	})
}

func TestASpanIsFreeCoveredOrOnAnEdge(t *testing.T) {
	s := two()
	s.Episodes[1].Edge = 100 * time.Millisecond
	for _, c := range []struct {
		cluster  string
		from, to time.Duration
		want     schedule.Place
	}{
		{"c1", 0, 2 * time.Second, schedule.Free},
		{"c1", 2 * time.Second, 3 * time.Second, schedule.OnEdge},
		{"c1", 2550 * time.Millisecond, 3 * time.Second, schedule.OnEdge},
		{"c1", 2600 * time.Millisecond, 5 * time.Second, schedule.Covered},
		{"c1", 3 * time.Second, 5050 * time.Millisecond, schedule.OnEdge},
		{"c1", 5200 * time.Millisecond, 5900 * time.Millisecond, schedule.Free},
		{"c0", 2 * time.Second, 3 * time.Second, schedule.OnEdge}, // it comes and goes
		{"c0", 5 * time.Second, 6 * time.Second, schedule.Free},
	} {
		if got, _ := s.Place(c.cluster, schedule.Window{From: c.from, To: c.to}); got != c.want {
			t.Errorf("%s from %s to %s: got %d, want %d", c.cluster, c.from, c.to, got, c.want)
		}
	}
}
