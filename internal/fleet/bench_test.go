package fleet_test

import (
	"context"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
	"github.com/clusterfleet/clusterfleet/pkg/fanout"
)

// BenchmarkProbeOverhead measures what a fleet's quick probe costs a cluster beyond the client's own: selection, order,
// sharing, and the stored result. Both fan out with the same limit; the CPU of the simulated servers is in both.
func BenchmarkProbeOverhead(b *testing.B) {
	const clusters, limit = 500, 64
	sim, f := fleettest.Start(b, simulator.Config{Clusters: clusters})
	clients := make([]*cluster.Client, clusters)
	for i, name := range sim.Names() {
		clients[i] = f.Client(name)
	}
	ofClients := func() {
		probe := func(ctx context.Context, c *cluster.Client) (*cluster.Verdict, error) {
			return c.Probe(ctx, cluster.Quick, cluster.DefaultProbeTimeout)
		}
		for r := range fanout.Each(b.Context(), slices.Values(clients), limit, probe) {
			if r.Err != nil || r.Value.State != cluster.Healthy {
				b.Fatal(r)
			}
		}
	}
	ofFleet := func() {
		run, err := f.Probe(b.Context(), fleet.ProbeRequest{Depth: cluster.Quick, Limit: limit})
		if err != nil {
			b.Fatal(err)
		}
		for r := range run.Results {
			if r.Err != nil || r.Observation.Verdict.State != cluster.Healthy {
				b.Fatal(r)
			}
		}
	}
	ofClients() // makes the connections
	var client, whole time.Duration
	for b.Loop() {
		client += spent(b, ofClients)
		whole += spent(b, ofFleet)
	}
	probes := float64(b.N * clusters)
	b.ReportMetric(float64(client.Microseconds())/probes, "client-µs/probe")
	b.ReportMetric(float64(whole.Microseconds())/probes, "fleet-µs/probe")
	b.ReportMetric(float64((whole-client).Microseconds())/probes, "overhead-µs/probe")
}

// BenchmarkGet measures how far reading 5,000 objects of 100 clusters by reference is from ideal: from what the latency of
// each cluster's objects takes, two at a time.
func BenchmarkGet(b *testing.B) {
	const clusters, objects, latency = 100, 50, 50 * time.Millisecond
	const ideal = objects / cluster.MaxReads * latency
	sim, f := fleettest.Start(b, simulator.Config{
		Clusters: clusters, Counts: fleettest.OnlyConfigMaps(objects), Latency: simulator.Constant(latency),
	})
	references := everywhere(b, f, sim)
	sim.ResetStats()
	var took time.Duration
	for b.Loop() {
		b.StopTimer()
		<-time.After(2 * time.Second) // the burst that each cluster allows is there again
		b.StartTimer()
		start := time.Now()
		run, err := f.Get(b.Context(), fleet.GetRequest{References: references})
		if err != nil {
			b.Fatal(err)
		}
		for r := range run.Results {
			if r.Err != nil {
				b.Fatal(r.Err)
			}
		}
		took += time.Since(start)
	}
	b.ReportMetric(float64(took)/float64(ideal)/float64(b.N), "×ideal")
	b.ReportMetric(float64(sim.Stats().TLSHandshakes)/float64(b.N), "handshakes")
}

// everywhere returns references to all ConfigMaps of all clusters, which hold the same, the clusters in turns.
func everywhere(t testing.TB, f *fleet.Fleet, sim *simulator.Fleet) []fleet.Reference {
	t.Helper()
	names := sim.Names()
	run, err := f.Fetch(t.Context(), fleet.FetchRequest{Query: configMaps(), Selector: fleet.Selector{Names: names[:1]}})
	if err != nil {
		t.Fatal(err)
	}
	var references []fleet.Reference
	for b := range run.Results {
		for _, item := range b.Items {
			for _, name := range names {
				q := configMaps()
				q.Namespace, q.Name = item.Namespace, item.Name
				references = append(references, fleet.Reference{Cluster: name, Query: q})
			}
		}
	}
	return references
}

// spent returns the CPU time of the process while f ran.
func spent(b *testing.B, f func()) time.Duration {
	b.Helper()
	before := cpu(b)
	f()
	return cpu(b) - before
}

func cpu(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkSelect measures what is done for all clusters before the first is asked.
func BenchmarkSelect(b *testing.B) {
	definitions := virtual(10_000)
	f := fleettest.Of(b, definitions, fleet.Options{})
	ctx, cancel := context.WithCancel(b.Context())
	cancel()
	for b.Loop() {
		run, err := f.Probe(ctx, fleet.ProbeRequest{Selector: fleet.Selector{Labels: "env in (prod,dev)"}})
		if err != nil || run.Expected != len(definitions) {
			b.Fatal(run.Expected, err)
		}
		for range run.Results {
			break
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(definitions)), "ns/cluster")
}

func virtual(n int) []cluster.Definition {
	definitions := make([]cluster.Definition, n)
	for i := range definitions {
		definitions[i] = cluster.Definition{Name: string(rune('a'+i%26)) + time.Duration(i).String(), Virtual: true, Labels: map[string]string{"env": "prod"}}
	}
	return definitions
}
