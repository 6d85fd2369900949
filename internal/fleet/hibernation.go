package fleet

import (
	"context"
	"iter"
	"slices"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/clusterfleet/clusterfleet/internal/hibernation"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
	"github.com/clusterfleet/clusterfleet/pkg/fanout"
)

// HibernationRequest asks which workloads sleep.
type HibernationRequest struct {
	Selector Selector
	// Namespace is empty for all namespaces.
	Namespace string
	// LabelSelector narrows the workloads, in the syntax of Kubernetes.
	LabelSelector string
	// Annotation is where the hibernator keeps the number of replicas, empty for hibernation.DefaultAnnotation.
	Annotation string
	Grouping   hibernation.Grouping
	// Timeout is what one cluster may take for all types together, the wait for its turn and for the caller not included.
	// 0: cluster.DefaultReadTimeout.
	Timeout time.Duration
	// Limit is how many clusters are read at once. 0: the fleet's.
	Limit int
	// Unreachable tells which clusters are not to be tried; nil tries all.
	Unreachable Unreachable
}

// HibernationResult is some groups of one cluster. The last one of a cluster has an End. It is at most about 256 KiB.
type HibernationResult struct {
	Cluster string
	Groups  []hibernation.Group
	// Unreadable are the types that could not be read, on the last result. What was read of them counts all the same.
	Unreadable []UnreadableType
	// End counts workloads as items. It has an error where no type could be read, or where the reading broke off.
	End *End
}

// UnreadableType is a type of workloads that could not be read, and why.
type UnreadableType struct {
	Type hibernation.Type
	Err  *cluster.Error
}

func (r HibernationRequest) query(t hibernation.Type) cluster.Query {
	return cluster.Query{
		Type:          cluster.TypeName{Group: t.Group, Version: t.Version, Name: t.Resource},
		Namespace:     r.Namespace,
		LabelSelector: r.LabelSelector,
	}
}

// SummarizeHibernation tells which workloads of the selected clusters sleep.
func (f *Fleet) SummarizeHibernation(ctx context.Context, r HibernationRequest) (Run[*HibernationResult], error) {
	if err := checkQuery("", r.query(hibernation.Types()[0])); err != nil {
		return Run[*HibernationResult]{}, err
	}
	if _, err := hibernation.NewJudge(r.Annotation); err != nil {
		return Run[*HibernationResult]{}, badRequest("annotation", err)
	}
	members, err := f.selected(r.Selector)
	if err != nil {
		return Run[*HibernationResult]{}, err
	}
	share := semaphore.NewWeighted(maxCallBytes)
	read := func(ctx context.Context, m *member) iter.Seq2[*HibernationResult, error] {
		return func(yield func(*HibernationResult, error) bool) {
			h := &hold{call: share, fleet: f.reads}
			defer h.release()
			f.takeCensus(ctx, m, r, h, yield)
		}
	}
	results := func(yield func(*HibernationResult) bool) {
		for part := range fanout.Stream(ctx, slices.Values(f.toRead(members, r.Unreachable)), f.limit(r.Limit), read) {
			result := f.surveyed(part, r)
			if result != nil && !yield(result) {
				return
			}
		}
	}
	return Run[*HibernationResult]{Expected: len(members), Results: results}, nil
}

// surveyed returns the result of a part, nil for the end of a stream that has had its End. Times are those of a fetch.
func (f *Fleet) surveyed(part fanout.Part[*member, *HibernationResult], r HibernationRequest) *HibernationResult {
	switch {
	case !part.Done:
		if part.Value.End != nil {
			f.account(part.Key, part.Value.End, part.Queued, part.Took)
		}
		return part.Value
	case part.Err == nil:
		return nil
	}
	c := newCensus(f, part.Key, r)
	c.end = *f.unread(part.Key, part.Err, part.Queued, part.Took)
	c.giveUp(hibernation.Types(), c.end.Err)
	return c.results()[0]
}

// Hibernation counts one result.
func (s *Summary) Hibernation(r *HibernationResult) {
	if r.End != nil {
		s.read(r.End)
	}
}
