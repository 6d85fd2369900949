package fleet

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/lifecycle"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
	"github.com/clusterfleet/clusterfleet/pkg/fanout"
)

// TypesRequest asks which resource types clusters serve.
type TypesRequest struct {
	Selector Selector
	// Group is the only API group that is asked for; nil: any, and the empty one is the core group.
	Group *string
	// Removed asks only for types that a newer version of Kubernetes does not serve any more.
	Removed bool
	// Timeout is what one cluster may take, the wait for its turn not included. 0: cluster.DefaultReadTimeout.
	Timeout time.Duration
	// Limit is how many clusters are asked at once. 0: the fleet's.
	Limit int
	// Unreachable tells which clusters are not to be tried; nil tries all.
	Unreachable Unreachable
}

// TypesReport is what clusters serve, all together.
type TypesReport struct {
	// Types are in the order of groups, names and versions, the newest stable version first.
	Types  []ServedType
	Broken []BrokenAPI
	// Versions are those of Kubernetes, by what clusters said last.
	Versions []VersionCount
	// Failures are in the order of the clusters' names.
	Failures []TypesFailure
	Summary  Summary
}

// maxNames is how many clusters are named where they are counted.
const maxNames = 100

// Clusters are some clusters of a fleet: how many, and the first 100 of their names.
type Clusters struct {
	Count int
	Names []string
}

// ServedType is one resource type in one version. Where clusters do not agree about its kind, scope and short names, it is
// what most of them say.
type ServedType struct {
	cluster.ServedType
	lifecycle.Lifecycle

	// Serving are the clusters that serve it, Missing those that were asked and do not.
	Serving, Missing Clusters
	// Preferred is for how many of those that serve it this is the version that they prefer.
	Preferred int
}

// BrokenAPI is a group and version that clusters announce and cannot serve.
type BrokenAPI struct {
	Group, Version string
	// Message is what the first of the clusters answered.
	Message  string
	Clusters Clusters
}

// VersionCount is a version of Kubernetes, and how many clusters run it.
type VersionCount struct {
	Version  string
	Clusters int
}

// TypesFailure is a cluster that could not be asked.
type TypesFailure struct {
	Cluster string
	Err     *cluster.Error
}

// Types asks the selected clusters for what they serve. When ctx ends, those that are not done are failures. An error is
// returned only for a request that makes no sense.
func (f *Fleet) Types(ctx context.Context, r TypesRequest) (*TypesReport, error) {
	members, err := f.selected(r.Selector)
	if err != nil {
		return nil, err
	}
	ask := func(ctx context.Context, m *member) (*cluster.Types, error) { return f.typesOf(ctx, m, r) }
	t := newTally(members, r.Group)
	result := &TypesReport{Summary: Summary{Expected: len(members)}}
	for part := range fanout.Each(ctx, slices.Values(f.toRead(members, r.Unreachable)), f.limit(r.Limit), ask) {
		switch {
		case part.Err != nil:
			e := f.unfinished(part.Key.name(), part.Err)
			result.Summary.failure(e)
			result.Failures = append(result.Failures, TypesFailure{part.Key.name(), e})
		case part.Value == nil:
			result.Summary.Skipped++
		default:
			result.Summary.Succeeded++
			t.add(part.Key, part.Value)
		}
	}
	slices.SortFunc(result.Failures, func(a, b TypesFailure) int { return strings.Compare(a.Cluster, b.Cluster) })
	result.Types = t.types(func(s cluster.ServedType) (lifecycle.Lifecycle, bool) {
		l := f.lifecycles.Of(s.Group, s.Version, s.Kind)
		return l, l.RemovedIn != "" || !r.Removed
	})
	result.Broken = t.brokenAPIs()
	result.Versions = f.versions(members)
	return result, nil
}

// typesOf returns what one cluster serves, nothing for a virtual one.
func (f *Fleet) typesOf(ctx context.Context, m *member, r TypesRequest) (*cluster.Types, error) {
	if m.client == nil {
		return nil, nil //nolint:nilnil // as documented
	}
	if known := r.Unreachable.of(m); known != nil {
		return nil, known
	}
	watch := newStopwatch(ctx, cmp.Or(r.Timeout, cluster.DefaultReadTimeout))
	defer watch.stop()
	types, err := m.client.Types(cluster.WithWaiter(watch.ctx, watch)) //nolint:contextcheck // it is made of ctx
	if e := failed(ctx, watch.ctx, err); e != nil {
		return nil, e
	}
	return types, nil
}

// versions counts the clusters by the version that they told last.
func (f *Fleet) versions(members []*member) []VersionCount {
	count := map[string]int{}
	for _, m := range members {
		if o := f.latest.get(m); o != nil && o.Verdict.ServerVersion != "" {
			count[o.Verdict.ServerVersion]++
		}
	}
	versions := make([]VersionCount, 0, len(count))
	for version, n := range count {
		versions = append(versions, VersionCount{version, n})
	}
	slices.SortFunc(versions, func(a, b VersionCount) int { return compareReleases(a.Version, b.Version) })
	return versions
}
