package health_test

import (
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

func TestNextPacesProbesByWhatIsToBeConfirmed(t *testing.T) {
	suspect := health.Judgement{Suspect: true}
	type found struct {
		at   time.Duration
		what what
	}
	cases := map[string]struct {
		from  cluster.State
		found []found
		j     health.Judgement
		want  time.Duration
	}{
		"never probed":                               {cluster.Unknown, nil, clearAlways(), 10 * second},
		"as expected":                                {cluster.Healthy, []found{{10 * second, healthy}}, clearAlways(), 10 * second},
		"as expected of one that is down":            {cluster.Unreachable, []found{{10 * second, unreachable}}, clearAlways(), 10 * second},
		"a first network-level failure":              {cluster.Healthy, []found{{10 * second, unreachable}}, clearAlways(), 0},
		"a second":                                   {cluster.Healthy, []found{{10 * second, unreachable}, {10 * second, unreachable}}, clearAlways(), 2 * second},
		"when the span ends before":                  {cluster.Healthy, []found{{10 * second, unreachable}, {10 * second, unreachable}, {12 * second, unreachable}, {14 * second, unreachable}}, clearAlways(), 1 * second},
		"two failures with the span all but over":    {cluster.Healthy, []found{{10 * second, unreachable}, {15*second - 1, unreachable}}, clearAlways(), 1},
		"two failures with the span over":            {cluster.Healthy, []found{{10 * second, unreachable}, {15 * second, unreachable}}, clearAlways(), 2 * second},
		"a first answer that it is not ready":        {cluster.Healthy, []found{{10 * second, degraded}}, clearAlways(), 2 * second},
		"a first 401":                                {cluster.Healthy, []found{{10 * second, unauthorized}}, clearAlways(), 2 * second},
		"a first success of one that was down":       {cluster.Unreachable, []found{{10 * second, healthy}}, clearAlways(), 2 * second},
		"the first of all":                           {cluster.Unknown, []found{{10 * second, healthy}}, clearAlways(), 2 * second},
		"withheld":                                   {cluster.Healthy, []found{{10 * second, unreachable}, {12 * second, unreachable}, {15 * second, unreachable}}, health.Judgement{}, 2 * second},
		"suspect":                                    {cluster.Healthy, []found{{10 * second, unreachable}}, suspect, 10 * second},
		"suspect, again":                             {cluster.Healthy, []found{{10 * second, unreachable}, {20 * second, unreachable}}, suspect, 10 * second},
		"confirmed":                                  {cluster.Healthy, []found{{10 * second, unauthorized}, {12 * second, unauthorized}}, clearAlways(), 10 * second},
		"a network-level failure after a bad answer": {cluster.Healthy, []found{{10 * second, degraded}, {12 * second, unreachable}}, clearAlways(), 2 * second},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			m := in(c.from)
			for _, f := range c.found {
				m.do(f.what, at(f.at), c.j)
			}
			if got := m.rules.Next(m.status); got != c.want {
				t.Errorf("next in %v, want %v", got, c.want)
			}
		})
	}
}

func TestNextHurriesOnlyIfOneMoreFailureWouldDo(t *testing.T) {
	m := in(cluster.Healthy)
	m.rules.Failures = 4
	for i, want := range []time.Duration{2 * second, 2 * second, second / 2, second / 4} {
		m.do(degraded, at([]time.Duration{0, 4500 * ms, 4500 * ms, 4750 * ms}[i]), clearAlways())
		if got := m.rules.Next(m.status); got != want {
			t.Errorf("after %d failures the next in %v, want %v", i+1, got, want)
		}
	}
	m = in(cluster.Unreachable)
	m.rules.Successes = 4
	for _, d := range []time.Duration{0, 4 * second, 4500 * ms} {
		m.do(healthy, at(d), clearAlways())
	}
	if got := m.rules.Next(m.status); got != 2*second {
		t.Errorf("after three of four successes the next in %v, want 2 s", got)
	}
}

func TestClusterThatRefusesIsDownTheSpanAfterItsFirstFailure(t *testing.T) {
	m := in(cluster.Healthy)
	now := at(10 * second)
	for m.do(unreachable, now, clearAlways()) == nil {
		now = now.Add(m.rules.Next(m.status))
	}
	if got := m.changes[0].At.Sub(at(10 * second)); got != 5*second {
		t.Errorf("down after %v, want 5 s", got)
	}
}

func TestClusterThatIsClearedOfBeingOurFaultIsAskedOnceMoreAtOnce(t *testing.T) {
	m := in(cluster.Healthy)
	for _, after := range []time.Duration{10 * second, 10 * second, 12 * second, 15 * second} {
		m.do(unreachable, at(after), health.Judgement{})
	}
	if m.status.Cleared() {
		t.Error("it is cleared though nobody else was reached")
	}
	m.status, _ = m.rules.Pass(m.status, at(16*second), health.Judgement{Clear: at(11 * second)})
	if got := m.rules.Next(m.status); !m.status.Cleared() || got != 0 {
		t.Errorf("the next in %v, want at once", got)
	}
	m.do(unreachable, at(16*second), health.Judgement{Clear: at(11 * second)})
	if len(m.changes) != 1 {
		t.Errorf("it is told as %+v", m.changes)
	}
}

func TestClusterThatIsSilentIsDownWhenItsThirdProbeHasWaited(t *testing.T) {
	const patience = 5 * second // of a probe
	m := in(cluster.Healthy)
	began := at(10 * second)
	for {
		now := began.Add(patience)
		var change *health.Change
		m.status, change = m.rules.Observe(m.status, health.Observation{State: cluster.Unreachable, Network: true, At: now, Took: patience}, clearAlways())
		if got := now.Sub(at(10 * second)); (change != nil) != (got == 3*patience) {
			t.Fatalf("%v after the first probe began: %+v", got, change)
		}
		if change != nil {
			return
		}
		began = now.Add(m.rules.Next(m.status))
	}
}

func TestProbesThatTakeLongAreHurriedOnlyWhileFailuresAreCounted(t *testing.T) {
	cases := map[string]struct {
		from  cluster.State
		state cluster.State
		j     health.Judgement
		want  []time.Duration
	}{
		"a recovery is confirmed after a pause": {cluster.Unreachable, cluster.Healthy, clearAlways(), []time.Duration{2 * second, 10 * second}},
		"so is the first answer of all":         {cluster.Unknown, cluster.Healthy, clearAlways(), []time.Duration{2 * second, 10 * second}},
		"failures are counted":                  {cluster.Healthy, cluster.Degraded, clearAlways(), []time.Duration{0, 0, 10 * second}},
		"what is withheld has been counted":     {cluster.Healthy, cluster.Unreachable, health.Judgement{}, []time.Duration{0, 0, 2 * second, 2 * second}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			const took = 5 * second
			m := in(c.from)
			now := at(10 * second)
			for i, want := range c.want {
				now = now.Add(took)
				m.observe(health.Observation{State: c.state, Network: c.state == cluster.Unreachable, At: now, Took: took}, c.j)
				if got := m.rules.Next(m.status); got != want {
					t.Fatalf("after %d probes the next in %v, want %v", i+1, got, want)
				}
				now = now.Add(want)
			}
		})
	}
}
