package health

import (
	"slices"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// value is a trait that clusters may share.
type value struct {
	cause Cause
	text  string
}

// suspicion is that a value makes the clusters that have it fail for one reason.
type suspicion struct {
	value
	reason  cluster.Reason
	exposed int
	failing []*failure
	// unexplained is how many of them are not yet members of an incident.
	unexplained int
}

// failure is one failing cluster.
type failure struct {
	*Record
	suspicions []*suspicion
	explained  bool
}

// population is what is known of a fleet.
type population struct {
	size       int
	exposed    map[value]int
	values     [CauseRegion + 1]int // how many there are of a cause
	failing    map[cluster.Reason]int
	suspicions []*suspicion
}

type suspicionKey struct {
	value
	reason cluster.Reason
}

func survey(records []*Record) *population {
	p := &population{exposed: map[value]int{}, failing: map[cluster.Reason]int{}}
	found := map[suspicionKey]*suspicion{}
	for _, r := range records {
		if r.Subject.Virtual || r.Subject.Maintenance {
			continue
		}
		p.count(r)
		if r.fails() {
			p.suspect(r, found)
		}
	}
	p.suspicions = slices.DeleteFunc(p.suspicions, func(s *suspicion) bool { return s.unexplained < minMembers })
	for _, s := range p.suspicions {
		s.exposed = p.exposed[s.value]
	}
	return p
}

// count adds a cluster, failing or not.
func (p *population) count(r *Record) {
	p.size++
	for _, cause := range [...]Cause{CauseZone, CauseAuthority, CauseRange, CauseRegion} {
		v := value{cause, r.Subject.Traits.of(cause)}
		if v.text == "" {
			continue
		}
		if p.exposed[v]++; p.exposed[v] == 1 {
			p.values[cause]++
		}
	}
}

// suspect adds a failing cluster to all that may explain it.
func (p *population) suspect(r *Record, found map[suspicionKey]*suspicion) {
	f := &failure{Record: r}
	reason := r.Verdict.Reason
	p.failing[reason]++
	for _, cause := range causesOf(reason) {
		key := suspicionKey{value{cause, r.Subject.Traits.of(cause)}, reason}
		if key.text == "" {
			continue
		}
		s := found[key]
		if s == nil {
			s = &suspicion{value: key.value, reason: reason}
			found[key] = s
			p.suspicions = append(p.suspicions, s)
		}
		s.failing = append(s.failing, f)
		s.unexplained++
		f.suspicions = append(f.suspicions, s)
	}
}

// fails reports whether the cluster is known not to be healthy, and why.
func (r *Record) fails() bool {
	if r.Suspect || r.Verdict == nil || r.Verdict.Reason == "" {
		return false
	}
	switch r.State {
	case cluster.Unreachable, cluster.Degraded, cluster.Unauthorized:
		return true
	case cluster.Unknown, cluster.Healthy:
	}
	return false
}
