package monitor

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// metrics are what the monitor counts. None has a label for a cluster unless the operator asks for some.
type metrics struct {
	probes      *prometheus.CounterVec
	durations   *prometheus.HistogramVec
	lags        prometheus.Histogram
	transitions *prometheus.CounterVec
}

// histogram is a native one. Scrapers that do not know these get a few buckets.
func histogram(name, help string) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{
		Namespace: "clusterfleet", Subsystem: "monitor", Name: name, Help: help,
		Buckets:                     []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100, NativeHistogramMinResetDuration: time.Hour,
	}
}

func counter(name, help string) prometheus.CounterOpts {
	return prometheus.CounterOpts{Namespace: "clusterfleet", Subsystem: "monitor", Name: name, Help: help}
}

func newMetrics(m *Monitor) *metrics {
	c := &metrics{
		probes: prometheus.NewCounterVec(counter("probes_total",
			"Probes by the state that they found, and the reason where it is not HEALTHY."), []string{"state", "reason"}),
		durations: prometheus.NewHistogramVec(histogram("probe_duration_seconds",
			"How long probes took, by depth."), []string{"depth"}),
		lags: prometheus.NewHistogram(histogram("scheduler_lag_seconds",
			"How much later than due probes began.")),
		transitions: prometheus.NewCounterVec(counter("transitions_total",
			"Changes of clusters' confirmed states."), []string{"from", "to"}),
	}
	if r := m.options.Metrics; r != nil {
		r.MustRegister(c.probes, c.durations, c.lags, c.transitions, &states{monitor: m, most: m.options.ClusterMetrics})
	}
	return c
}

func (c *metrics) probed(f finding) {
	if f.verdict == nil {
		c.probes.WithLabelValues("", string(cluster.NotAttempted)).Inc()
		return
	}
	c.probes.WithLabelValues(f.verdict.State.String(), string(f.verdict.Reason)).Inc()
	c.durations.WithLabelValues(depthName(f.depth)).Observe(f.verdict.Duration.Seconds())
}

func depthName(d cluster.Depth) string {
	if d == cluster.Full {
		return "full"
	}
	return "quick"
}

func (c *metrics) lag(d time.Duration) { c.lags.Observe(max(d, 0).Seconds()) }

func (c *metrics) transited(t health.Transition) {
	c.transitions.WithLabelValues(t.From.String(), t.To.String()).Inc()
}

// states counts the clusters by state when it is asked.
type states struct {
	monitor *Monitor
	most    int // clusters with a metric of their own
}

//nolint:gochecknoglobals // constants
var (
	statesDesc = prometheus.NewDesc("clusterfleet_monitor_clusters",
		"Watched clusters by their confirmed state. Virtual ones are not counted.", []string{"state"}, nil)
	flappingDesc = prometheus.NewDesc("clusterfleet_monitor_clusters_flapping",
		"Watched clusters whose state changes too often.", nil, nil)
	suspectDesc = prometheus.NewDesc("clusterfleet_monitor_observer_suspect",
		"1 while the aggregator itself seems to be cut off.", nil, nil)
	incidentsDesc = prometheus.NewDesc("clusterfleet_monitor_incidents",
		"Failures that several clusters share.", nil, nil)
	clusterDesc = prometheus.NewDesc("clusterfleet_cluster_state",
		"1 for the confirmed state of a cluster; for as many clusters as --cluster-metrics allows.", []string{"cluster", "state"}, nil)
)

// Describe is prometheus.Collector's.
func (s *states) Describe(d chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{statesDesc, flappingDesc, suspectDesc, incidentsDesc, clusterDesc} {
		d <- desc
	}
}

// Collect is prometheus.Collector's.
func (s *states) Collect(c chan<- prometheus.Metric) {
	count := map[cluster.State]float64{}
	flapping, suspect, shown := 0.0, 0.0, 0
	if s.monitor.board.suspect.Load() {
		suspect = 1
	}
	for _, r := range s.monitor.Records() {
		if r.Subject.Virtual {
			continue
		}
		count[r.State]++
		if r.Flapping {
			flapping++
		}
		if shown < s.most {
			shown++
			c <- prometheus.MustNewConstMetric(clusterDesc, prometheus.GaugeValue, 1, r.Subject.Name, r.State.String())
		}
	}
	for _, state := range cluster.States() {
		c <- prometheus.MustNewConstMetric(statesDesc, prometheus.GaugeValue, count[state], state.String())
	}
	c <- prometheus.MustNewConstMetric(flappingDesc, prometheus.GaugeValue, flapping)
	c <- prometheus.MustNewConstMetric(suspectDesc, prometheus.GaugeValue, suspect)
	c <- prometheus.MustNewConstMetric(incidentsDesc, prometheus.GaugeValue, float64(len(s.monitor.Incidents())))
}
