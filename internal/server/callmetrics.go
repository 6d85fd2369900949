package server

import "github.com/prometheus/client_golang/prometheus"

// callMetrics count what gRPC's own metrics do not tell.
type callMetrics struct {
	watchers prometheus.Gauge
	evicted  *prometheus.CounterVec
}

func newCallMetrics() *callMetrics {
	return &callMetrics{
		watchers: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: "clusterfleet", Name: "watchers",
			Help: "Callers that watch the health of clusters.",
		}),
		evicted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "clusterfleet", Name: "slow_callers_ended_total",
			Help: "Calls that were ended because what was sent was not read in time, by method.",
		}, []string{"method"}),
	}
}

func (m *callMetrics) register(r prometheus.Registerer) error {
	if err := r.Register(m.watchers); err != nil {
		return err
	}
	return r.Register(m.evicted)
}
