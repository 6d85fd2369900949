package health_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// reference is the state machine once more, written to be compared with the design and not to be fast: it keeps all that
// was ever observed and looks back over it at every event.
type reference struct {
	rules   health.Rules
	seen    []seen
	state   cluster.State
	known   cluster.State
	hidden  bool
	from    int // what was seen before this is forgotten
	judged  []judged
	changes []health.Change
}

// judged is a judgement that was heeded, when, and how much had been seen before.
type judged struct {
	health.Judgement
	at    time.Time
	after int
}

type seen struct {
	health.Observation
	suspect bool // whether the observer was suspect then or has been since
}

func (r *reference) event(w what, now time.Time, j health.Judgement) {
	before, known := r.state, r.known
	if w == inconclusive {
		return
	}
	last := time.Time{}
	if len(r.seen) > 0 {
		last = r.seen[len(r.seen)-1].At
	}
	silence := now.Sub(last)
	long := silence > 2*r.rules.Interval || silence < -2*r.rules.Interval
	if w != pass && silence < 0 && !long {
		return
	}
	run := r.against()
	if !j.Suspect && len(run) > 0 && run[len(run)-1].suspect {
		r.from = len(r.seen)
	}
	forget := long && w != pass || w == pass && (silence >= r.rules.Stale || long && silence < 0)
	if forget {
		r.state, r.hidden, r.from = cluster.Unknown, false, len(r.seen)
	}
	if w != pass {
		r.see(w.observation(now))
	}
	r.judged = append(r.judged, judged{j, now, len(r.seen)})
	if w != pass {
		r.decide(j)
	}
	if j.Suspect {
		r.hide()
	}
	if r.state != before {
		flips := r.state != cluster.Unknown && r.state != known
		r.changes = append(r.changes, health.Change{From: before, To: r.state, At: now, Flapping: flips})
	}
}

func (r *reference) see(o health.Observation) {
	if run := r.against(); !o.Network && len(run) > 0 && run[len(run)-1].suspect {
		r.from = len(r.seen)
	}
	if o.State == r.state || !o.Network {
		r.hidden = false
	}
	r.seen = append(r.seen, seen{Observation: o})
}

// against returns the latest observations in a row that are against the state, and all say either that the cluster is
// healthy or that it is not.
func (r *reference) against() []seen {
	i := len(r.seen)
	for ; i > r.from; i-- {
		s := r.seen[i-1].State
		if s == r.state || (s == cluster.Healthy) != (r.seen[len(r.seen)-1].State == cluster.Healthy) {
			break
		}
	}
	return r.seen[i:]
}

// failing returns how many of the latest of a run failed at network level.
func failing(run []seen) (n int) {
	for n < len(run) && run[len(run)-1-n].Network {
		n++
	}
	return n
}

func (r *reference) decide(j health.Judgement) {
	run := r.against()
	if len(run) == 0 {
		return
	}
	to := run[len(run)-1].State
	n := len(run)
	enough := n >= r.rules.Failures && run[n-1].At.Sub(run[0].At) >= r.rules.Span
	if to == cluster.Healthy {
		enough = n >= r.rules.Successes
	}
	if f := failing(run); f > 0 {
		enough = enough && !j.Suspect && r.alone(len(r.seen)-f)
	}
	if k := r.rules.Rejections; n >= k {
		all := true
		for _, s := range run[n-k:] {
			all = all && s.State == cluster.Unauthorized
		}
		enough = enough || all
	}
	if enough {
		r.state, r.known, r.hidden, r.from = to, to, false, len(r.seen)
	}
}

// alone reports whether the last probe began after it was known that others had been reached since the probe i ended.
func (r *reference) alone(i int) bool {
	last := r.seen[len(r.seen)-1]
	for _, j := range r.judged {
		if j.after > i && !j.Suspect && !r.seen[i].At.After(j.Clear) {
			return !last.At.Add(-last.Took).Before(j.at)
		}
	}
	return false
}

func (r *reference) hide() {
	run := r.against()
	if failing(run) == 0 {
		return
	}
	r.hidden = true
	for i := len(r.seen) - len(run); i < len(r.seen); i++ {
		r.seen[i].suspect = true
	}
}

func (r *reference) shown() cluster.State {
	if r.hidden {
		return cluster.Unknown
	}
	return r.state
}

// flapping reports whether the sixth latest flip, seen from change i, was less than ten minutes before it.
func (r *reference) flapping(i int) bool {
	n := 0
	for k := i; k >= 0; k-- {
		if !r.changes[k].Flapping {
			continue
		}
		if n++; n == r.rules.Flips {
			return r.changes[i].At.Sub(r.changes[k].At) < r.rules.FlipWindow
		}
	}
	return false
}

// happening is an event of a sequence, to tell how a disagreement came about.
type happening struct {
	at   time.Time
	what what
	j    health.Judgement
}

type happenings []happening

func (h happenings) String() string {
	var b strings.Builder
	for _, e := range h {
		fmt.Fprintf(&b, "%v: %d, suspect %v, clear %v\n", e.at.Sub(at(0)), e.what, e.j.Suspect, e.j.Clear.Sub(at(0)))
	}
	return b.String()
}

func TestStateMachineAgreesWithReference(t *testing.T) {
	const sequences, events = 2000, 120
	changes, shown := 0, map[cluster.State]int{}
	for seed := range uint64(sequences) {
		random := rand.New(rand.NewPCG(seed, 1))
		m := newMachine()
		r := &reference{rules: m.rules}
		now := at(0)
		var log happenings
		j := clearAlways()
		mood := healthy
		for range events {
			now = now.Add(randomSilence(random))
			if random.IntN(6) == 0 {
				mood = what(1 + random.IntN(8))
			}
			w := mood
			if random.IntN(5) == 0 {
				w = what(random.IntN(9))
			}
			if random.IntN(8) == 0 {
				j = randomJudgement(random, now)
			}
			log = append(log, happening{now, w, j})
			m.do(w, now, j)
			r.event(w, now, j)
			shown[r.shown()]++
			if m.status.Shown() != r.shown() || m.status.Suspect != r.hidden || m.status.State != r.state || m.status.Known != r.known || len(m.changes) != len(r.changes) {
				t.Fatalf("seed %d: %v shown as %v, known %v, %d changes; the reference has %v, %v, %v, %d\n%s", seed,
					m.status.State, m.status.Shown(), m.status.Known, len(m.changes), r.state, r.shown(), r.known, len(r.changes), log)
			}
			run := r.against()
			since, is := m.status.FailingSince()
			if f := failing(run); is != (f > 0) || is && !since.Equal(run[len(run)-f].At) {
				t.Fatalf("seed %d: failing since %v, %v; the reference has %d\n%s", seed, since.Sub(at(0)), is, f, log)
			}
			if next := m.rules.Next(m.status); next < 0 || next > m.rules.Interval {
				t.Fatalf("seed %d: next in %v\n%s", seed, next, log)
			}
		}
		for i, c := range m.changes {
			if want := r.changes[i]; c.From != want.From || c.To != want.To || !c.At.Equal(want.At) || c.Flapping != r.flapping(i) {
				t.Fatalf("seed %d: change %d is %+v, want %+v, flapping %v\n%s", seed, i, c, want, r.flapping(i), log)
			}
		}
		changes += len(m.changes)
	}
	// All of it has to have been tried.
	if changes < 5*sequences || len(shown) != 5 {
		t.Errorf("%d changes, states %v: the sequences are too tame", changes, shown)
	}
}

// randomSilence is mostly about the pace of probes, at times long, at times a step of the clock.
func randomSilence(random *rand.Rand) time.Duration {
	switch random.IntN(40) {
	case 0:
		return time.Duration(15+random.IntN(30)) * second
	case 1:
		return -time.Duration(random.IntN(30)) * second
	case 2:
		return []time.Duration{20 * second, 35 * second, time.Hour, -time.Hour}[random.IntN(4)]
	}
	return time.Duration(random.IntN(12)) * second / 2
}

func randomJudgement(random *rand.Rand, now time.Time) health.Judgement {
	switch random.IntN(4) {
	case 0:
		return health.Judgement{Suspect: true, Clear: now}
	case 1:
		return health.Judgement{Clear: now.Add(-time.Duration(random.IntN(20)) * second / 2)}
	}
	return clearAlways()
}
