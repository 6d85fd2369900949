package fleet

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/clusterfleet/clusterfleet/internal/compare"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// CompareRequest asks how the objects of one type differ from cluster to cluster.
type CompareRequest struct {
	Selector Selector
	// Query says which objects; they are read whole, whatever its format.
	Query cluster.Query
	// Timeout and Limit are those of a FetchRequest.
	Timeout time.Duration
	Limit   int
	// Against names the selected cluster that the others are compared with; empty for the form that most clusters have.
	Against string
	// Ignore are paths of what does not count as a difference, as compare.ParsePath reads them.
	Ignore []string
	// IncludeEqual yields objects that are the same everywhere as well.
	IncludeEqual bool
	// Unreachable tells which clusters are not to be tried; nil tries all.
	Unreachable Unreachable
}

// Compared is an event of a comparison: exactly one of its fields is set. First comes each cluster, as it is read, then each
// object, in the order of namespaces and names, as long as there is time, then the totals.
type Compared struct {
	Cluster *ComparedCluster
	Object  *ComparedObject
	Totals  *ComparedTotals
}

// ComparedCluster says how the reading of one cluster ended.
type ComparedCluster struct {
	Cluster string
	End     End
}

// TakesPart tells whether the cluster counts in the comparison: it was read whole, or it answered that it has no such object
// or type.
func (c *ComparedCluster) TakesPart() bool {
	return !c.End.Skipped && (c.End.Err == nil || c.End.Err.Reason == cluster.NotFound)
}

// ComparedObject is one object over the fleet. It fits into a message.
type ComparedObject struct {
	Namespace, Name string
	Variants        []ComparedVariant // the baseline first, then by the number of clusters
	Missing         []string          // the clusters that were read and lack it, by name
}

// ComparedVariant is one form of an object.
type ComparedVariant struct {
	Clusters []string // those that have it, by name
	Hash     compare.Hash
	// Diff is how it differs from the baseline, Omitted why there is no diff, or not all of it.
	Diff, Omitted string
}

// ComparedTotals counts what was compared.
type ComparedTotals struct {
	compare.Totals

	// Cut says that the time for reading ran out.
	Cut bool
	// Untold is how many objects were to be told and were not: the call's time ran out.
	Untold int
}

// maxCompareBytes bounds what all comparisons together keep.
const maxCompareBytes = 128 << 20

// comparing is what all comparisons share.
type comparing struct {
	memory *semaphore.Weighted
	// turns bounds how many goroutines normalize at once: more than there are processors would only take more memory.
	turns *semaphore.Weighted
}

func newComparing() comparing {
	return comparing{memory: semaphore.NewWeighted(maxCompareBytes), turns: semaphore.NewWeighted(int64(runtime.GOMAXPROCS(0)))}
}

// comparison is one call.
type comparison struct {
	fleet   *Fleet
	request CompareRequest
	members []*member       // by name
	index   map[*member]int // into members
	against int             // into members; -1 for none
	filter  *compare.Filter
	found   *compare.Comparison
	share   *semaphore.Weighted
	secret  bool
}

// Compare reads the objects of one type from the selected clusters and tells how they differ. It keeps a fixed amount of
// memory a form of an object, and not the objects.
func (f *Fleet) Compare(ctx context.Context, r CompareRequest) (Run[Compared], error) {
	r.Query.Format = cluster.FullFormat
	if err := checkQuery("", r.Query); err != nil {
		return Run[Compared]{}, err
	}
	ignore := make([]compare.Path, len(r.Ignore))
	for i, text := range r.Ignore {
		path, err := compare.ParsePath(text)
		if err != nil {
			return Run[Compared]{}, badRequest(fmt.Sprintf("ignore[%d]", i), err)
		}
		ignore[i] = path
	}
	members, err := f.selected(r.Selector)
	if err != nil {
		return Run[Compared]{}, err
	}
	against, err := f.against(r.Against, members)
	if err != nil {
		return Run[Compared]{}, err
	}
	if room(members) < 0 {
		return Run[Compared]{}, badRequest("selector", errors.New("the names of so many clusters do not fit into one message: compare fewer at a time"))
	}
	results := func(yield func(Compared) bool) {
		c := &comparison{
			fleet: f, request: r, members: members, against: against,
			index: make(map[*member]int, len(members)),
			found: compare.New(len(members), f.compare.memory), filter: compare.NewFilter(ignore),
			share: semaphore.NewWeighted(maxCallBytes), secret: isSecret(r.Query.Type),
		}
		defer c.found.Close()
		for i, m := range members {
			c.index[m] = i
		}
		c.run(ctx, yield)
	}
	return Run[Compared]{Expected: len(members), Results: results}, nil
}

// against returns the index of the cluster that the others are compared with, -1 for no name.
func (f *Fleet) against(name string, members []*member) (int, error) {
	if name == "" {
		return -1, nil
	}
	m, err := f.roster.Load().find(name)
	if err != nil {
		return 0, err
	}
	i := slices.Index(members, m)
	if i < 0 {
		return 0, badRequest("against", fmt.Errorf("the cluster %q is not among the selected ones", name))
	}
	return i, nil
}

// tellingTime is how much of a call's time is kept for telling what was found: a fifth, and at most this.
const tellingTime = 10 * time.Second

// withReadingTime returns a context that ends early enough before ctx.
func withReadingTime(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-min(time.Until(deadline)/5, tellingTime)))
}

func (c *comparison) run(ctx context.Context, yield func(Compared) bool) {
	reading, cancel := withReadingTime(ctx)
	defer cancel()
	for cluster := range c.clusters(reading) {
		if !yield(Compared{Cluster: cluster}) {
			return
		}
	}
	totals := &ComparedTotals{Totals: c.found.Totals(), Cut: reading.Err() != nil}
	totals.Untold = totals.Objects
	if !c.request.IncludeEqual {
		totals.Untold -= totals.Equal
	}
	for object := range c.objects(ctx) {
		if !yield(Compared{Object: object}) {
			return
		}
		totals.Untold--
	}
	if !gone(ctx) {
		yield(Compared{Totals: totals})
	}
}

// gone tells whether nobody wants to be told any more. Where the time ran out, somebody waits for the totals.
func gone(ctx context.Context) bool {
	return ctx.Err() != nil && !errors.Is(context.Cause(ctx), context.DeadlineExceeded)
}

// Compare counts one cluster.
func (s *Summary) Compare(c *ComparedCluster) {
	end := c.End
	if c.TakesPart() {
		end.Err = nil
	}
	s.read(&end)
}
