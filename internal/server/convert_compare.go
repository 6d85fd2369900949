package server

import (
	"encoding/hex"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

func compareQuery(r *fleetv1.CompareManifestsRequest) cluster.Query {
	return cluster.Query{
		Type:          typeName(r.GetResourceType()),
		Namespace:     r.GetNamespace(),
		Name:          r.GetName(),
		LabelSelector: r.GetLabelSelector(),
		FieldSelector: r.GetFieldSelector(),
	}
}

func comparedEvent(e fleet.Compared) *fleetv1.CompareManifestsResponse {
	switch {
	case e.Cluster != nil:
		return &fleetv1.CompareManifestsResponse{Event: &fleetv1.CompareManifestsResponse_Cluster{Cluster: &fleetv1.ComparedCluster{
			Cluster: e.Cluster.Cluster, Completion: completion(&e.Cluster.End),
		}}}
	case e.Object != nil:
		return &fleetv1.CompareManifestsResponse{Event: &fleetv1.CompareManifestsResponse_Object{Object: comparedObject(e.Object)}}
	}
	return &fleetv1.CompareManifestsResponse{Event: &fleetv1.CompareManifestsResponse_Totals{Totals: &fleetv1.ComparisonTotals{
		Objects:          int64(e.Totals.Objects),
		Equal:            int64(e.Totals.Equal),
		Differing:        int64(e.Totals.Differing),
		MissingSomewhere: int64(e.Totals.MissingSomewhere),
		NotTold:          int64(e.Totals.Untold),
	}}}
}

func comparedObject(o *fleet.ComparedObject) *fleetv1.ComparedObject {
	m := &fleetv1.ComparedObject{
		Namespace: o.Namespace,
		Name:      o.Name,
		Variants:  make([]*fleetv1.ComparedObject_Variant, len(o.Variants)),
		Missing:   o.Missing,
	}
	for i, v := range o.Variants {
		m.Variants[i] = &fleetv1.ComparedObject_Variant{
			Clusters:    v.Clusters,
			Hash:        hex.EncodeToString(v.Hash[:]),
			Baseline:    i == 0,
			Diff:        v.Diff,
			DiffOmitted: v.Omitted,
		}
	}
	return m
}
