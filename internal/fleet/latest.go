package fleet

import (
	"sync"
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// latest holds the latest observation of each cluster. Values are immutable; readers never wait. The key is the member
// and not its name: a cluster that comes back under the name of one that went has nothing to do with it.
type latest struct {
	byMember sync.Map // *member to *Observation
}

func (l *latest) get(m *member) *Observation {
	value, ok := l.byMember.Load(m)
	if !ok {
		return nil
	}
	return value.(*Observation) //nolint:forcetypeassert // nothing else is ever stored
}

// put stores the observation unless a later one is there, and returns it with the last success filled in. A cluster that
// is gone leaves no trace, even if it goes while its observation is stored.
func (l *latest) put(m *member, o Observation) *Observation {
	for {
		old := l.get(m)
		o.LastSuccess = lastSuccess(old, o)
		stored := &o
		if old != nil && old.At.After(o.At) {
			later := *old
			later.LastSuccess = o.LastSuccess
			stored = &later
		}
		if !l.swap(m, old, stored) {
			continue
		}
		if m.gone.Load() {
			l.byMember.Delete(m)
		}
		return &o
	}
}

func (l *latest) swap(m *member, old, stored *Observation) bool {
	if old == nil {
		_, loaded := l.byMember.LoadOrStore(m, stored)
		return !loaded
	}
	return l.byMember.CompareAndSwap(m, old, stored)
}

// remove forgets a member that is gone.
func (l *latest) remove(m *member) { l.byMember.Delete(m) }

// lastSuccess returns when the cluster was last found healthy, given what is stored of it and what was just found.
func lastSuccess(old *Observation, o Observation) (at time.Time) {
	if old != nil {
		at = old.LastSuccess
	}
	if o.Verdict.State == cluster.Healthy && o.At.After(at) {
		at = o.At
	}
	return at
}
