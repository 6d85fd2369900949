package monitor

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// Prober makes the probes. An error says that a probe did not end, and nothing about the cluster.
type Prober interface {
	Check(ctx context.Context, cluster string, depth cluster.Depth) (*cluster.Verdict, error)
}

// Keeper keeps what outlives the process. Its methods do not wait for a disk.
type Keeper interface {
	Append(health.Transition)
	Save(...health.Snapshot)
	Forget(cluster string)
}

// Options are the monitor's settings.
type Options struct {
	// Rules are the thresholds; their Interval is the pace. Zero: health.DefaultRules.
	Rules health.Rules
	// FullEvery is how often a cluster gets a full probe. 0: 5 minutes.
	FullEvery time.Duration
	// Keeper gets transitions and records; nil: they last as long as the process.
	Keeper Keeper
	// Restored is what was kept when the process ended.
	Restored []health.Snapshot
	// Log gets a line a transition; nil discards it.
	Log *slog.Logger
	// Metrics gets the monitor's metrics; nil: they are counted and not shown.
	Metrics prometheus.Registerer
	// ClusterMetrics is for how many clusters, by name, there are metrics of their own. 0: none.
	ClusterMetrics int
}

const (
	defaultFullEvery = 5 * time.Minute
	// tick is the pace of what time alone changes, such as staleness.
	tick = time.Second
	// judgeEvery bounds how often the guard is asked.
	judgeEvery = 250 * time.Millisecond
	// batch is what probes are put off to begin together: a processor that wakes up once for many spends less on each.
	batch = 25 * time.Millisecond
	// maxIdle is how many goroutines wait for a probe to make at most, each with a stack of some 8 KiB. A fleet of 10,000 whose
	// probes take 100 ms has that many under way.
	maxIdle = 128
	// correlateEvery bounds how often shared failures are looked for.
	correlateEvery = time.Second
	// saveEvery is how often a record is kept whose state does not change.
	saveEvery = time.Minute
)
