package health

import (
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// HistoryQuery asks for transitions, the latest first.
type HistoryQuery struct {
	// Clusters are the names of those it is about; nil: all.
	Clusters map[string]struct{}
	// To are the states changed to; empty: any.
	To []cluster.State
	// Since is the earliest time; zero: all that are kept.
	Since time.Time
	// Before is the sequence that all have to be before; 0: from the latest on.
	Before uint64
	// Limit is how many to return at most. It is positive.
	Limit int
}

// Snapshot is what of a cluster's health outlives the process.
type Snapshot struct {
	Cluster                string
	State, Known           cluster.State
	Since, At, LastSuccess time.Time
	// Verdict is the latest; only state, reason, blame, message, hint, version, user, failing checks and depth are kept.
	Verdict  *cluster.Verdict
	Expiries []cluster.Expiry
	// Uptime is what availability is computed from, in its binary form; empty if there is none.
	Uptime []byte
}
