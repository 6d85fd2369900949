//go:build unix

package cluster_test

import (
	"syscall"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// Not parallel: for a moment, the process may open nothing.
func TestOurOwnLimitInResolvingIsNotTheClusters(t *testing.T) {
	probe(t, newClient(t, newAPI(t).config()), cluster.Quick) // what the runtime needs for sockets is open now
	client := newClient(t, &rest.Config{Host: "https://a-name.invalid", BearerToken: canary})
	var limit syscall.Rlimit
	must(syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	none := limit
	none.Cur = 3
	must(syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none))
	v, err := client.Probe(t.Context(), cluster.Full, cluster.DefaultProbeTimeout)
	must(syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit))
	if err != nil || v.Reason != cluster.Internal || v.Blame != cluster.BlameObserver {
		t.Errorf("%+v, %v", v, err)
	}
}
