package schedule

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

const (
	// faultless is which part of the fleet never has a fault: one of so many.
	faultless = 3
	// cutAtOnce is how many percent of the fleet may look cut off at once: with fewer than 55 of the healthy the observer
	// does not doubt itself.
	cutAtOnce = 25
	// rest is the time between two faults of a cluster: what was told of the first has ended by then.
	rest = 20 * time.Second
	// leeway is how much longer than it takes to be told a fault lasts, at least and at most: also where the machine stretches
	// the promise, the fault is to be there still when it is due.
	leastLeeway, mostLeeway = 10 * time.Second, 15 * time.Second
	// attempts is how often another beginning is drawn for a fault that does not fit in.
	attempts = 100
)

// Generate returns a schedule of the acts for clusters of these names. It follows from the arguments alone. Acts are dealt
// out in turn, so that each comes before any comes twice; one that fits nowhere is left out.
func Generate(seed uint64, clusters []string, length time.Duration, acts []Act) *Schedule {
	g := &generator{
		random:   rand.New(rand.NewPCG(seed, 1)),
		schedule: &Schedule{Seed: seed, Clusters: clusters, Length: length},
		most:     len(clusters) * cutAtOnce / 100,
	}
	var victims []string
	for i, name := range clusters {
		if i%faultless != 0 {
			victims = append(victims, name)
		}
	}
	for more := true; more; {
		more = false
		for _, i := range g.random.Perm(len(victims)) {
			more = g.add(victims[i], acts[g.dealt%len(acts)]) || more
		}
	}
	slices.SortFunc(g.schedule.Episodes, func(a, b Episode) int { return int(a.From - b.From) })
	return g.schedule
}

type generator struct {
	random   *rand.Rand
	schedule *Schedule
	cuts     []Window // the episodes that look like cuts
	most     int
	dealt    int
}

// add puts one episode somewhere behind the cluster's last one; false where there is no time for it. One that never fits
// beside others like it is left out.
func (g *generator) add(cluster string, a Act) bool {
	free := time.Duration(0)
	for _, e := range g.schedule.Episodes {
		if e.Cluster == cluster {
			free = max(free, e.To+rest)
		}
	}
	lasts := a.For
	if lasts == 0 {
		lasts = a.Want.Within + leastLeeway + time.Duration(g.random.Int64N(int64(mostLeeway-leastLeeway)))
	}
	room := g.schedule.Length - free - lasts
	if room <= 0 {
		return false
	}
	g.dealt++
	for range attempts {
		from := free + time.Duration(g.random.Int64N(int64(min(room, g.schedule.Length/2))))
		span := Window{from.Truncate(time.Millisecond), (from + lasts).Truncate(time.Millisecond)}
		if a.Cuts && g.crowded(span) {
			continue
		}
		if a.Cuts {
			g.cuts = append(g.cuts, span)
		}
		g.schedule.Episodes = append(g.schedule.Episodes, Episode{
			Cluster: cluster, Name: a.Name, Fault: a.Fault, Period: a.Period, Window: span, Want: a.Want,
		})
		break
	}
	return true
}

// crowded reports whether too many clusters look cut off in the span already.
func (g *generator) crowded(span Window) bool {
	n := 0
	for _, w := range g.cuts {
		if w.Overlaps(span) {
			n++
		}
	}
	return n >= g.most
}

// String lists the episodes, one a line, for the log of a run that failed.
func (s *Schedule) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "seed %d, %d clusters, %s:\n", s.Seed, len(s.Clusters), s.Length)
	for _, e := range s.Episodes {
		fmt.Fprintf(&text, "  %8.3fs to %8.3fs  %s  %s\n", e.From.Seconds(), e.To.Seconds(), e.Cluster, e.Name)
	}
	return text.String()
}
