package fleet_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// gathered returns the metrics of a registry: `name{label=value,…}` to value, and of histograms the number of
// observations.
func gathered(t *testing.T, r *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	result := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			labels := make([]string, len(m.GetLabel()))
			for i, l := range m.GetLabel() {
				labels[i] = l.GetName() + "=" + l.GetValue()
			}
			key := strings.TrimPrefix(family.GetName(), "clusterfleet_") + "{" + strings.Join(labels, ",") + "}"
			result[key] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			if m.GetHistogram() != nil && len(m.GetHistogram().GetPositiveSpan())+len(m.GetHistogram().GetBucket()) == 0 {
				t.Errorf("%s has no buckets", key)
			}
		}
	}
	return result
}

func TestReadsAreCountedByResultAndReason(t *testing.T) {
	sim := fleettest.Simulate(t, simulator.Config{Clusters: 4, Counts: fleettest.OnlyConfigMaps(600)})
	definitions := append(fleettest.Definitions(t, sim), cluster.Definition{Name: "virtual", Virtual: true})
	registry := prometheus.NewRegistry()
	f := fleettest.Of(t, definitions, fleet.Options{Metrics: registry, ClusterMetrics: 2})
	fleettest.SetFault(t, sim, definitions[2].Name, simulator.Fault{Kind: simulator.Throttle, RetryAfter: 30})
	fleettest.SetFault(t, sim, definitions[3].Name, simulator.Fault{Kind: simulator.Forbidden})

	var bytes int64
	for _, got := range fetchAll(t.Context(), t, f, fleet.FetchRequest{Query: configMaps()}) {
		bytes += got.end.Bytes
	}
	one := configMaps()
	one.Namespace, one.Name = "default", "nobody"
	run, err := f.Get(t.Context(), fleet.GetRequest{References: []fleet.Reference{{Cluster: definitions[0].Name, Query: one}}})
	if err != nil {
		t.Fatal(err)
	}
	for result := range run.Results {
		bytes += result.Bytes
	}

	want := map[string]float64{
		"reads_total{reason=,result=succeeded}":       2,
		"reads_total{reason=THROTTLED,result=failed}": 1,
		"reads_total{reason=FORBIDDEN,result=failed}": 1,
		"reads_total{reason=NOT_FOUND,result=failed}": 1,
		"read_queued_seconds{}":                       5,
		"read_duration_seconds{}":                     5,
		"read_items_total{}":                          1200,
		"read_bytes_total{}":                          float64(bytes),
		"read_pages_total{}":                          4,
		"read_inconsistent_lists_total{}":             0,
		"reads_postponed_total{}":                     0,
		"clusters_throttled{call=read}":               1,
		"clusters_throttled{call=probe}":              0,
	}
	for _, d := range definitions[:2] {
		want["cluster_rate_limit{call=read,cluster="+d.Name+"}"] = 50
		want["cluster_rate_limit{call=probe,cluster="+d.Name+"}"] = 20
	}
	if diff := cmp.Diff(want, gathered(t, registry)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestMetricsHaveNoLabelOfAClusterUnlessAskedFor(t *testing.T) {
	sim := fleettest.Simulate(t, simulator.Config{Clusters: 2, Counts: fleettest.OnlyConfigMaps(1)})
	registry := prometheus.NewRegistry()
	f := fleettest.Of(t, fleettest.Definitions(t, sim), fleet.Options{Metrics: registry})
	fetchAll(t.Context(), t, f, fleet.FetchRequest{Query: configMaps()})
	for _, key := range slices.Sorted(maps.Keys(gathered(t, registry))) {
		if strings.Contains(key, "cluster=") {
			t.Errorf("got %s", key)
		}
	}
}

func TestListsThatAreCutShortOrChangeAreCounted(t *testing.T) {
	sim := fleettest.Simulate(t, simulator.Config{Clusters: 2, Counts: fleettest.OnlyConfigMaps(1100)})
	definitions := fleettest.Definitions(t, sim)
	registry := prometheus.NewRegistry()
	f := fleettest.Of(t, definitions, fleet.Options{Metrics: registry})
	fetchAll(t.Context(), t, f, fleet.FetchRequest{Query: configMaps(), LimitPerCluster: 10, Selector: fleet.Selector{Names: []string{definitions[0].Name}}})
	fleettest.SetFault(t, sim, definitions[1].Name, simulator.Fault{Kind: simulator.ExpiredContinue, Times: 1})
	fetchAll(t.Context(), t, f, fleet.FetchRequest{Query: configMaps(), Selector: fleet.Selector{Names: []string{definitions[1].Name}}})
	got := gathered(t, registry)
	if got["reads_total{reason=,result=truncated}"] != 1 || got["read_inconsistent_lists_total{}"] != 1 {
		t.Errorf("got %v", got)
	}
}

func TestTheReadsOfAComparisonAreCounted(t *testing.T) {
	sim := fleettest.Simulate(t, simulator.Config{Clusters: 3, Counts: fleettest.OnlyConfigMaps(600)})
	definitions := fleettest.Definitions(t, sim)
	registry := prometheus.NewRegistry()
	f := fleettest.Of(t, definitions, fleet.Options{Metrics: registry})
	fleettest.SetFault(t, sim, definitions[2].Name, simulator.Fault{Kind: simulator.Throttle, RetryAfter: 30})
	run, err := f.Compare(t.Context(), fleet.CompareRequest{Query: configMaps()})
	if err != nil {
		t.Fatal(err)
	}
	var summary fleet.Summary
	for event := range run.Results {
		if event.Cluster != nil {
			summary.Compare(event.Cluster)
		}
	}
	if summary.Throttled != 1 || summary.Failed != 1 || summary.Items != 1200 || summary.Busy <= 0 || summary.Queued <= 0 {
		t.Errorf("got %+v", summary)
	}
	got := gathered(t, registry)
	for key, want := range map[string]float64{
		"reads_total{reason=,result=succeeded}":       2,
		"reads_total{reason=THROTTLED,result=failed}": 1,
		"read_duration_seconds{}":                     3,
		"read_items_total{}":                          1200,
		"read_pages_total{}":                          4,
	} {
		if got[key] != want {
			t.Errorf("%s is %v, want %v", key, got[key], want)
		}
	}
}
