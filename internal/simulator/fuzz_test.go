package simulator

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzScenario: a scenario is an error of one line, or rules that can be played: each begins before it ends, has a fault
// that is complete, latencies that are times, and clusters that are chosen or not, but not by a panic.
func FuzzScenario(f *testing.F) {
	for _, seed := range []string{
		"faults:\n- {clusters: 'sim-0001,sim-01*', fault: hang, at: handshake, from: 10s, for: 1m}\n- {clusters: 2%, fault: slow, latency: 'lognormal:p50=20ms,p99=2s'}\n",
		"faults:\n- {clusters: 'env in (prod),tier!=x', fault: flap, as: throttle, retryAfter: 7, period: 4s}\n- {clusters: '*', fault: redirect, status: 307, location: /x, paths: [/api]}",
		`{"faults":[{"clusters":"sim-1","fault":"huge-list","bytes":"1Gi"},{"clusters":"[","fault":"clock-skew","offset":"-5m"}]}`,
		"faults:\n- {clusters: '*', fault: slow, latency: 'uniform:10ms-90ms'}\n- {clusters: '*', fault: not-ready, checks: [etcd, a b]}",
		"faults:\n- {clusters: '*', fault: expired-continue, times: 3, fresh: true}\n- {clusters: '*', fault: deep-json, depth: 9}\n- {clusters: '*', fault: drip, interval: 1ms}",
		"faults:\n- {clusters: '*', fault: slow, latency: 'uniform:0s-2562047h47m16.854775807s'}", "faults:\n- {clusters: '*', fault: hang, from: 2562047h, for: 2562047h}",
		"faults: []", "faults: {}", "fault: 1", "a: &a [*a]", "\t", "faults: [1]", "faults:\n- {clusters: x, fault: y}", "faults:\n- {clusters: 101%, fault: hang}", "faults:\n- {clusters: 50ms,1%=5s, fault: slow, latency: '50ms,1%=5s'}",
	} {
		f.Add([]byte(seed), uint64(1))
	}
	clusters := []*cluster{{name: "sim-0001", labels: map[string]string{"env": "prod"}}, {name: "sim-0100"}, {name: "sim-1", labels: map[string]string{"tier": "x"}}}
	f.Fuzz(func(t *testing.T, text []byte, seed uint64) {
		s, err := ParseScenario(text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "scenario: ") || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q", err)
			}
			return
		}
		if len(s.Rules) == 0 {
			t.Error("no rules")
		}
		for _, r := range s.Rules {
			if r.From < 0 || r.Period < 0 || r.To != 0 && r.To <= r.From || r.Clusters == "" {
				t.Errorf("%+v", r)
			}
			complete, _, err := r.Fault.check()
			if diff := cmp.Diff(r.Fault, complete, cmp.AllowUnexported(Latency{}, tail{})); err != nil || diff != "" {
				t.Errorf("a fault that is not complete: %v\n%s", err, diff)
			}
			if d := r.Fault.Latency.draw(rand.NewPCG(seed, 1)); d < 0 || r.Fault.Kind == Slow && r.Fault.Latency.isZero() {
				t.Errorf("%+v takes %v", r.Fault.Latency, d)
			}
			chosen, err := choose(r.Clusters, clusters, newLottery(len(clusters), seed, scenarioStream))
			if (err == nil) != (len(chosen) > 0) || slices.Contains(chosen, nil) || len(chosen) > len(clusters) {
				t.Errorf("%q chooses %d clusters, %v", r.Clusters, len(chosen), err)
			}
			requireOrder(t, r)
		}
	})
}

// requireOrder goes through the beginning of a rule: the fault comes and goes in turn, within the rule's time.
func requireOrder(t *testing.T, r Rule) {
	t.Helper()
	c := firstCue(0, r)
	for range 5 {
		next, more := r.after(c)
		if !more {
			return
		}
		if next.at < c.at || next.on == c.on || r.To > 0 && next.at > r.To {
			t.Fatalf("%+v: %+v, then %+v", r, c, next)
		}
		c = next
	}
}
