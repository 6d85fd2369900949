package checker

import (
	"time"

	"github.com/clusterfleet/clusterfleet/test/faults/internal/schedule"
)

// RuleLiving is the rule of how long the living take among the dead.
const RuleLiving = "the dead do not delay the living"

// prompt is how long after the beginning of a call the last of the living may answer: less than one that hangs takes.
const prompt = 4 * time.Second

// living checks that clusters with which nothing is wrong are answered before anybody who hangs can have used up the call's
// places. Faults that the monitor does not know yet take places; where they could take all of them nothing is promised.
func (j *judge) living(c *Call) {
	span := schedule.Window{From: c.Began, To: c.Ended}
	fresh := 0
	for i := range j.schedule.Episodes {
		e := &j.schedule.Episodes[i]
		if e.From <= c.Ended && e.To > c.Began && (e.Want.Within == 0 || c.Began < e.From+e.Want.Within+busy) {
			fresh++
		}
	}
	if c.Concurrency > 0 && fresh >= c.Concurrency || j.schedule.InBlind(span) {
		return
	}
	for _, r := range c.Results {
		if r.Index < 0 || r.Index >= len(c.Clusters) || r.At-c.Began <= prompt {
			continue
		}
		if r.At <= j.by(c.Began, prompt-busy) {
			continue
		}
		if place, _ := j.schedule.Place(c.Clusters[r.Index], schedule.Window{From: c.Began - lingering, To: r.At}); place == schedule.Free {
			j.violate(RuleLiving, r.At, "%s, of %s: it took %s", c, c.Clusters[r.Index], r.At-c.Began)
		}
	}
}
