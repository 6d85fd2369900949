package fleet

import (
	"cmp"
	"context"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/hibernation"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// census is the reading of one cluster's workloads, type by type. It is for one goroutine.
type census struct {
	fleet   *Fleet
	member  *member
	request HibernationRequest
	judge   *hibernation.Judge
	tally   *hibernation.Tally
	left    time.Duration // of the cluster's time

	asked, read int // types that were asked for, and those that were read whole
	unreadable  []UnreadableType
	full        error // of the tally
	end         End
}

func newCensus(f *Fleet, m *member, r HibernationRequest) *census {
	judge, _ := hibernation.NewJudge(r.Annotation) // the request was checked
	return &census{
		fleet: f, member: m, request: r, judge: judge, tally: hibernation.NewTally(r.Grouping, r.Namespace),
		left: cmp.Or(r.Timeout, cluster.DefaultReadTimeout),
	}
}

// takeCensus reads one cluster. It yields no error but fanout.ErrPostponed, instead of all else: the last result has any other.
// What h holds when it is over is the last groups' memory; the caller releases it.
func (f *Fleet) takeCensus(ctx context.Context, m *member, r HibernationRequest, h *hold, yield func(*HibernationResult, error) bool) {
	c := newCensus(f, m, r)
	types := hibernation.Types()
	for i, t := range types {
		end, err := c.fetch(ctx, t, h, yield)
		switch {
		case err != nil: // nothing was read
			yield(nil, err)
			return
		case end == nil: // the caller wants no more
			return
		case end.Skipped:
			yield(&HibernationResult{Cluster: m.name(), End: end}, nil)
			return
		}
		c.note(t, end)
		if end.Err != nil && (c.full != nil || breaksOff(end.Err)) {
			c.giveUp(types[i+1:], end.Err)
			break
		}
	}
	c.conclude(types)
	for _, result := range c.results() {
		if !yield(result, nil) {
			return
		}
	}
}

// fetch reads the workloads of one type and yields those groups that are complete. It returns how the reading ended, nil if
// the caller wants no more; or the error of fetch.
func (c *census) fetch(ctx context.Context, t hibernation.Type, h *hold, yield func(*HibernationResult, error) bool) (*End, error) {
	list := FetchRequest{Query: c.request.query(t), Timeout: max(c.left, 1), Unreachable: c.request.Unreachable, patient: c.asked == 0}
	var end *End
	var spent time.Duration
	resumed := time.Now()
	for batch, err := range c.fleet.fetch(ctx, c.member, list, h) {
		if err != nil {
			return nil, err
		}
		spent += time.Since(resumed)
		if full := c.count(t, batch); full != nil {
			c.full = full
			batch.refuse(cluster.NewError(cluster.ResponseTooLarge, cluster.PhaseBody, full.Error(), full))
		}
		if groups := c.tally.Take(); len(groups) > 0 && !yield(&HibernationResult{Cluster: c.member.name(), Groups: groups}, nil) {
			return nil, nil //nolint:nilnil // as documented
		}
		end = batch.End
		batch.Release()
		resumed = time.Now()
	}
	spent += time.Since(resumed)
	c.left -= spent - end.Queued
	return end, nil
}

// count looks at the objects of a batch, and keeps nothing of them but their names.
func (c *census) count(t hibernation.Type, b *Batch) error {
	for _, item := range b.Items {
		if err := c.tally.Add(t, item.Namespace, item.Name, c.judge.Judge(item.JSON)); err != nil {
			return err
		}
	}
	return nil
}

// note takes down how the reading of a type ended. A type that a cluster does not serve is simply not there; one that is gone in
// the middle of its list is no NotFound.
func (c *census) note(t hibernation.Type, end *End) {
	c.end.Bytes += end.Bytes
	c.end.Pages += end.Pages
	c.end.Queued += end.Queued
	c.end.Inconsistent = c.end.Inconsistent || end.Inconsistent
	c.end.known = end.known
	switch {
	case end.Err == nil:
		c.read++
	case end.Err.Reason != cluster.NotFound:
		end.Err = c.begun(end.Err)
		c.unreadable = append(c.unreadable, UnreadableType{Type: t, Err: end.Err})
	}
	c.asked++
}

// begun is err, but for a type that waited for its turn at the cluster when the time ran out: after another type, the cluster
// has had its own.
func (c *census) begun(err *cluster.Error) *cluster.Error {
	if c.asked == 0 || err.Reason != cluster.QueueTimeout {
		return err
	}
	late := *err
	late.Reason = cluster.ResponseTimeout
	return &late
}

// breaksOff reports whether a failure is that of the whole cluster, or of the call, and not that of a single type.
func breaksOff(err *cluster.Error) bool {
	switch err.Reason {
	case cluster.Forbidden, cluster.NotFound, cluster.ServerError, cluster.NotReady, cluster.MalformedResponse, cluster.ResponseTooLarge:
		return false
	default:
		return true
	}
}

// giveUp takes down that these types are not read.
func (c *census) giveUp(types []hibernation.Type, err *cluster.Error) {
	c.end.Err = err
	for _, t := range types {
		c.unreadable = append(c.unreadable, UnreadableType{Type: t, Err: err})
	}
}

// conclude ends the census of a cluster of which nothing could be read with an error.
func (c *census) conclude(types []hibernation.Type) {
	switch {
	case c.read > 0 || c.end.Err != nil:
	case len(c.unreadable) > 0:
		c.end.Err = c.unreadable[0].Err
	default:
		c.giveUp(types, cluster.NewError(cluster.NotFound, cluster.PhaseBody, "the server has none of the types of workloads", nil))
	}
}

// results returns the groups that were not yielded, in messages of bounded size. The last one ends the cluster.
func (c *census) results() []*HibernationResult {
	c.end.Items = c.tally.Workloads()
	var all []*HibernationResult
	result, size := &HibernationResult{Cluster: c.member.name()}, 0
	for _, group := range c.tally.End(len(c.unreadable)) {
		groupSize := entryBytes + len(group.Namespace)
		if size > 0 && size+groupSize > batchBytes {
			all = append(all, result)
			result, size = &HibernationResult{Cluster: c.member.name()}, 0
		}
		result.Groups = append(result.Groups, group)
		size += groupSize
	}
	result.Unreadable, result.End = c.unreadable, &c.end
	return append(all, result)
}
