package fleet

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/compare"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
	"github.com/clusterfleet/clusterfleet/pkg/fanout"
)

// clusters reads all clusters and yields each once it is read. What they have is in c.found then.
func (c *comparison) clusters(ctx context.Context) iter.Seq[*ComparedCluster] {
	return func(yield func(*ComparedCluster) bool) {
		order := slices.Values(c.fleet.ordered(c.members, readWork))
		for result := range fanout.Each(ctx, order, c.fleet.limit(c.request.Limit), c.read) {
			if !yield(c.ended(result)) {
				return
			}
		}
	}
}

// ended makes of what came of a cluster what is told of it.
func (c *comparison) ended(result fanout.Result[*member, *End]) *ComparedCluster {
	told := &ComparedCluster{Cluster: result.Key.name()}
	if result.Err != nil {
		told.End = End{Err: c.fleet.unfinished(told.Cluster, result.Err), Queued: result.Queued, Duration: result.Took}
		c.fleet.metrics.ended(&told.End)
		return told
	}
	told.End = *result.Value
	told.End.Queued += result.Queued
	c.fleet.metrics.ended(&told.End)
	if e := told.End.Err; !told.End.Skipped && (e == nil || e.Blame != cluster.BlameObserver) {
		result.Key.pace.set(readWork, told.End.Duration)
	}
	return told
}

// read reads one cluster.
func (c *comparison) read(ctx context.Context, m *member) (*End, error) {
	start := time.Now()
	h := &hold{call: c.share, fleet: c.fleet.reads}
	defer h.release()
	part := c.found.Part(c.index[m])
	normalizer := compare.NewNormalizer(c.filter)
	var end *End
	var ours time.Duration
	for batch := range c.fleet.fetch(ctx, m, c.fetchRequest(), h) { //nolint:errcheck // it yields none
		began := time.Now()
		err := c.add(ctx, part, normalizer, batch)
		ours += time.Since(began)
		if err != nil {
			end = &End{Err: unadded(ctx, err)}
			break
		}
		end = batch.End
	}
	end.Duration = time.Since(start) - end.Queued - ours
	if told := (ComparedCluster{End: *end}); told.TakesPart() {
		part.Done()
	}
	return end, nil
}

// fetchRequest asks for the objects. The data of Secrets is read as well: no more than a digest of it leaves the normalizer.
func (c *comparison) fetchRequest() FetchRequest {
	return FetchRequest{
		Query: c.request.Query, Timeout: c.request.Timeout, Keep: Keep{SecretData: c.secret}, Unreachable: c.request.Unreachable,
	}
}

// add adds the objects of a batch, of which nothing is used afterwards.
func (c *comparison) add(ctx context.Context, part *compare.Part, n *compare.Normalizer, batch *Batch) error {
	if len(batch.Items) == 0 {
		return nil
	}
	if err := c.fleet.compare.turns.Acquire(ctx, 1); err != nil {
		return err
	}
	defer c.fleet.compare.turns.Release(1)
	for _, item := range batch.Items {
		content, hash, err := n.Normalize(c.sent(batch.APIVersion, batch.Kind, item))
		if err != nil {
			return err
		}
		if err := part.Add(item.Namespace, item.Name, content, hash); err != nil {
			return err
		}
	}
	return nil
}

// sent is an object as a cluster sent it.
func (c *comparison) sent(apiVersion, kind string, item Item) compare.Object {
	return compare.Object{
		Namespace: item.Namespace, Name: item.Name, APIVersion: apiVersion, Kind: kind, JSON: item.JSON, Secret: c.secret,
	}
}

// unadded says why what a cluster sent could not be added.
func unadded(ctx context.Context, err error) *cluster.Error {
	switch {
	case ctx.Err() != nil:
		return cluster.Unfinished(cluster.PhaseBody, context.Cause(ctx))
	case errors.Is(err, compare.ErrFull):
		return cluster.NewError(cluster.ResponseTooLarge, cluster.PhaseBody, err.Error()+": compare fewer of them, or fewer clusters", err)
	}
	return cluster.NewError(cluster.MalformedResponse, cluster.PhaseBody, err.Error(), err)
}
