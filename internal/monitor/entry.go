package monitor

import (
	"slices"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// entry is one cluster that is watched. The monitor's lock guards it.
type entry struct {
	subject *health.Subject
	// definition tells whether a cluster of that name is still the same one.
	definition cluster.Definition

	status health.Status
	record *health.Record
	window health.Window
	uptime health.Uptime
	// restored is the state before the process ended, Unknown once the cluster's state is known again.
	restored cluster.State
	incident string

	// due is when the next probe should begin, nextFull when the next full one.
	due, nextFull time.Time
	depth         cluster.Depth
	// informed says that a full probe has found the cluster healthy since it was last down.
	informed bool
	index    int // in the schedule, -1 while it is not there
	slot     slot
	// accounted is the time up to which availability is known, saved that of the last snapshot.
	accounted, saved time.Time
	gone             bool
}

// failing reports whether the cluster was not found healthy last time. One that was never probed is not failing.
func (e *entry) failing() bool {
	return e.record.Verdict != nil && !e.record.Restored && e.record.Verdict.State != cluster.Healthy
}

// thorough reports whether only a full probe can tell whether the cluster is healthy again: it is ready, and yet something
// is wrong that a quick probe does not look at.
func (e *entry) thorough() bool {
	return e.failing() && slices.ContainsFunc(e.record.Verdict.Checks, func(c cluster.Check) bool {
		return c.Kind == cluster.CheckReady && c.Outcome == cluster.Passed
	})
}

// watchable reports whether there is anything to probe.
func (e *entry) watchable() bool { return !e.subject.Virtual }

// account adds the time since the last call to the availability: as the state was, if it was known.
func (e *entry) account(now time.Time) {
	from := e.accounted
	e.accounted = now
	shown := e.status.Shown()
	if from.IsZero() || shown == cluster.Unknown || e.subject.Maintenance {
		return
	}
	e.uptime.Add(from, now, shown == cluster.Healthy)
}

// snapshot is what of the cluster outlives the process.
func (e *entry) snapshot() health.Snapshot {
	r := e.record
	uptime, err := e.uptime.MarshalBinary()
	if err != nil {
		uptime = nil // it is better to lose the availability than the state
	}
	return health.Snapshot{
		Cluster: r.Subject.Name, State: r.State, Known: r.Known, Since: r.Since, At: r.At, LastSuccess: r.LastSuccess,
		Flapping: r.Flapping, Verdict: r.Verdict, Expiries: r.Expiries, Uptime: uptime,
	}
}

// rebuild makes the record that follows from the entry, with the verdict and expiries of the one before.
func (e *entry) rebuild(now time.Time) *health.Record {
	next := *e.record
	next.Subject = e.subject
	next.State, next.Known = e.status.Shown(), e.known()
	next.Since = e.status.Since
	next.Suspect = e.status.Suspect
	next.Flapping = e.status.Flapping(now)
	next.Incident = e.incident
	if e.restored != cluster.Unknown && next.Since.IsZero() {
		next.Since = e.record.Since
	}
	return &next
}

// known is the last known state.
func (e *entry) known() cluster.State {
	if shown := e.status.Shown(); shown != cluster.Unknown {
		return shown
	}
	if e.status.Suspect && e.status.State != cluster.Unknown {
		return e.status.State
	}
	if e.status.Known != cluster.Unknown {
		return e.status.Known
	}
	return e.restored
}
