package test_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/internal/product"
	"github.com/clusterfleet/clusterfleet/test/internal/realkube"
)

// table is a server-side table: the columns of the standard view, and a row an object.
type table struct {
	columns []string
	rows    [][]string // CLUSTER, NAMESPACE unless it is empty, and the cells
}

// columnGap is what stands between two printed columns.
var columnGap = regexp.MustCompile(` {2,}`)

func tables(t *testing.T, fleet *realkube.Fleet) {
	for i, server := range fleet.Servers {
		createNamespace(t, server, "tables")
		createMany(t, server, "/api/v1/namespaces/tables/pods", 3*(i+1), pod)
		createMany(t, server, "/api/v1/nodes", i+1, func(n int) object {
			return object{"metadata": object{"name": fmt.Sprint("node-", n), "labels": object{"node-role.kubernetes.io/worker": ""}}}
		})
		create(t, server, "/apis/apps/v1/namespaces/tables/deployments", deployment("web"))
		createNamespace(t, server, "bulky")
		createMany(t, server, "/api/v1/namespaces/bulky/configmaps", 700, func(n int) object {
			return configMap(fmt.Sprintf("row-%03d", n), nil)
		})
	}
	a := programs.Aggregator(t, fleet.Kubeconfig)
	for _, c := range []struct {
		resource, path string
		args           []string
	}{
		{"pods", "/api/v1/pods", []string{"-A"}},
		{"nodes", "/api/v1/nodes", nil},
		{"namespaces", "/api/v1/namespaces", nil},
		{"configmaps", "/api/v1/configmaps", []string{"-A"}},
		{"deployments", "/apis/apps/v1/deployments", []string{"-A"}},
	} {
		t.Run("of "+c.resource+" are those of the API servers", func(t *testing.T) {
			// Ages change with the second: those of the answer lie between what the servers say before and after it.
			before := serverTable(t, fleet, c.path)
			printed := a.Fleetctl(t, append([]string{"get", c.resource}, c.args...)...)
			streamed := streamedTable(t, a, c.resource)
			after := serverTable(t, fleet, c.path)
			exits(t, printed, 0, "", "")
			equalTables(t, before, after, streamed, printed.Stdout)
		})
	}
}

// equalTables compares the tables of the servers with the one that was streamed and the one that was printed.
func equalTables(t *testing.T, before, after, streamed table, printed string) {
	t.Helper()
	if diff := cmp.Diff(before.columns, streamed.columns); diff != "" {
		t.Errorf("other columns were streamed (-want +got):\n%s", diff)
	}
	equalRows(t, "streamed", before.rows, after.rows, streamed.rows)
	lines := strings.Split(strings.TrimSuffix(printed, "\n"), "\n")
	named := append([]string{"CLUSTER", "NAMESPACE"}, before.columns...)
	if len(before.rows[0]) != len(named) {
		named = slices.Delete(named, 1, 2)
	}
	if got, want := strings.Join(strings.Fields(lines[0]), " "), strings.ToUpper(strings.Join(named, " ")); got != want {
		t.Errorf("printed the heading %q, want %q", got, want)
	}
	var rows [][]string
	for _, line := range lines[1:] {
		rows = append(rows, columnGap.Split(strings.TrimRight(line, " "), -1))
	}
	equalRows(t, "printed", before.rows, after.rows, rows)
}

// equalRows compares rows cell by cell; an age may be any from before to after.
func equalRows(t *testing.T, what string, before, after, got [][]string) {
	t.Helper()
	if len(got) != len(before) || len(after) != len(before) {
		t.Fatalf("%d rows were %s, the servers have %d", len(got), what, len(before))
	}
	for i, row := range got {
		row = append(slices.Clone(row), make([]string, max(0, len(before[i])-len(row)))...) // empty cells at the end
		for j, cell := range row {
			if len(row) != len(before[i]) || cell != before[i][j] && !isBetween(before[i][j], cell, after[i][j]) {
				t.Fatalf("%s was %q, want %q", what, row, before[i])
			}
		}
	}
}

// isBetween reports whether three cells are ages, in this order.
func isBetween(before, got, after string) bool {
	var ages [3]time.Duration
	for i, cell := range []string{before, got, after} {
		age, err := time.ParseDuration(cell)
		if err != nil {
			return false
		}
		ages[i] = age
	}
	return ages[0] <= ages[1] && ages[1] <= ages[2]
}

// serverTable asks each server for its table, as kubectl does, in one page.
func serverTable(t *testing.T, fleet *realkube.Fleet, path string) table {
	t.Helper()
	var whole table
	for _, server := range fleet.Servers {
		var answer struct {
			ColumnDefinitions []struct {
				Name     string
				Priority int
			}
			Rows []struct {
				Cells  []any
				Object struct {
					Metadata struct{ Namespace string }
				}
			}
		}
		decodeTable(t, server, path, &answer)
		whole.columns = nil
		for _, c := range answer.ColumnDefinitions {
			if c.Priority == 0 {
				whole.columns = append(whole.columns, c.Name)
			}
		}
		for _, r := range answer.Rows {
			row := []string{server.Name}
			if r.Object.Metadata.Namespace != "" {
				row = append(row, r.Object.Metadata.Namespace)
			}
			for i, cell := range r.Cells {
				if answer.ColumnDefinitions[i].Priority == 0 {
					row = append(row, fmt.Sprint(cell))
				}
			}
			whole.rows = append(whole.rows, row)
		}
	}
	return whole
}

func decodeTable(t *testing.T, server *realkube.Server, path string, result any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+server.Token)
	request.Header.Set("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io")
	response, err := trusting(t, server).RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(result); err != nil {
		t.Fatal(err)
	}
}

// streamedTable is the table of all clusters that FetchManifests streams.
func streamedTable(t *testing.T, a *product.Aggregator, resource string) table {
	t.Helper()
	reads, _ := fetch(t, a, &fleetv1.FetchManifestsRequest{
		ResourceType: &fleetv1.ResourceType{Resource: resource},
		Output:       &fleetv1.Output{Format: fleetv1.Output_FORMAT_TABLE},
	})
	var whole table
	for _, name := range []string{"real-1", "real-2", "real-3"} {
		whole.columns = nil
		for _, c := range reads[name].columns {
			if c.GetPriority() == 0 {
				whole.columns = append(whole.columns, c.GetName())
			}
		}
		for _, r := range reads[name].rows {
			row := []string{name}
			if r.GetNamespace() != "" {
				row = append(row, r.GetNamespace())
			}
			for i, cell := range r.GetCells() {
				if reads[name].columns[i].GetPriority() == 0 {
					row = append(row, cell)
				}
			}
			whole.rows = append(whole.rows, row)
		}
	}
	return whole
}

func pod(n int) object {
	return object{
		"metadata": object{"name": fmt.Sprint("pod-", n), "labels": object{"app": "web"}},
		"spec":     object{"containers": []any{object{"name": "main", "image": "example.com/web:1"}}},
	}
}

func deployment(name string) object {
	labels := object{"app": name}
	return object{
		"metadata": object{"name": name, "labels": labels},
		"spec": object{
			"replicas": 2, "selector": object{"matchLabels": labels},
			"template": object{
				"metadata": object{"labels": labels},
				"spec":     object{"containers": []any{object{"name": "main", "image": "example.com/web:1"}}},
			},
		},
	}
}
