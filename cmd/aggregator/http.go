package main

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/version"
)

// httpShutdownTime is what scrapes under way get to end.
const httpShutdownTime = 2 * time.Second

// newRegistry returns a registry with the metrics of the process.
func newRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	// Of the heap, what is in use says little: how much of it lives is known at each collection.
	live := collectors.WithGoCollectorRuntimeMetrics(collectors.GoRuntimeMetricsRule{Matcher: regexp.MustCompile(`^/gc/heap/live:bytes$`)})
	registry.MustRegister(collectors.NewGoCollector(live), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry
}

// fleetMetrics are those of the fleet and of its kubeconfig.
func fleetMetrics(f *fleet.Fleet, l *loader) []prometheus.Collector {
	return []prometheus.Collector{
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "clusterfleet_clusters",
			Help: "Clusters in the fleet.",
		}, func() float64 { return float64(f.Size()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "clusterfleet_kubeconfig_problems",
			Help: "Contexts, entries and files of the kubeconfig that could not be used when it was last read.",
		}, func() float64 { return float64(l.problems.Load()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name:        "clusterfleet_build_info",
			Help:        "Always 1; the version is a label.",
			ConstLabels: prometheus.Labels{"version": version.String()},
		}, func() float64 { return 1 }),
	}
}

// web serves metrics and the process's own health.
type web struct {
	server   *http.Server
	listener net.Listener // nil: nothing is served
}

// newWeb returns the HTTP side. With certified, metrics are for those who have shown a client certificate.
func newWeb(listener net.Listener, secure *tls.Config, certified bool, registry *prometheus.Registry, ready func() bool, log *slog.Logger) *web {
	metrics := promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry})
	if certified {
		metrics = demandCertificate(metrics)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !ready() {
			answer(w, http.StatusServiceUnavailable, "shutting down")
			return
		}
		answer(w, http.StatusOK, "ok")
	})
	return &web{listener: listener, server: &http.Server{
		Handler:           mux,
		TLSConfig:         secure,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}}
}

// demandCertificate lets pass who has shown a client certificate; the handshake has verified it.
func demandCertificate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
			answer(w, http.StatusUnauthorized, "a client certificate is required")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n") // who asked may have left
}

func (w *web) address() string {
	if w.listener == nil {
		return ""
	}
	return w.listener.Addr().String()
}

// serve answers until shutdown.
func (w *web) serve() error {
	var err error
	switch {
	case w.listener == nil:
		return nil
	case w.server.TLSConfig != nil:
		err = w.server.ServeTLS(w.listener, "", "")
	default:
		err = w.server.Serve(w.listener)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// shutdown ends the HTTP side within httpShutdownTime.
func (w *web) shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, httpShutdownTime)
	defer cancel()
	if err := w.server.Shutdown(ctx); err != nil {
		return w.server.Close()
	}
	return nil
}
