package server

import (
	"cmp"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
)

// Bounds of what is told of the types of a fleet. Together with what names may take, it fits into a message.
const (
	maxTypesBytes    = 3 << 19 // without the names of clusters
	maxFailuresBytes = 1 << 19
	maxTypesEntries  = 1000 // of failures, broken groups and versions
	maxTypesNames    = 100
)

// typesMessage names as many clusters as there is room for: a hundred in each place, or half of that, and so on.
func typesMessage(r *fleet.TypesReport, s *fleetv1.Summary) *fleetv1.ListResourceTypesResponse {
	types := mostServed(r.Types)
	for names := maxTypesNames; ; names /= 2 {
		m := &fleetv1.ListResourceTypesResponse{
			Versions:     versionCounts(r.Versions),
			Failures:     typesFailures(r.Failures),
			Summary:      s,
			OmittedTypes: count(len(r.Types) - len(types)),
		}
		for _, t := range types {
			m.Types = append(m.Types, servedType(t, names))
		}
		for _, b := range r.Broken[:min(maxTypesEntries, len(r.Broken))] {
			m.Broken = append(m.Broken, brokenAPI(b, names))
		}
		if names == 0 || proto.Size(m) <= maxPageBytes {
			return m
		}
	}
}

// mostServed returns the types that fit, in their order: those that most clusters serve.
func mostServed(types []fleet.ServedType) []fleet.ServedType {
	indices := make([]int, len(types))
	for i := range indices {
		indices[i] = i
	}
	slices.SortStableFunc(indices, func(a, b int) int { return cmp.Compare(types[b].Serving.Count, types[a].Serving.Count) })
	size := 0
	for n, i := range indices {
		if size += proto.Size(servedType(types[i], 0)); size > maxTypesBytes {
			indices = indices[:n]
			break
		}
	}
	slices.Sort(indices)
	fitting := make([]fleet.ServedType, len(indices))
	for n, i := range indices {
		fitting[n] = types[i]
	}
	return fitting
}

// servedType names at most so many clusters in each place.
func servedType(t fleet.ServedType, names int) *fleetv1.ServedType {
	m := &fleetv1.ServedType{
		Group:        t.Group,
		Version:      t.Version,
		Resource:     t.Plural,
		Kind:         t.Kind,
		Namespaced:   t.Namespaced,
		Clusters:     count(t.Serving.Count),
		Preferred:    count(t.Preferred),
		MissingCount: count(t.Missing.Count),
		DeprecatedIn: t.DeprecatedIn,
		RemovedIn:    t.RemovedIn,
		Replacement:  t.Replacement,
		Serving:      firstNames(t.Serving, names),
	}
	if t.ShortNames != "" {
		m.ShortNames = strings.Split(t.ShortNames, ",")
	}
	if t.Serving.Count > 1 {
		m.Missing = firstNames(t.Missing, names)
	}
	return m
}

func firstNames(c fleet.Clusters, most int) []string { return c.Names[:min(most, len(c.Names))] }

func brokenAPI(b fleet.BrokenAPI, names int) *fleetv1.BrokenAPI {
	return &fleetv1.BrokenAPI{
		Group:        b.Group,
		Version:      b.Version,
		Clusters:     firstNames(b.Clusters, names),
		ClusterCount: count(b.Clusters.Count),
		Message:      b.Message,
	}
}

func versionCounts(versions []fleet.VersionCount) []*fleetv1.VersionCount {
	var result []*fleetv1.VersionCount
	for _, v := range versions[:min(maxTypesEntries, len(versions))] {
		result = append(result, &fleetv1.VersionCount{Version: v.Version, Clusters: count(v.Clusters)})
	}
	return result
}

func typesFailures(failures []fleet.TypesFailure) []*fleetv1.FailedCluster {
	var result []*fleetv1.FailedCluster
	size := 0
	for _, f := range failures[:min(maxTypesEntries, len(failures))] {
		m := &fleetv1.FailedCluster{Cluster: f.Cluster, Error: clusterStatus(f.Err)}
		if size += proto.Size(m); size > maxFailuresBytes {
			break
		}
		result = append(result, m)
	}
	return result
}
