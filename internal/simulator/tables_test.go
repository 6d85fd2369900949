package simulator_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

// Accept headers as kubectl sends them.
const (
	acceptTable = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
	acceptMeta  = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
)

func (c *client) table(path string) metav1.Table {
	c.t.Helper()
	answer := c.getAs(path, map[string]string{"Accept": acceptTable})
	wantStatus(c.t, answer, 200)
	var table metav1.Table
	answer.decode(c.t, &table)
	if table.Kind != "Table" || table.APIVersion != "meta.k8s.io/v1" {
		c.t.Errorf("%s: got a %s %s", path, table.APIVersion, table.Kind)
	}
	return table
}

func TestTablesHoldWhatKubectlPrints(t *testing.T) {
	c := newClient(t, start(t, simulator.Config{Clusters: 1}), "sim-0001")
	for path, want := range map[string][]string{
		"/api/v1/pods":                 {"Name", "Ready", "Status", "Restarts", "Age"},
		"/apis/apps/v1/deployments":    {"Name", "Ready", "Up-to-date", "Available", "Age"},
		"/apis/apps/v1/statefulsets":   {"Name", "Ready", "Age"},
		"/apis/apps/v1/replicasets":    {"Name", "Desired", "Current", "Ready", "Age"},
		"/api/v1/services":             {"Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age"},
		"/api/v1/configmaps":           {"Name", "Data", "Age"},
		"/api/v1/secrets":              {"Name", "Type", "Data", "Age"},
		"/api/v1/nodes":                {"Name", "Status", "Roles", "Age", "Version"},
		"/api/v1/namespaces":           {"Name", "Status", "Age"},
		"/apis/example.com/v1/widgets": {"Name", "Colour", "Size", "Age"},
	} {
		table := c.table(path)
		var shown []string
		for _, column := range table.ColumnDefinitions {
			if column.Priority == 0 {
				shown = append(shown, column.Name)
			}
		}
		if diff := cmp.Diff(want, shown); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
		list := c.list(path)
		if len(table.Rows) != len(list.Items) {
			t.Fatalf("%s: %d rows for %d items", path, len(table.Rows), len(list.Items))
		}
		for i, row := range table.Rows {
			if len(row.Cells) != len(table.ColumnDefinitions) || row.Cells[0] != list.Items[i].Metadata.Name {
				t.Errorf("%s: row %d: %v", path, i, row.Cells)
			}
		}
	}
}

func TestRowsIncludeTheObjectAsAskedFor(t *testing.T) {
	c := newClient(t, start(t, simulator.Config{Clusters: 1}), "sim-0001")
	for query, want := range map[string]string{
		"":                        `"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1"`,
		"&includeObject=Metadata": `"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1"`,
		"&includeObject=Object":   `"kind":"Pod","apiVersion":"v1"`,
		"&includeObject=None":     `"object":null`,
	} {
		answer := c.getAs("/api/v1/pods?limit=3"+query, map[string]string{"Accept": acceptTable})
		wantStatus(t, answer, 200, want)
		var table metav1.Table
		answer.decode(t, &table)
		if len(table.Rows) != 3 || table.Continue == "" {
			t.Errorf("%q: %d rows, continue %q", query, len(table.Rows), table.Continue)
		}
	}
	answer := c.getAs("/api/v1/pods?includeObject=All", map[string]string{"Accept": acceptTable})
	wantStatus(t, answer, 400)
}

func TestOneObjectAsATable(t *testing.T) {
	c := newClient(t, start(t, simulator.Config{Clusters: 1}), "sim-0001")
	node := c.list("/api/v1/nodes").Items[1].Metadata.Name
	table := c.table("/api/v1/nodes/" + node)
	if len(table.Rows) != 1 || table.Rows[0].Cells[0] != node {
		t.Errorf("rows: %v", table.Rows)
	}
}

func TestMetadataAlone(t *testing.T) {
	c := newClient(t, start(t, simulator.Config{Clusters: 1}), "sim-0001")
	answer := c.getAs("/api/v1/pods?limit=10", map[string]string{"Accept": acceptMeta})
	var got metav1.PartialObjectMetadataList
	answer.decode(t, &got)
	if got.Kind != "PartialObjectMetadataList" || got.Continue == "" || len(got.Items) != 10 {
		t.Fatalf("%s with %d items: %s", got.Kind, len(got.Items), head(answer.body))
	}
	for i, item := range c.list("/api/v1/pods?limit=10").Items {
		if diff := cmp.Diff(item.Metadata, got.Items[i].ObjectMeta); diff != "" {
			t.Errorf("item %d (-list +metadata):\n%s", i, diff)
		}
	}
	one := c.getAs("/api/v1/namespaces/default", map[string]string{
		"Accept": "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
	})
	wantStatus(t, one, 200, `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"default"`)
}
