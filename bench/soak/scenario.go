package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"time"
)

// share is how much of the fleet each kind of fault strikes in a cycle.
const share = 0.02

// fault is an entry of a scenario, as docs/fleetsim.md has it.
type fault struct {
	Clusters string `json:"clusters"`
	Fault    string `json:"fault"`
	As       string `json:"as,omitempty"`
	At       string `json:"at,omitempty"`
	Latency  string `json:"latency,omitempty"`
	Period   string `json:"period,omitempty"`
	From     string `json:"from,omitempty"`
	To       string `json:"to,omitempty"`
}

// kinds are the faults that strike; none of them makes the simulator work hard.
func kinds() []fault {
	return []fault{
		{Fault: "refuse"},
		{Fault: "blackhole"},
		{Fault: "reset"},
		{Fault: "hang"},
		{Fault: "hang", At: "handshake"},
		{Fault: "slow", Latency: "2s"},
		{Fault: "drip"},
		{Fault: "tls-expired"},
		{Fault: "tls-unknown-ca"},
		{Fault: "tls-garbage"},
		{Fault: "not-ready"},
		{Fault: "error-503"},
		{Fault: "throttle"},
		{Fault: "unauthorized"},
		{Fault: "forbidden"},
		{Fault: "truncated-json"},
		{Fault: "html"},
	}
}

// faults draws what goes wrong: in each cycle but the first, every kind strikes some clusters for some of the time, half of
// them coming and going. Beside that, some are ready by turns and not ready, the same in each cycle: their connections stay.
func faults(t timetable, names []string, random *rand.Rand) []fault {
	struck := max(1, int(share*float64(len(names))))
	turns := strings.Join(names[:struck], ",")
	var all []fault
	rest := names[struck:]
	for cycle := 1; cycle < t.count; cycle++ {
		from := t.start(cycle)
		all = append(all, fault{
			Clusters: turns, Fault: "flap", As: "not-ready", Period: (t.cycle / 6).String(),
			From: from.String(), To: (from + t.faults()).String(),
		})
		order := random.Perm(len(rest))
		for i, kind := range kinds() {
			var clusters []string
			for n := range struck {
				clusters = append(clusters, rest[order[(i*struck+n)%len(order)]])
			}
			all = append(all, strike(t, cycle, kind, clusters, random))
		}
	}
	return all
}

// strike gives a fault its clusters and its time, which ends with the faults of its cycle at the latest.
func strike(t timetable, cycle int, f fault, clusters []string, random *rand.Rand) fault {
	half := t.faults() / 2
	from := t.start(cycle) + time.Duration(random.Int64N(int64(half)))
	to := t.start(cycle) + half + time.Duration(random.Int64N(int64(half))) + 1
	f.Clusters, f.From, f.To = strings.Join(clusters, ","), from.String(), to.String()
	if random.IntN(2) == 0 {
		f.As, f.Fault, f.Period = f.Fault, "flap", (t.cycle / 10).String()
	}
	return f
}

// writeScenario writes a file for fleetsim.
func writeScenario(file string, faults []fault) error {
	text, err := json.Marshal(map[string]any{"faults": faults})
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}

// names are those that fleetsim gives.
func names(clusters int) []string {
	all := make([]string, clusters)
	for i := range all {
		all[i] = fmt.Sprintf("sim-%04d", i+1)
	}
	return all
}
