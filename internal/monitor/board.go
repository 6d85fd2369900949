package monitor

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// board holds the latest record of each cluster for those who read. Values are immutable; readers never wait.
type board struct {
	byName sync.Map // string to *health.Record
	shared atomic.Pointer[[]health.Incident]
	// suspect says that the aggregator itself seems to be cut off.
	suspect atomic.Bool
}

func (b *board) put(r *health.Record) { b.byName.Store(r.Subject.Name, r) }

func (b *board) remove(name string) { b.byName.Delete(name) }

func (b *board) all(now time.Time, stale time.Duration) []*health.Record {
	var records []*health.Record
	b.byName.Range(func(_, value any) bool {
		records = append(records, fresh(value.(*health.Record), now, stale)) //nolint:forcetypeassert // nothing else is ever stored
		return true
	})
	return records
}

func (b *board) get(name string, now time.Time, stale time.Duration) *health.Record {
	value, ok := b.byName.Load(name)
	if !ok {
		return nil
	}
	return fresh(value.(*health.Record), now, stale) //nolint:forcetypeassert // nothing else is ever stored
}

func (b *board) incidents() []health.Incident {
	if incidents := b.shared.Load(); incidents != nil {
		return *incidents
	}
	return nil
}

// fresh returns the record, or one that says that nothing is known any more: a reader may come after a pause of the process
// and before the monitor's own goroutine.
func fresh(r *health.Record, now time.Time, stale time.Duration) *health.Record {
	if r.State == cluster.Unknown || now.Sub(r.At) < stale {
		return r
	}
	old := *r
	old.State = cluster.Unknown
	return &old
}
