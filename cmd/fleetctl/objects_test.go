package main

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"k8s.io/apimachinery/pkg/labels"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// pod is an object of the tests' clusters.
type pod struct {
	namespace, name, app, phase string
}

func pods() []pod {
	return []pod{{"shop", "web-0", "web", "Running"}, {"shop", "web-1", "web", "Pending"}, {"default", "job", "job", "Running"}}
}

// shopObjects answers for pods, for nodes and for the custom type widgets, which only prod-1 has.
func shopObjects(m member, req *fleetv1.FetchManifestsRequest) []*fleetv1.ManifestBatch {
	switch t := req.GetResourceType(); {
	case t.GetGroup() == "" && slices.Contains([]string{"pods", "pod", "po", "Pod"}, t.GetResource()):
		return shopPods(m, req)
	case t.GetGroup() == "" && t.GetResource() == "nodes":
		return []*fleetv1.ManifestBatch{{ApiVersion: "v1", Kind: "Node", Table: &fleetv1.Table{
			Columns: []*fleetv1.Table_Column{{Name: "Name"}, {Name: "Status"}, {Name: "OS Image", Priority: 1}},
			Rows:    []*fleetv1.Table_Row{{Name: "n1", Cells: []string{"n1", "Ready", "Linux"}}},
		}}}
	case t.GetResource() == "widgets" && m.cluster.GetName() == "prod-1":
		return []*fleetv1.ManifestBatch{{ApiVersion: "example.com/v1", Kind: "Widget", Manifests: []*fleetv1.Manifest{
			{Namespace: "shop", Name: "w", Json: `{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"w","namespace":"shop"},"spec":{"size":12345678901}}`},
		}}}
	}
	message := fmt.Sprintf("the cluster has no resource type %q", req.GetResourceType().GetResource())
	return []*fleetv1.ManifestBatch{{Completion: &fleetv1.Completion{Error: failed(codes.NotFound, message, "NOT_FOUND")}}}
}

// shopPods answers with a batch a pod, to be put together again.
func shopPods(m member, req *fleetv1.FetchManifestsRequest) []*fleetv1.ManifestBatch {
	match, err := labels.Parse(req.GetLabelSelector())
	if err != nil {
		panic(err)
	}
	table := &fleetv1.Table{Columns: podColumns(m)}
	var batches []*fleetv1.ManifestBatch
	for _, p := range pods() {
		if req.GetNamespace() != "" && req.GetNamespace() != p.namespace || req.GetName() != "" && req.GetName() != p.name ||
			!match.Matches(labels.Set{"app": p.app}) || strings.HasPrefix(req.GetFieldSelector(), "status.phase=") && req.GetFieldSelector() != "status.phase="+p.phase {
			continue
		}
		batch := &fleetv1.ManifestBatch{ApiVersion: "v1", Kind: "Pod"}
		switch req.GetOutput().GetFormat() {
		case fleetv1.Output_FORMAT_TABLE:
			table.Rows = []*fleetv1.Table_Row{{Namespace: p.namespace, Name: p.name, Cells: podCells(p)}}
			batch.Table = table
			table = &fleetv1.Table{} // Only the first batch has the columns.
		default:
			batch.Manifests = []*fleetv1.Manifest{{Namespace: p.namespace, Name: p.name, Json: fmt.Sprintf(
				`{"metadata":{"name":%q,"namespace":%q,"labels":{"app":%q}},"status":{"phase":%q}}`, p.name, p.namespace, p.app, p.phase)}}
		}
		batches = append(batches, batch)
	}
	return batches
}

// podColumns differ by version, as those of API servers may.
func podColumns(m member) []*fleetv1.Table_Column {
	columns := []*fleetv1.Table_Column{{Name: "Name"}, {Name: "Ready"}, {Name: "Status"}, {Name: "Nominated Node", Priority: 1}}
	if m.cluster.GetLabels()["columns"] == "old" {
		columns[2].Name = "Phase"
	}
	return columns
}

func podCells(p pod) []string { return []string{p.name, "1/1", p.phase, "<none>"} }
