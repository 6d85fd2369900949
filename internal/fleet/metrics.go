package fleet

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// metrics are what the fleet counts of its reads. None has a label for a cluster unless the operator asks for some.
type metrics struct {
	reads               *prometheus.CounterVec
	queued, durations   prometheus.Histogram
	items, bytes, pages prometheus.Counter
	inconsistent        prometheus.Counter
	postponed           prometheus.Counter
}

// The results of reading one cluster.
const (
	readWhole        = "succeeded"
	readTruncated    = "truncated"
	readFailed       = "failed"
	readNotAttempted = "not_attempted"
)

// histogram is a native one. Scrapers that do not know these get a few buckets.
func histogram(name, help string) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{
		Namespace: "clusterfleet", Name: name, Help: help,
		Buckets:                     []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100, NativeHistogramMinResetDuration: time.Hour,
	})
}

func counterOf(name, help string) prometheus.CounterOpts {
	return prometheus.CounterOpts{Namespace: "clusterfleet", Name: name, Help: help}
}

func newMetrics(f *Fleet) *metrics {
	c := &metrics{
		reads: prometheus.NewCounterVec(counterOf("reads_total",
			"Reads of clusters, a list or an object each, by result, and by reason where it failed or was not attempted."), []string{"result", "reason"}),
		queued: histogram("read_queued_seconds",
			"How long reads waited in the aggregator: for their turn, for the cluster's limits, for memory."),
		durations: histogram("read_duration_seconds",
			"How long reads took once it was their turn."),
		items: prometheus.NewCounter(counterOf("read_items_total", "Objects that were read.")),
		bytes: prometheus.NewCounter(counterOf("read_bytes_total", "Bytes of JSON that were read.")),
		pages: prometheus.NewCounter(counterOf("read_pages_total", "Pages of lists that were read, and single objects.")),
		inconsistent: prometheus.NewCounter(counterOf("read_inconsistent_lists_total",
			"Lists whose continue token expired while they were read, so that they went on by another or were begun anew.")),
		postponed: prometheus.NewCounter(counterOf("reads_postponed_total",
			"Reads that were not answered and gave their place in a call to clusters that waited for one, to begin anew behind them.")),
	}
	if r := f.options.Metrics; r != nil {
		r.MustRegister(c.reads, c.queued, c.durations, c.items, c.bytes, c.pages, c.inconsistent, c.postponed, &pressure{fleet: f, most: f.options.ClusterMetrics})
	}
	return c
}

// ended counts one read. What was not tried is none.
func (c *metrics) ended(e *End) {
	if e.Skipped || e.known {
		return
	}
	result, reason := readWhole, cluster.Reason("")
	if e.Truncated {
		result = readTruncated
	}
	if e.Inconsistent {
		c.inconsistent.Inc()
	}
	if e.Err != nil {
		var s Summary
		s.failure(e.Err)
		result, reason = readFailed, e.Err.Reason
		if s.NotAttempted > 0 {
			result = readNotAttempted
		}
	}
	c.reads.WithLabelValues(result, string(reason)).Inc()
	c.queued.Observe(e.Queued.Seconds())
	c.durations.Observe(e.Duration.Seconds())
	c.items.Add(float64(e.Items))
	c.bytes.Add(float64(e.Bytes))
	c.pages.Add(float64(e.Pages))
}

// pressure counts the clusters that are asked less often than usual, when it is asked.
type pressure struct {
	fleet *Fleet
	most  int // clusters with a metric of their own
}

//nolint:gochecknoglobals // constants
var (
	throttledDesc = prometheus.NewDesc("clusterfleet_clusters_throttled",
		"Clusters that are asked less often than usual because they have answered 429 or 503, by the kind of call.", []string{"call"}, nil)
	rateDesc = prometheus.NewDesc("clusterfleet_cluster_rate_limit",
		"How many calls a second a cluster gets at most; for as many clusters as --cluster-metrics allows.", []string{"cluster", "call"}, nil)
)

// Describe is prometheus.Collector's.
func (*pressure) Describe(d chan<- *prometheus.Desc) {
	d <- throttledDesc
	d <- rateDesc
}

// Collect is prometheus.Collector's.
func (p *pressure) Collect(c chan<- prometheus.Metric) {
	count := map[string]float64{"probe": 0, "read": 0}
	shown := 0
	for _, m := range p.fleet.roster.Load().sorted {
		if m.client == nil {
			continue
		}
		for call, limits := range map[string]cluster.Limits{"probe": m.client.ProbeLimits(), "read": m.client.ReadLimits()} {
			if limits.Throttled {
				count[call]++
			}
			if shown < p.most {
				c <- prometheus.MustNewConstMetric(rateDesc, prometheus.GaugeValue, limits.Rate, m.name(), call)
			}
		}
		shown++
	}
	for call, n := range count {
		c <- prometheus.MustNewConstMetric(throttledDesc, prometheus.GaugeValue, n, call)
	}
}
