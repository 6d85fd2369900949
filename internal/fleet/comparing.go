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
		order := slices.Values(c.fleet.toRead(c.members, c.request.Unreachable))
		for result := range fanout.Each(ctx, order, c.fleet.limit(c.request.Limit), c.read) {
			if !yield(c.ended(result)) {
				return
			}
		}
	}
}

// partRead is how the reading of one cluster ended, and what of its time was ours, not the cluster's.
type partRead struct {
	end  *End
	ours time.Duration
}

// ended makes of what came of a cluster what is told of it.
func (c *comparison) ended(result fanout.Result[*member, partRead]) *ComparedCluster {
	m, end := result.Key, result.Value.end
	if result.Err != nil {
		end = c.fleet.unread(m, result.Err, result.Queued, result.Took)
	} else {
		c.fleet.account(m, end, result.Queued, result.Took-result.Value.ours)
	}
	return &ComparedCluster{Cluster: m.name(), End: *end}
}

// read reads one cluster.
func (c *comparison) read(ctx context.Context, m *member) (partRead, error) {
	h := &hold{call: c.share, fleet: c.fleet.reads}
	defer h.release()
	part := c.found.Part(c.index[m])
	normalizer := compare.NewNormalizer(c.filter)
	var read partRead
	for batch, err := range c.fleet.fetch(ctx, m, c.fetchRequest(), h) {
		if err != nil { // nothing was read
			return partRead{}, err
		}
		began := time.Now()
		if err := c.add(ctx, part, normalizer, batch); err != nil {
			batch.refuse(unadded(ctx, err))
		}
		read.ours += time.Since(began)
		read.end = batch.End
		batch.Release()
	}
	if told := (ComparedCluster{End: *read.end}); told.TakesPart() {
		part.Done()
	}
	return read, nil
}

// fetchRequest asks for the objects. The data of Secrets is read as well: no more than a digest of it leaves the normalizer.
func (c *comparison) fetchRequest() FetchRequest {
	return FetchRequest{
		Query: c.request.Query, Timeout: c.request.Timeout, Keep: Keep{SecretData: c.secret}, Unreachable: c.request.Unreachable,
		patient: true,
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
