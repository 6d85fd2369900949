package test_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/internal/process"
	"github.com/clusterfleet/clusterfleet/test/internal/product"
	"github.com/clusterfleet/clusterfleet/test/internal/realkube"
)

// table is a server-side table: the columns of the standard view, and a row an object.
type table struct {
	columns []string
	rows    [][]string // CLUSTER, NAMESPACE unless it is empty, and the cells
}

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
			// Ages change with the second: the servers are asked before and after, until both are the same.
			err := process.Poll(t.Context(), func() (bool, error) {
				before := serverTable(t, fleet, c.path)
				printed := a.Fleetctl(t, append([]string{"get", c.resource}, c.args...)...)
				streamed := streamedTable(t, a, c.resource)
				if after := serverTable(t, fleet, c.path); !cmp.Equal(before.rows, after.rows) {
					return false, errors.New("ages change all the time")
				}
				exits(t, printed, 0, "", "")
				equalTables(t, before, streamed, printed.Stdout)
				return true, nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// equalTables compares the table of the servers with the one that was streamed and the one that was printed.
func equalTables(t *testing.T, want, streamed table, printed string) {
	t.Helper()
	if diff := cmp.Diff(want.columns, streamed.columns); diff != "" {
		t.Errorf("other columns were streamed (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want.rows, streamed.rows); diff != "" {
		t.Errorf("other rows were streamed (-want +got):\n%s", diff)
	}
	lines := strings.Split(strings.TrimSuffix(printed, "\n"), "\n")
	heading := strings.Fields(lines[0])
	named := append([]string{"CLUSTER", "NAMESPACE"}, want.columns...)
	if len(want.rows[0]) != len(named) {
		named = slices.Delete(named, 1, 2)
	}
	if got, want := strings.Join(heading, " "), strings.ToUpper(strings.Join(named, " ")); got != want {
		t.Errorf("printed the heading %q, want %q", got, want)
	}
	var got, wanted []string
	for _, line := range lines[1:] {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	for _, row := range want.rows {
		wanted = append(wanted, strings.Join(strings.Fields(strings.Join(row, " ")), " "))
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Errorf("other lines were printed (-want +got):\n%s", diff)
	}
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
