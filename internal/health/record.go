package health

import (
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// Record is what is known of one cluster's health. It is immutable, and so is all that it points to.
type Record struct {
	// Subject is the cluster.
	Subject *Subject
	// State is the confirmed state. It is Unknown while nothing recent is known and while the observer is suspect.
	State cluster.State
	// Known is the last known state where State is Unknown, else the same.
	Known cluster.State
	// Since is when State began, zero where the cluster has never been in another.
	Since time.Time
	// Suspect says that the aggregator itself seems to be cut off.
	Suspect bool
	// Flapping says that the state has changed too often lately.
	Flapping bool
	// Restored says that the record comes from the store and the cluster has not been probed since.
	Restored bool
	// Verdict is what the latest probe found, whether confirmed or not; nil until there is one. At is when that probe
	// ended; it carries a monotonic reading unless the record was restored.
	Verdict *cluster.Verdict
	At      time.Time
	// LastSuccess is when the cluster was last found healthy, zero if it never was.
	LastSuccess time.Time
	// Expiries are from the last full probe.
	Expiries []cluster.Expiry
	// Latency and Availability are of the moment At.
	Latency      Quantiles
	Availability Availability
	// Incident is the id of the incident that the cluster is a member of, empty if there is none.
	Incident string
}

// Subject is a cluster as far as its health goes. It is immutable.
type Subject struct {
	Name   string
	Labels map[string]string
	// Virtual clusters are not probed. Those in maintenance are, but nobody is alarmed.
	Virtual, Maintenance bool
	Traits               Traits
}

// Traits are what clusters may have in common that makes them fail together. Empty ones are not known.
type Traits struct {
	// Zone is the DNS zone of the API server's name, Range the address range of its literal address, Authority the
	// fingerprint of the certificate authority, Region the value of the region label.
	Zone, Range, Authority, Region string
}

// Quantiles are of the durations of the last successful probes, N of them.
type Quantiles struct {
	P50, P90, P99 time.Duration
	N             int
}

// Availability is the part of the time, from 0 to 1, in which a cluster was healthy, of the time in which its state was
// known and it was not in maintenance. It is negative where nothing was known in that time.
type Availability struct{ Hour, Day, Month float64 }

// Transition is a change of a cluster's confirmed state.
type Transition struct {
	// Sequence is the position in the history, ascending from 1; 0 until it is stored.
	Sequence uint64
	Cluster  string
	At       time.Time
	From, To cluster.State
	// Reason, Blame and Message are those of the verdict that confirmed it; empty for Healthy.
	Reason  cluster.Reason
	Blame   cluster.Blame
	Message string
	// Lasted is how long From had lasted, 0 where that is not known.
	Lasted   time.Duration
	Flapping bool
}

// Incident is a failure that several clusters share, with the cause that they have in common.
type Incident struct {
	ID     string
	Cause  Cause
	Value  string
	Reason cluster.Reason
	// Since is when the first member failed.
	Since time.Time
	// Members are the clusters' names, sorted. Exposed is how many clusters of the fleet share the cause's value.
	Members []string
	Exposed int
	Message string
}

// Cause is what the members of an incident have in common.
type Cause int

// The causes.
const (
	CauseZone Cause = iota + 1
	CauseAuthority
	CauseRange
	CauseRegion
)
