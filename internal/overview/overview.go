package overview

import (
	"time"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// Section is a part of an overview.
type Section int

// The sections.
const (
	SectionStates Section = iota + 1
	SectionReasons
	SectionVersions
	SectionExpiring
	SectionIncidents
	SectionSlowest
	SectionTransitions
)

// Overview is a summary of a fleet. What belongs to a section that failed is empty.
type Overview struct {
	// States counts all selected clusters, nil if the section failed; Groups counts them by the values of a label, the
	// largest first.
	States *States
	Groups []States
	// Reasons are why clusters are not healthy, the most frequent first.
	Reasons []Reason
	// Versions are what they run, the most frequent first. Virtual clusters run none.
	Versions []Version
	// Expiring is what expires soon or has expired, the earliest first.
	Expiring []Expiring
	// Incidents are those with a selected member, the largest first. They are found over the whole fleet.
	Incidents []health.Incident
	// Slowest are the clusters with the largest 99th percentile of their latency, the slowest first.
	Slowest []*health.Record
	// Transitions are what has changed, the latest first.
	Transitions []health.Transition
	// Failures are the sections that could not be made, in their order.
	Failures []Failure
}

// Failure is why a section could not be made. Err is a context.DeadlineExceeded if it took too long; its text is for logs.
type Failure struct {
	Section Section
	Err     error
}

// States counts clusters by state.
type States struct {
	// Value is that of the label by which clusters are grouped, empty for those without it.
	Value string
	// Total counts all. Those in maintenance and those that flap are counted by their state too; virtual ones are not.
	Total, Virtual, Maintenance, Flapping                 int
	Healthy, Degraded, Unreachable, Unauthorized, Unknown int
}

// Reason counts the clusters that are not healthy for one reason.
type Reason struct {
	Reason cluster.Reason
	Count  int
	// Clusters are the names of the first few, sorted.
	Clusters []string
}

// Version counts the clusters of one server version, empty where it is not known.
type Version struct {
	Version string
	Count   int
}

// Expiring is a certificate or token of a cluster that expires soon or has expired.
type Expiring struct {
	Cluster string
	Kind    cluster.ExpiryKind
	At      time.Time
}
