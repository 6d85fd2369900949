package fleet_test

import (
	"encoding/pem"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

// await waits until what happens elsewhere has happened.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for !done() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("a minute has passed without: %s", what)
		}
	}
}

// awaitCounted waits until all requests are counted: whoever has a whole answer may be ahead of the server's counting.
func awaitCounted(t *testing.T, sim *simulator.Fleet) {
	t.Helper()
	await(t, "no request is in flight", func() bool { return sim.Stats().InFlight == 0 })
}

func awaitConnections(t *testing.T, sim *simulator.Fleet, name string, want int64) {
	t.Helper()
	await(t, name+" has its connections closed", func() bool {
		s, _ := sim.ClusterStats(name)
		return s.OpenConnections == want
	})
}

// encodeCertificate returns the certificate of a test's own server in the form of a kubeconfig.
func encodeCertificate(server *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}
