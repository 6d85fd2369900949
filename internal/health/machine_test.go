package health_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

const (
	second = time.Second
	ms     = time.Millisecond
)

// at returns a time after the tests begin, at noon. It has no monotonic reading: the tests step the clock.
func at(d time.Duration) time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(d) }

// clearAlways is the judgement that withholds nothing.
func clearAlways() health.Judgement { return health.Judgement{Clear: at(1000 * time.Hour)} }

// step is something that happens to the state machine, and the state it is in after that.
type step struct {
	at   time.Duration
	what what
	j    *health.Judgement // nil: clear
	want cluster.State
}

type what int

const (
	pass what = iota
	healthy
	degraded     // answered: not a network-level failure
	unreachable  // at network level, at once
	slow         // the same after a second
	dropped      // answered, then failed at network level
	broken       // unreachable, but not at network level: a certificate, say
	unauthorized // 401 or 403
	inconclusive // our own fault
)

func (w what) observation(at time.Time) health.Observation {
	o := health.Observation{At: at}
	switch w {
	case healthy:
		o.State = cluster.Healthy
	case degraded:
		o.State = cluster.Degraded
	case unreachable:
		o.State, o.Network = cluster.Unreachable, true
	case slow:
		o.State, o.Network, o.Took = cluster.Unreachable, true, second
	case dropped:
		o.State, o.Network = cluster.Degraded, true
	case broken:
		o.State = cluster.Unreachable
	case unauthorized:
		o.State = cluster.Unauthorized
	case inconclusive, pass:
	}
	return o
}

// machine is the state machine with what it has changed.
type machine struct {
	rules   health.Rules
	status  health.Status
	changes []health.Change
}

func (m *machine) do(w what, at time.Time, j health.Judgement) *health.Change {
	if w != pass {
		return m.observe(w.observation(at), j)
	}
	s, c := m.rules.Pass(m.status, at, j)
	return m.note(s, c)
}

func (m *machine) observe(o health.Observation, j health.Judgement) *health.Change {
	s, c := m.rules.Observe(m.status, o, j)
	return m.note(s, c)
}

func (m *machine) note(s health.Status, c *health.Change) *health.Change {
	m.status = s
	if c != nil {
		m.changes = append(m.changes, *c)
	}
	return c
}

func newMachine() *machine { return &machine{rules: health.DefaultRules()} }

// in returns a machine in a state that was confirmed just before the start, its last probe at the start.
func in(s cluster.State) *machine {
	m := newMachine()
	if s == cluster.Unknown {
		return m
	}
	w := map[cluster.State]what{
		cluster.Healthy: healthy, cluster.Degraded: degraded, cluster.Unreachable: unreachable, cluster.Unauthorized: unauthorized,
	}[s]
	for _, d := range []time.Duration{-6 * second, -3 * second, 0} {
		m.do(w, at(d), clearAlways())
	}
	m.changes = nil
	return m
}

func TestStateChangesOnlyWhenTheRulesAreMet(t *testing.T) {
	const (
		U = cluster.Unknown
		H = cluster.Healthy
		D = cluster.Degraded
		X = cluster.Unreachable
		A = cluster.Unauthorized
	)
	suspect := &health.Judgement{Suspect: true, Clear: at(1000 * time.Hour)}
	clearAt := func(d time.Duration) *health.Judgement { return &health.Judgement{Clear: at(d)} }
	cases := map[string]struct {
		from  cluster.State
		steps []step
	}{
		"two successes make an unknown cluster healthy": {U, []step{{0, healthy, nil, U}, {1 * ms, healthy, nil, H}}},
		"successes have to be in a row":                 {X, []step{{1 * second, healthy, nil, X}, {2 * second, unreachable, nil, X}, {3 * second, healthy, nil, X}, {4 * second, healthy, nil, H}}},
		"an unauthorized cluster recovers likewise":     {A, []step{{1 * second, healthy, nil, A}, {2 * second, healthy, nil, H}}},
		"another failure between successes, too, breaks the row": {D, []step{
			{1 * second, healthy, nil, D}, {2 * second, unreachable, nil, D}, {3 * second, healthy, nil, D}, {4 * second, healthy, nil, H},
		}},

		"three failures over exactly the span are down":  {H, []step{{10 * second, unreachable, nil, H}, {12 * second, unreachable, nil, H}, {15 * second, unreachable, nil, X}}},
		"three failures over less than the span are not": {H, []step{{10 * second, unreachable, nil, H}, {12 * second, unreachable, nil, H}, {15*second - 1, unreachable, nil, H}, {15 * second, unreachable, nil, X}}},
		"two failures are not down however far apart":    {H, []step{{10 * second, unreachable, nil, H}, {25 * second, unreachable, nil, H}, {40 * second, unreachable, nil, X}}},
		"a success between failures begins them anew": {H, []step{
			{1 * second, unreachable, nil, H},
			{3 * second, unreachable, nil, H},
			{5 * second, healthy, nil, H},
			{6 * second, unreachable, nil, H},
			{8 * second, unreachable, nil, H},
			{11*second - 1, unreachable, nil, H},
			{11 * second, unreachable, nil, X},
		}},
		"an unknown cluster is not down before three failures": {U, []step{{0, unreachable, nil, U}, {4 * second, unreachable, nil, U}, {5 * second, unreachable, nil, X}}},
		"mixed failures become what the latest is":             {H, []step{{1 * second, unreachable, nil, H}, {3 * second, degraded, nil, H}, {6 * second, broken, nil, X}}},
		"degraded takes as long as unreachable":                {H, []step{{1 * second, degraded, nil, H}, {3 * second, degraded, nil, H}, {6*second - 1, degraded, nil, H}, {6 * second, degraded, nil, D}}},
		"a degraded cluster becomes unreachable by a full run": {D, []step{{1 * second, unreachable, nil, D}, {3 * second, unreachable, nil, D}, {5 * second, unreachable, nil, D}, {6 * second, unreachable, nil, X}}},
		"an unreachable cluster becomes degraded by a full run": {X, []step{
			{1 * second, degraded, nil, X}, {3 * second, degraded, nil, X}, {5 * second, degraded, nil, X}, {6 * second, degraded, nil, D},
		}},
		"what equals the state ends the run against it": {D, []step{
			{1 * second, unreachable, nil, D}, {3 * second, unreachable, nil, D}, {5 * second, degraded, nil, D}, {7 * second, unreachable, nil, D}, {9 * second, unreachable, nil, D}, {12 * second, unreachable, nil, X},
		}},

		"a 401 is believed after one confirmation":          {H, []step{{1 * second, unauthorized, nil, H}, {1*second + 1, unauthorized, nil, A}}},
		"a 401 makes a degraded cluster unauthorized, too":  {D, []step{{1 * second, unauthorized, nil, D}, {2 * second, unauthorized, nil, A}}},
		"a 401 is confirmed only by the next":               {H, []step{{1 * second, unauthorized, nil, H}, {2 * second, degraded, nil, H}, {3 * second, unauthorized, nil, H}, {4 * second, unauthorized, nil, A}}},
		"a 401 that is not confirmed counts as a failure":   {H, []step{{1 * second, unauthorized, nil, H}, {2 * second, degraded, nil, H}, {6 * second, unauthorized, nil, A}}},
		"a 401 is believed while the observer is suspect":   {H, []step{{1 * second, unauthorized, suspect, H}, {2 * second, unauthorized, suspect, A}}},
		"an unauthorized cluster goes down by a full run":   {A, []step{{1 * second, unreachable, nil, A}, {3 * second, unreachable, nil, A}, {6 * second, unreachable, nil, X}}},
		"what is not at network level is never the guard's": {H, []step{{1 * second, broken, suspect, H}, {3 * second, broken, suspect, H}, {6 * second, broken, suspect, X}}},

		"inconclusive probes change nothing": {H, []step{
			{1 * second, unreachable, nil, H}, {2 * second, inconclusive, nil, H}, {3 * second, unreachable, nil, H}, {4 * second, inconclusive, nil, H}, {6 * second, unreachable, nil, X},
		}},
		"inconclusive probes keep nothing fresh":  {H, []step{{10 * second, inconclusive, nil, H}, {34 * second, inconclusive, nil, H}, {35 * second, pass, nil, U}}},
		"a state is believed just less than 35 s": {H, []step{{35*second - 1, pass, nil, H}, {35 * second, pass, nil, U}}},
		"a failed probe keeps a state fresh":      {H, []step{{15 * second, unreachable, nil, H}, {50*second - 1, pass, nil, H}, {50 * second, pass, nil, U}}},
		"a down cluster gets stale, too":          {X, []step{{35 * second, pass, nil, U}}},
		"a stale cluster recovers by two successes": {H, []step{
			{35 * second, pass, nil, U}, {40 * second, healthy, nil, U}, {41 * second, healthy, nil, H},
		}},
		"a stale run proves nothing": {U, []step{
			{0, unreachable, nil, U}, {3 * second, unreachable, nil, U}, {41 * second, pass, nil, U}, {42 * second, unreachable, nil, U}, {44 * second, unreachable, nil, U}, {47 * second, unreachable, nil, X},
		}},

		"two intervals are no gap":                  {H, []step{{20 * second, healthy, nil, H}}},
		"more than two intervals are a gap":         {H, []step{{20*second + 1, healthy, nil, U}, {21 * second, healthy, nil, H}}},
		"a gap forgets the run before it":           {H, []step{{1 * second, unreachable, nil, H}, {3 * second, unreachable, nil, H}, {24 * second, unreachable, nil, U}, {26 * second, unreachable, nil, U}, {29 * second, unreachable, nil, X}}},
		"a gap forgets a run against unknown, too":  {U, []step{{0, healthy, nil, U}, {20*second + 1, healthy, nil, U}, {21 * second, healthy, nil, H}}},
		"a clock an hour ahead is a gap":            {H, []step{{time.Hour, healthy, nil, U}, {time.Hour + second, healthy, nil, H}}},
		"a clock an hour behind is a gap":           {H, []step{{-time.Hour, healthy, nil, U}, {-time.Hour + second, healthy, nil, H}}},
		"time alone sees a clock an hour behind":    {H, []step{{-20 * second, pass, nil, H}, {-20*second - 1, pass, nil, U}}},
		"an observation that was overtaken is late": {H, []step{{5 * second, unreachable, nil, H}, {4 * second, healthy, nil, H}, {7 * second, unreachable, nil, H}, {10 * second, unreachable, nil, X}}},

		"a failure that began after it was clear waits": {H, []step{
			{1 * second, unreachable, clearAt(0), H}, {3 * second, unreachable, clearAt(0), H}, {6 * second, unreachable, clearAt(1*second - 1), H}, {20 * second, unreachable, clearAt(1*second - 1), H},
		}},
		"a withheld failure is confirmed by the next after it is clear": {H, []step{
			{1 * second, unreachable, clearAt(0), H},
			{3 * second, unreachable, clearAt(0), H},
			{6 * second, unreachable, clearAt(0), H},
			{7 * second, pass, clearAt(1 * second), H},
			{7 * second, unreachable, clearAt(1 * second), X},
		}},
		"a failure that began before it was clear confirms nothing": {H, []step{
			{1 * second, unreachable, clearAt(0), H},
			{3 * second, unreachable, clearAt(0), H},
			{6 * second, unreachable, clearAt(0), H},
			{8 * second, slow, clearAt(1 * second), H},
			{9*second - 1, slow, clearAt(1 * second), H},
			{9 * second, slow, clearAt(1 * second), X},
		}},
		"that others are reached does not alone make one down": {H, []step{
			{1 * second, unreachable, clearAt(0), H},
			{3 * second, unreachable, clearAt(0), H},
			{6 * second, unreachable, clearAt(0), H},
			{7 * second, pass, clearAt(7 * second), H},
			{8 * second, healthy, clearAt(7 * second), H},
		}},
		"time alone does not confirm what is not proved": {H, []step{
			{1 * second, unreachable, nil, H}, {2 * second, unreachable, nil, H}, {3 * second, unreachable, nil, H}, {30 * second, pass, nil, H},
		}},
		"what fails at network level after an answer waits for its own beginning": {H, []step{
			{1 * second, degraded, clearAt(2 * second), H}, {3 * second, unreachable, clearAt(2 * second), H}, {6 * second, unreachable, clearAt(2 * second), H}, {7 * second, pass, clearAt(3 * second), H}, {8 * second, unreachable, clearAt(3 * second), X},
		}},
		"an answer is proof of its own": {H, []step{
			{1 * second, unreachable, clearAt(0), H}, {3 * second, unreachable, clearAt(0), H}, {6 * second, degraded, clearAt(0), D},
		}},

		"nobody goes down while the observer is suspect": {H, []step{
			{1 * second, unreachable, suspect, U}, {11 * second, unreachable, suspect, U}, {21 * second, unreachable, suspect, U}, {31 * second, pass, suspect, U}, {35 * second, unreachable, suspect, U},
		}},
		"a failing cluster is hidden when the observer becomes suspect": {H, []step{{1 * second, unreachable, nil, H}, {2 * second, pass, suspect, U}}},
		"one that does not fail is not hidden":                          {H, []step{{1 * second, pass, suspect, H}, {5 * second, healthy, suspect, H}}},
		"one that was down before is not hidden":                        {X, []step{{1 * second, unreachable, suspect, X}, {5 * second, pass, suspect, X}}},
		"a degraded cluster is hidden, too":                             {D, []step{{1 * second, unreachable, suspect, U}, {5 * second, degraded, suspect, D}}},
		"a success restores at once, suspect or not":                    {H, []step{{1 * second, unreachable, suspect, U}, {11 * second, healthy, suspect, H}}},
		"a success restores after it has ended":                         {H, []step{{1 * second, unreachable, suspect, U}, {10 * second, pass, nil, U}, {11 * second, healthy, nil, H}}},
		"failures from while it was suspect do not count afterwards": {H, []step{
			{1 * second, unreachable, suspect, U},
			{6 * second, unreachable, suspect, U},
			{11 * second, unreachable, suspect, U},
			{12 * second, unreachable, nil, U},
			{15 * second, unreachable, nil, U},
			{17*second - 1, unreachable, nil, U},
			{17 * second, unreachable, nil, X},
		}},
		"failures from while it was suspect do not count beside an answer": {H, []step{
			{1 * second, unreachable, suspect, U}, {6 * second, unreachable, suspect, U}, {11 * second, degraded, suspect, H}, {13 * second, degraded, suspect, H}, {16 * second, degraded, suspect, D},
		}},
		"a state that is found again is not hidden": {X, []step{{1 * second, dropped, suspect, U}, {11 * second, unreachable, suspect, X}}},
		"a hidden state gets stale":                 {H, []step{{1 * second, unreachable, suspect, U}, {36 * second, pass, suspect, U}, {37 * second, healthy, nil, U}, {38 * second, healthy, nil, H}}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			m := in(c.from)
			if m.status.Shown() != c.from {
				t.Fatalf("begins as %v, want %v", m.status.Shown(), c.from)
			}
			for i, s := range c.steps {
				j := clearAlways()
				if s.j != nil {
					j = *s.j
				}
				m.do(s.what, at(s.at), j)
				if got := m.status.Shown(); got != s.want {
					t.Fatalf("step %d at %v: %v, want %v", i, s.at, got, s.want)
				}
			}
		})
	}
}

func TestChangeSaysWhatWasAndForHowLong(t *testing.T) {
	m := newMachine()
	for _, s := range []step{
		{at: 0, what: healthy},
		{at: 2 * second, what: healthy},
		{at: 12 * second, what: unreachable},
		{at: 14 * second, what: unreachable},
		{at: 17 * second, what: unreachable},
		{at: 52 * second, what: pass},
		{at: 60 * second, what: healthy},
		{at: 62 * second, what: healthy},
		{at: -time.Hour, what: healthy},
	} {
		m.do(s.what, at(s.at), clearAlways())
	}
	want := []health.Change{
		{From: cluster.Unknown, To: cluster.Healthy, At: at(2 * second)},
		{From: cluster.Healthy, To: cluster.Unreachable, At: at(17 * second), Lasted: 15 * second},
		{From: cluster.Unreachable, To: cluster.Unknown, At: at(52 * second), Lasted: 35 * second},
		{From: cluster.Unknown, To: cluster.Healthy, At: at(62 * second), Lasted: 10 * second},
		{From: cluster.Healthy, To: cluster.Unknown, At: at(-time.Hour)},
	}
	if diff := cmp.Diff(want, m.changes); diff != "" {
		t.Error(diff)
	}
}

func TestUnknownKeepsWhatWasKnown(t *testing.T) {
	m := in(cluster.Degraded)
	m.do(pass, at(40*second), clearAlways())
	s := m.status
	if s.State != cluster.Unknown || s.Known != cluster.Degraded || !s.Since.Equal(at(40*second)) || !s.LastProbe.Equal(at(0)) {
		t.Errorf("got %+v, want unknown since 40 s, known as degraded, last probed at 0 s", s)
	}
}

func TestSuspectKeepsTheStateAndMakesNoChange(t *testing.T) {
	m := in(cluster.Healthy)
	m.do(unreachable, at(1*second), health.Judgement{Suspect: true})
	s := m.status
	if !s.Suspect || s.State != cluster.Healthy || s.Shown() != cluster.Unknown || len(m.changes) != 0 {
		t.Errorf("suspect %v, state %v, shown %v, %d changes; want healthy shown as unknown, no change", s.Suspect, s.State, s.Shown(), len(m.changes))
	}
}

func TestResumeForgetsOnlyWhatFailedMeanwhile(t *testing.T) {
	m := in(cluster.Healthy)
	m.do(unreachable, at(1*second), clearAlways())
	if since, ok := m.rules.Resume(m.status).FailingSince(); !ok || !since.Equal(at(1*second)) {
		t.Errorf("failing since %v, %v after resuming what was not suspect, want 1 s", since, ok)
	}
	m.do(pass, at(2*second), health.Judgement{Suspect: true})
	resumed := m.rules.Resume(m.status)
	if _, ok := resumed.FailingSince(); ok || resumed.Shown() != cluster.Unknown {
		t.Errorf("failing %v, shown %v after resuming; want not failing, still unknown", ok, resumed.Shown())
	}
}

func TestFailingSinceIsTheFirstOfUnbrokenNetworkFailures(t *testing.T) {
	m := in(cluster.Healthy)
	for i, c := range []struct {
		what what
		want time.Duration // 0: not failing
	}{{degraded, 0}, {unreachable, 2}, {unreachable, 2}, {broken, 0}, {unreachable, 5}, {healthy, 0}, {unreachable, 7}} {
		m.do(c.what, at(time.Duration(i+1)*100*ms), clearAlways())
		since, ok := m.status.FailingSince()
		if ok != (c.want != 0) || ok && !since.Equal(at(c.want*100*ms)) {
			t.Errorf("observation %d: failing since %v, %v, want %v", i, since, ok, c.want*100*ms)
		}
	}
}

func TestSixChangesInTenMinutesFlap(t *testing.T) {
	// turn changes a healthy cluster n times at a pace, and returns it with the changes.
	turn := func(n int, every time.Duration) *machine {
		m := newMachine()
		m.rules.Interval = time.Hour // no gaps
		m.do(healthy, at(-every-1), clearAlways())
		m.do(healthy, at(-every), clearAlways())
		m.changes = nil
		for i := range n {
			w := []what{unauthorized, healthy}[i%2]
			m.do(w, at(time.Duration(i)*every-1), clearAlways())
			m.do(w, at(time.Duration(i)*every), clearAlways())
		}
		if len(m.changes) != n {
			t.Fatalf("%d changes, want %d", len(m.changes), n)
		}
		return m
	}
	flapping := func(m *machine) (n int) {
		for _, c := range m.changes {
			if c.Flapping {
				n++
			}
		}
		return n
	}
	if got := flapping(turn(4, second)); got != 0 {
		t.Errorf("of five changes, the first from unknown, %d flap", got)
	}
	if got := flapping(turn(5, second)); got != 1 {
		t.Errorf("of six changes, the first from unknown, %d flap, want the last", got)
	}
	if got := flapping(turn(12, 2*time.Minute)); got != 0 {
		t.Errorf("%d flap of those with five others in ten minutes or more", got)
	}
	if got := flapping(turn(12, 2*time.Minute-1)); got != 8 {
		t.Errorf("%d flap of those with five others in less than ten minutes, want all but the first four", got)
	}
	m, end := turn(6, second), at(10*time.Minute)
	if !m.status.Flapping(end.Add(-1)) || m.status.Flapping(end) {
		t.Error("flapping does not end ten minutes after the first of the last six changes")
	}
}

func TestNothingFlapsWithoutAThreshold(t *testing.T) {
	m := newMachine()
	m.rules.Flips = 0
	m.do(healthy, at(0), clearAlways())
	if c := m.do(healthy, at(second), clearAlways()); c == nil || c.Flapping {
		t.Errorf("got %+v, want a change that does not flap", c)
	}
}

func TestOurOwnSilenceIsNoFlapping(t *testing.T) {
	m := in(cluster.Healthy)
	for i := range 10 {
		begin := time.Duration(i+1) * 40 * second
		m.do(healthy, at(begin), clearAlways())
		m.do(healthy, at(begin+second), clearAlways())
	}
	if len(m.changes) != 20 {
		t.Fatalf("%d changes, want 20: to unknown and back, ten times", len(m.changes))
	}
	for _, c := range m.changes {
		if c.Flapping {
			t.Fatalf("%+v flaps", c)
		}
	}
}

func BenchmarkObserve(b *testing.B) {
	m := in(cluster.Healthy)
	b.ReportAllocs()
	for i := range b.N {
		m.do(healthy, at(time.Duration(i)*second), clearAlways())
	}
}

func BenchmarkObserveFailing(b *testing.B) {
	m := in(cluster.Unreachable)
	b.ReportAllocs()
	for i := range b.N {
		m.do([]what{degraded, degraded, unreachable}[i%3], at(time.Duration(i)*second), clearAlways())
	}
}
