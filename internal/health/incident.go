package health

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// What makes failures an incident rather than failures.
const (
	// minMembers is how many clusters must fail alike, and minShare the part of the exposed ones that they must be.
	minMembers = 3
	minShare   = 0.5
	// minLift is how many times larger that part must be than the same in the rest of the fleet.
	minLift = 2
	// maxChance is the probability, at most, with which clusters that fail on their own would look the same somewhere.
	maxChance = 0.001
	// maxIncidents bounds what is found: who has more has one, and it is larger than any trait.
	maxIncidents = 100
)

// Correlate returns the incidents of a fleet, the largest first. Records are all of the fleet, each cluster's once, in any
// order: they decide what is usual. Virtual clusters and those in maintenance are nobody's evidence and are not counted.
//
// An incident is at least three clusters that fail for the same reason, share a trait that can explain it, and are at least
// half of all clusters with its value. That half must be clearly more than in the rest of the fleet, so a value that the
// whole fleet shares explains nothing. A cluster is a member of one incident at most: that with the most members, and of
// equals that with the fewest exposed. What an incident explains is no longer held against the others.
func Correlate(records []*Record) []Incident {
	s := survey(records)
	var incidents []Incident
	for len(incidents) < maxIncidents {
		best := s.strongest()
		if best == nil {
			break
		}
		incidents = append(incidents, s.explain(best))
	}
	slices.SortStableFunc(incidents, func(a, b Incident) int { return cmp.Compare(len(b.Members), len(a.Members)) })
	return incidents
}

// strongest returns the suspicion that explains most, nil if none holds any more.
func (p *population) strongest() *suspicion {
	var best *suspicion
	for _, s := range p.suspicions {
		if (best == nil || compareSuspicions(s, best) < 0) && p.holds(s) {
			best = s
		}
	}
	return best
}

func compareSuspicions(a, b *suspicion) int {
	return cmp.Or(
		cmp.Compare(b.unexplained, a.unexplained),
		cmp.Compare(a.exposed, b.exposed),
		cmp.Compare(slices.Index(causesOf(a.reason), a.cause), slices.Index(causesOf(b.reason), b.cause)),
		cmp.Compare(a.text, b.text),
		cmp.Compare(a.reason, b.reason),
	)
}

func (p *population) holds(s *suspicion) bool {
	rest := p.size - s.exposed
	if s.unexplained < minMembers || rest == 0 {
		return false
	}
	share := float64(s.unexplained) / float64(s.exposed)
	usual := float64(p.failing[s.reason]-s.unexplained) / float64(rest)
	if share < minShare || share < minLift*usual {
		return false
	}
	chances := float64(p.values[s.cause])
	return chances*math.Exp(-float64(s.exposed)*divergence(share, usual)) <= maxChance
}

// divergence is that of Kullback and Leibler between two coins. That n throws of a coin that falls with the probability
// usual give share·n or more has a probability of at most exp(-n·divergence), says Chernoff's bound.
func divergence(share, usual float64) float64 {
	d := share * math.Log(share/usual)
	if share < 1 {
		d += (1 - share) * math.Log((1-share)/(1-usual))
	}
	return d
}

// explain returns the incident of a suspicion that holds, and takes its members off all others.
func (p *population) explain(s *suspicion) Incident {
	i := Incident{ID: s.id(), Cause: s.cause, Value: s.text, Reason: s.reason, Exposed: s.exposed}
	condition := ""
	for _, f := range s.failing {
		if f.explained {
			continue
		}
		f.explained = true
		for _, other := range f.suspicions {
			other.unexplained--
		}
		p.failing[s.reason]--
		i.Members = append(i.Members, f.Subject.Name)
		i.Since = earlier(i.Since, f.Since)
		condition = common(condition, conditionOf(f.State))
	}
	slices.Sort(i.Members)
	i.Message = fmt.Sprintf("%d of %d clusters %s %s are %s: %s", len(i.Members), i.Exposed, s.cause.sharing(), s.text, condition, s.reason)
	return i
}

func (s *suspicion) id() string {
	const idBytes = 8
	sum := sha256.Sum256([]byte(strings.Join([]string{s.cause.sharing(), s.text, string(s.reason)}, "\x00")))
	return hex.EncodeToString(sum[:idBytes])
}

// earlier returns the earlier of two times of which a zero one is not known.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// common returns the condition of all where those so far and the next are in the same, empty if there are none so far.
func common(soFar, next string) string {
	if soFar == "" || soFar == next {
		return next
	}
	return "not healthy"
}

func conditionOf(s cluster.State) string {
	switch s {
	case cluster.Unreachable:
		return "unreachable"
	case cluster.Degraded:
		return "degraded"
	case cluster.Unauthorized:
		return "unauthorized"
	case cluster.Unknown, cluster.Healthy:
	}
	return "not healthy"
}
