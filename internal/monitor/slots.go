package monitor

import "time"

// Bounds of the probes at one time.
const (
	minSlots = 64
	maxSlots = 4096
	// clustersPerSlot makes a slot for every so many clusters. A probe of one that is silent takes 5 s: even if all of them
	// are, the failing half of the slots comes round in 20 s.
	clustersPerSlot = 2
	// slotsPerFirst makes one slot of so many one for first probes that work. Each of these costs a TLS handshake and four
	// requests: at 100 handshakes a second, which is little, those of 10,000 clusters still come to their turn within the 5 s
	// of a probe.
	slotsPerFirst = 8
	// working is how long a first probe is taken to work. After that it most likely waits for a silent server.
	working = time.Second
	// mostFirst is how many first probes begin within each mostFirstIn: one every 2 ms is due, and a process that was late makes
	// up for it without a rush.
	mostFirst   = 270
	mostFirstIn = 500 * time.Millisecond
)

// slots bound the probes at one time. Clusters that fail get at most half of them, so that those which answer are probed
// at their pace however many do not. Those that were never probed get few: where the processor cannot follow, many would
// spend their time waiting for each other. They begin only while a quarter is left to those which answer.
type slots struct {
	all                         int
	total, failing, first, late int // taken
	// due wait for a slot in the order in which their time came.
	due, dueFailing, dueFirst queue
	// begun are the clusters whose first probe began within the last second; of some it has ended.
	begun []begun
	// slow says that first probes take long though their clusters live: it may be us. Then the late ones do work.
	slow bool
}

// begun is when the first probe of a cluster began.
type begun struct {
	entry *entry
	at    time.Time
}

// resize makes the slots those of a fleet.
func (s *slots) resize(clusters int) { s.all = min(max(clusters/clustersPerSlot, minSlots), maxSlots) }

// wait lets a cluster wait whose time has come.
func (s *slots) wait(e *entry) {
	switch {
	case e.failing():
		s.dueFailing.push(e)
	case e.unprobed():
		s.dueFirst.push(e)
	default:
		s.due.push(e)
	}
}

// age makes the first probes late that have been under way for long.
func (s *slots) age(now time.Time) {
	for len(s.begun) > 0 && now.Sub(s.begun[0].at) >= working {
		if b := s.begun[0]; b.entry.slot == firstSlot && b.entry.begun.Equal(b.at) {
			b.entry.slot = lateSlot
			s.first--
			s.late++
		}
		s.begun[0] = begun{}
		s.begun = s.begun[1:]
	}
}

// roomForFirst reports whether there is a slot for a first probe.
func (s *slots) roomForFirst(now time.Time) bool {
	if n := len(s.begun) - mostFirst; n >= 0 && now.Sub(s.begun[n].at) < mostFirstIn {
		return false
	}
	work := s.first
	if s.slow {
		work += s.late
	}
	return work < max(s.all/slotsPerFirst, minSlots) && s.first+s.late+s.failing < s.all-s.all/4
}

// take returns a cluster that gets a slot now, nil if there is none or no slot for it.
func (s *slots) take(now time.Time) *entry {
	s.age(now)
	if s.total >= s.all {
		return nil
	}
	if s.failing+s.late < s.all/2 {
		if e := s.dueFailing.pop(); e != nil {
			s.total++
			s.failing++
			e.slot = failingSlot
			return e
		}
	}
	if s.roomForFirst(now) {
		if e := s.dueFirst.pop(); e != nil {
			s.total++
			s.first++
			e.slot, e.begun = firstSlot, now
			s.begun = append(s.begun, begun{e, now})
			return e
		}
	}
	e := s.due.pop()
	if e != nil {
		s.total++
		e.slot = anySlot
	}
	return e
}

// release gives the slot of a cluster back, which was silent or not.
func (s *slots) release(e *entry, silent bool) {
	s.total--
	switch e.slot {
	case failingSlot:
		s.failing--
	case firstSlot:
		s.first--
		s.slow = s.slow && silent
	case lateSlot:
		s.late--
		s.slow = s.slow || !silent
	case anySlot, noSlot:
	}
	e.slot = noSlot
}

// slot is what a cluster that is probed has.
type slot int

const (
	noSlot slot = iota
	anySlot
	failingSlot
	firstSlot
	// lateSlot is that of a first probe that has taken long.
	lateSlot
)
