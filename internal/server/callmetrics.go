package server

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// callMetrics count what gRPC's own metrics do not tell.
type callMetrics struct {
	watchers prometheus.Gauge
	events   prometheus.Counter
	evicted  *prometheus.CounterVec
}

func newCallMetrics() *callMetrics {
	return &callMetrics{
		watchers: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: "clusterfleet", Name: "watchers",
			Help: "Callers that watch the health of clusters.",
		}),
		events: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: "clusterfleet", Name: "watch_events_sent_total",
			Help: "Changes of health that watchers were told of. grpc_server_msg_sent_total does not count them.",
		}),
		evicted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "clusterfleet", Name: "slow_callers_ended_total",
			Help: "Calls that were ended because what was sent was not read in time, by method.",
		}, []string{"method"}),
	}
}

func (m *callMetrics) register(r prometheus.Registerer) error {
	return errors.Join(r.Register(m.watchers), r.Register(m.events), r.Register(m.evicted))
}
