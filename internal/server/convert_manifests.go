package server

import (
	"google.golang.org/protobuf/types/known/durationpb"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/manifest"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

func fetchQuery(r *fleetv1.FetchManifestsRequest) cluster.Query {
	return cluster.Query{
		Type:          typeName(r.GetResourceType()),
		Namespace:     r.GetNamespace(),
		Name:          r.GetName(),
		LabelSelector: r.GetLabelSelector(),
		FieldSelector: r.GetFieldSelector(),
		Format:        format(r.GetOutput()),
		AllowStale:    r.GetAllowStale(),
	}
}

func typeName(t *fleetv1.ResourceType) cluster.TypeName {
	return cluster.TypeName{Group: t.GetGroup(), Version: t.GetVersion(), Name: t.GetResource()}
}

func format(o *fleetv1.Output) cluster.Format {
	switch o.GetFormat() {
	case fleetv1.Output_FORMAT_METADATA:
		return cluster.MetadataFormat
	case fleetv1.Output_FORMAT_TABLE:
		return cluster.TableFormat
	case fleetv1.Output_FORMAT_UNSPECIFIED, fleetv1.Output_FORMAT_FULL:
	}
	return cluster.FullFormat
}

func keep(o *fleetv1.Output) fleet.Keep {
	return fleet.Keep{ManagedFields: o.GetManagedFields(), SecretData: o.GetSecretData()}
}

func references(r *fleetv1.GetManifestsRequest) []fleet.Reference {
	result := make([]fleet.Reference, len(r.GetReferences()))
	for i, reference := range r.GetReferences() {
		result[i] = fleet.Reference{
			Cluster: reference.GetCluster(),
			Query: cluster.Query{
				Type:      typeName(reference.GetResourceType()),
				Namespace: reference.GetNamespace(),
				Name:      reference.GetName(),
				Format:    format(r.GetOutput()),
			},
		}
	}
	return result
}

func manifestMessage(item fleet.Item) *fleetv1.Manifest {
	return &fleetv1.Manifest{Namespace: item.Namespace, Name: item.Name, Json: string(item.JSON), Projection: item.Projection}
}

func table(b *fleet.Batch) *fleetv1.Table {
	if len(b.Columns) == 0 && len(b.Rows) == 0 {
		return nil
	}
	t := &fleetv1.Table{
		Columns: make([]*fleetv1.Table_Column, len(b.Columns)),
		Rows:    make([]*fleetv1.Table_Row, len(b.Rows)),
	}
	for i, c := range b.Columns {
		t.Columns[i] = column(c)
	}
	for i, r := range b.Rows {
		t.Rows[i] = &fleetv1.Table_Row{Cells: r.Cells, Namespace: r.Namespace, Name: r.Name}
	}
	return t
}

func column(c manifest.Column) *fleetv1.Table_Column {
	return &fleetv1.Table_Column{Name: c.Name, Type: c.Type, Format: c.Format, Priority: c.Priority, Description: c.Description}
}

func completion(e *fleet.End) *fleetv1.Completion {
	if e == nil {
		return nil
	}
	m := &fleetv1.Completion{
		Skipped:         e.Skipped,
		Items:           e.Items,
		Bytes:           e.Bytes,
		Pages:           int32(e.Pages), //nolint:gosec // bounded by the pager
		ResourceVersion: e.ResourceVersion,
		Queued:          durationpb.New(e.Queued),
		Duration:        durationpb.New(e.Duration),
		Truncated:       e.Truncated,
		Inconsistent:    e.Inconsistent,
	}
	if e.Err != nil {
		m.Error = clusterStatus(e.Err)
	}
	return m
}

func referenceResult(r fleet.GetResult) *fleetv1.ReferenceResult {
	m := &fleetv1.ReferenceResult{
		Index:   int32(r.Index), //nolint:gosec // an index into a request
		Cluster: r.Cluster,
		Skipped: r.Skipped,
	}
	switch {
	case r.Err != nil:
		m.Error = clusterStatus(r.Err)
	case !r.Skipped:
		m.Manifest = manifestMessage(r.Item)
	}
	return m
}
