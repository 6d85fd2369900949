package simulator_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

func TestLatencyIsReadOrRefused(t *testing.T) {
	for _, text := range []string{
		"0s", "50ms", "uniform:10ms-90ms", "uniform:1s-1s", "lognormal:p50=20ms,p99=200ms", "50ms,1%=5s",
		"lognormal:p50=20ms,p99=200ms,0.5%=5s,1%=2s",
	} {
		if _, err := simulator.ParseLatency(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{
		"", "50", "soon", "-1s", "uniform:10ms", "uniform:2s-1s", "uniform:a-1s", "uniform:1s-b", "lognormal:20ms",
		"lognormal:p50=0s,p99=1s", "lognormal:p50=2s,p99=1s", "lognormal:p50=x,p99=1s", "lognormal:p50=1s,p99=x",
		"50ms,5s", "50ms,0%=5s", "50ms,101%=5s", "50ms,x%=5s", "50ms,1%=x", "1%=5s",
	} {
		if _, err := simulator.ParseLatency(text); err == nil || !strings.Contains(err.Error(), "latency") {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

func TestEveryAnswerTakesItsLatency(t *testing.T) {
	latency, err := simulator.ParseLatency("uniform:40ms-60ms")
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(t, start(t, simulator.Config{Clusters: 1, Latency: latency}), "sim-0001")
	for _, path := range []string{"/readyz", "/api/v1/pods"} {
		began := time.Now()
		wantStatus(t, c.get(path), 200)
		if took := time.Since(began); took < 40*time.Millisecond {
			t.Errorf("%s took %v", path, took)
		}
	}
}

func TestTailIsAShareOfTheClusters(t *testing.T) {
	latency, err := simulator.ParseLatency("0s,10%=1h")
	if err != nil {
		t.Fatal(err)
	}
	fleet := start(t, simulator.Config{Clusters: 50, Latency: latency})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	known, answers := load(t, fleet), make(chan error, 50)
	for _, name := range fleet.Names() {
		c := known.client(name)
		go func() {
			_, err := read(c.request(ctx, http.MethodGet, "/readyz", nil, nil))
			answers <- err
		}()
	}
	eventually(t, "all that are not slow have answered", func() bool {
		stats := fleet.Stats()
		return stats.Requests == 45 && stats.InFlight == 5
	})
	cancel()
	for range 50 {
		if err := <-answers; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}
