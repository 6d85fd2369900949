package hibernation

// State says whether a group of workloads sleeps.
type State int

// The states of groups.
const (
	// Running: none sleeps.
	Running State = iota
	// Hibernated: every workload sleeps, and there is at least one.
	Hibernated
	// PartiallyHibernated: some sleep. Whether all do is not known where something could not be read.
	PartiallyHibernated
	// Unknown: none sleeps as far as known, and something could not be read.
	Unknown
)

// Sum is what a group of workloads comes to.
type Sum struct {
	// Eligible is how many workloads there are, Hibernated how many of them sleep.
	Eligible, Hibernated int
	// Unknown is how many types could not be read.
	Unknown int
	// Replicas is what all ask for, HibernatedReplicas what those that sleep asked for before, as far as that is known.
	Replicas, HibernatedReplicas int64
}

func (s *Sum) add(w Workload) {
	s.Eligible++
	s.Replicas += w.Replicas
	if w.Asleep {
		s.Hibernated++
		s.HibernatedReplicas += w.Before
	}
}

// State returns the state of the group.
func (s Sum) State() State {
	switch {
	case s.Hibernated == 0 && s.Unknown > 0:
		return Unknown
	case s.Hibernated == 0:
		return Running
	case s.Hibernated < s.Eligible || s.Unknown > 0:
		return PartiallyHibernated
	}
	return Hibernated
}
