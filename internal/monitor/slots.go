package monitor

// Bounds of the probes at one time.
const (
	minSlots = 64
	maxSlots = 4096
	// clustersPerSlot makes a slot for every so many clusters. A probe of one that is silent takes 5 s: even if all of them
	// are, the failing half of the slots comes round in 20 s.
	clustersPerSlot = 2
	// slotsPerFirst makes one slot of so many one for first probes. Each of these costs a TLS handshake and four requests: at
	// 100 handshakes a second, which is little, those of 10,000 clusters still come to their turn within the 5 s of a probe.
	slotsPerFirst = 8
)

// slots bound the probes at one time. Clusters that fail get at most half of them, so that those which answer are probed
// at their pace however many do not. Those that were never probed get few: where the processor cannot follow, many would
// spend their time waiting for each other.
type slots struct {
	all                   int
	total, failing, first int // taken
	// due wait for a slot in the order in which their time came.
	due, dueFailing, dueFirst queue
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

// take returns a cluster that gets a slot now, nil if there is none or no slot for it.
func (s *slots) take() *entry {
	if s.total >= s.all {
		return nil
	}
	if s.failing < s.all/2 {
		if e := s.dueFailing.pop(); e != nil {
			s.total++
			s.failing++
			e.slot = failingSlot
			return e
		}
	}
	if s.first < max(s.all/slotsPerFirst, minSlots) {
		if e := s.dueFirst.pop(); e != nil {
			s.total++
			s.first++
			e.slot = firstSlot
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

// release gives the slot of a cluster back.
func (s *slots) release(e *entry) {
	s.total--
	switch e.slot {
	case failingSlot:
		s.failing--
	case firstSlot:
		s.first--
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
)

// queue is first in, first out. Clusters that went meanwhile are left out.
type queue struct{ entries []*entry }

func (q *queue) push(e *entry) { q.entries = append(q.entries, e) }

func (q *queue) pop() *entry {
	for len(q.entries) > 0 {
		e := q.entries[0]
		q.entries[0] = nil
		q.entries = q.entries[1:]
		if !e.gone {
			return e
		}
	}
	q.entries = nil
	return nil
}
