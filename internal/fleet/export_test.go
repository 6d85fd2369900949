package fleet

import (
	"sort"
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// Idle reports whether every bound of the fleet is free again and no probe is shared.
func (f *Fleet) Idle() bool {
	f.flights.mu.Lock()
	defer f.flights.mu.Unlock()
	free := f.probes.TryAcquire(maxProbes)
	if free {
		f.probes.Release(maxProbes)
	}
	readable := f.reads.TryAcquire(maxReadBytes)
	if readable {
		f.reads.Release(maxReadBytes)
	}
	comparing := f.compare.memory.TryAcquire(maxCompareBytes)
	if comparing {
		f.compare.memory.Release(maxCompareBytes)
	}
	for _, m := range f.roster.Load().byName {
		if len(m.probing) > 0 {
			return false
		}
	}
	return free && readable && comparing && len(f.flights.calls) == 0
}

// Traces returns how many clusters the store of observations knows.
func (f *Fleet) Traces() (n int) {
	f.latest.byMember.Range(func(any, any) bool { n++; return true })
	return n
}

// Client returns the client of a cluster.
func (f *Fleet) Client(name string) *cluster.Client { return f.roster.Load().byName[name].client }

// ReadPace returns how long reading a cluster took last time, 0 if it is not known.
func (f *Fleet) ReadPace(name string) time.Duration {
	return time.Duration(f.roster.Load().byName[name].pace[readWork].Load())
}

// Callers returns how many callers wait for probes.
func (f *Fleet) Callers() (n int) {
	f.flights.mu.Lock()
	defer f.flights.mu.Unlock()
	for _, call := range f.flights.calls {
		n += call.callers
	}
	return n
}

// ReadWeight is what one page holds.
const ReadWeight = readWeight

// Held returns how much of the memory for reads is held. Nothing else may run.
func (f *Fleet) Held() int64 {
	free := sort.Search(maxReadBytes+1, func(n int) bool {
		if !f.reads.TryAcquire(int64(n)) {
			return true
		}
		f.reads.Release(int64(n))
		return false
	})
	return maxReadBytes - int64(free-1)
}

// LeaveReads takes the memory for reads but for so much, until it is released.
func (f *Fleet) LeaveReads(n int64) (release func()) {
	if !f.reads.TryAcquire(maxReadBytes - n) {
		panic("something is held")
	}
	return func() { f.reads.Release(maxReadBytes - n) }
}
