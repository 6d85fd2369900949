package fleet

import (
	"sync"
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// latest holds the latest observation of each cluster by name. Values are immutable; readers never wait.
type latest struct {
	byName sync.Map // string to *Observation
}

func (l *latest) get(name string) *Observation {
	value, ok := l.byName.Load(name)
	if !ok {
		return nil
	}
	return value.(*Observation) //nolint:forcetypeassert,errcheck // nothing else is ever stored
}

// put stores the observation unless a later one is there, and returns it with the last success filled in. A cluster that
// is gone leaves no trace, even if it goes while its observation is stored.
func (l *latest) put(m *member, o Observation) *Observation {
	for {
		old := l.get(m.name())
		if old != nil && old.At.After(o.At) {
			return &o
		}
		o.LastSuccess = lastSuccess(old, o)
		stored := o
		if !l.swap(m.name(), old, &stored) {
			continue
		}
		if m.gone.Load() {
			l.byName.CompareAndDelete(m.name(), &stored)
		}
		return &stored
	}
}

func (l *latest) swap(name string, old, stored *Observation) bool {
	if old == nil {
		_, loaded := l.byName.LoadOrStore(name, stored)
		return !loaded
	}
	return l.byName.CompareAndSwap(name, old, stored)
}

func (l *latest) remove(name string) { l.byName.Delete(name) }

func lastSuccess(old *Observation, o Observation) (at time.Time) {
	if o.Verdict.State == cluster.Healthy {
		return o.At
	}
	if old != nil {
		return old.LastSuccess
	}
	return at
}
