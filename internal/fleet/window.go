package fleet

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/compare"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// readAgainTime is what the reading of one object for a diff may take.
const readAgainTime = 5 * time.Second

// window is some objects that are about to be told, with what has to be read again for their diffs.
type window struct {
	*comparison

	objects []*compare.Found
	reads   []wanted
	bytes   int
	again   map[wanted]again
	turn    int
	// down are clusters that failed when something was read again, and why: they are not asked any more.
	down map[int]string
}

// wanted is a variant of an object.
type wanted struct {
	found   *compare.Found
	variant int
}

// again is what came of reading it again: its content, or why that is not known.
type again struct {
	content []byte
	unknown string
}

// add takes an object in.
func (w *window) add(found *compare.Found) {
	w.objects = append(w.objects, found)
	if len(found.Variants) < 2 || found.Variants[0].Size > compare.MaxContent {
		return
	}
	for i, v := range found.Variants[:min(maxDiffs+1, len(found.Variants))] {
		if v.Size <= compare.MaxContent && !w.found.Kept(found, v) {
			w.reads = append(w.reads, wanted{found, i})
			w.bytes += v.Size
		}
	}
}

func (w *window) full() bool {
	return len(w.objects) >= windowObjects || len(w.reads) >= windowReads || w.bytes >= windowBytes
}

// tell yields the objects and begins anew. It reports whether more is wanted.
func (w *window) tell(ctx context.Context, yield func(*ComparedObject) bool) bool {
	w.readAgain(ctx)
	for _, found := range w.objects {
		if ctx.Err() != nil || !yield(w.object(ctx, found)) {
			return false
		}
	}
	w.objects, w.reads, w.bytes, w.again = nil, nil, 0, nil
	return true
}

// readAgain reads what is not kept any more, each variant in one of the clusters that have it.
func (w *window) readAgain(ctx context.Context) {
	if len(w.reads) == 0 || ctx.Err() != nil {
		return
	}
	w.again = make(map[wanted]again, len(w.reads))
	var references []Reference
	var asked []wanted
	var clusters []int
	for _, read := range w.reads {
		from, unknown := w.choose(read.found.Variants[read.variant].Clusters)
		if unknown != "" {
			w.again[read] = again{unknown: unknown}
			continue
		}
		query := w.request.Query
		query.Namespace, query.Name = read.found.Namespace, read.found.Name
		query.LabelSelector, query.FieldSelector = "", ""
		references = append(references, Reference{Cluster: w.members[from].name(), Query: query})
		asked, clusters = append(asked, read), append(clusters, from)
	}
	run, err := w.fleet.Get(ctx, GetRequest{
		References: references, Limit: w.request.Limit, Keep: Keep{SecretData: w.secret},
		Timeout: min(cmp.Or(w.request.Timeout, readAgainTime), readAgainTime),
	})
	if err != nil { // a name that no API server gives
		for _, read := range asked {
			w.again[read] = again{unknown: "it cannot be read by its name"}
		}
		return
	}
	normalizer := compare.NewNormalizer(w.filter)
	for result := range run.Results {
		w.again[asked[result.Index]] = w.got(normalizer, asked[result.Index], clusters[result.Index], result)
	}
}

// choose picks one of the clusters that are not down, each time another one.
func (w *window) choose(clusters []int) (from int, unknown string) {
	w.turn++
	at := w.turn % len(clusters)
	for _, from := range slices.Concat(clusters[at:], clusters[:at]) {
		if w.down[from] == "" {
			return from, ""
		}
	}
	return 0, w.down[clusters[0]]
}

// got makes of an answer the content that was wanted.
func (w *window) got(n *compare.Normalizer, read wanted, from int, result GetResult) again {
	name := w.members[from].name()
	switch {
	case result.Err != nil && result.Err.Reason == cluster.NotFound:
		return again{unknown: changed(name)}
	case result.Err != nil:
		w.down[from] = unreadable(name)
		return again{unknown: w.down[from]}
	}
	content, hash, err := n.Normalize(w.sent("", "", result.Item))
	if err != nil || hash != read.found.Variants[read.variant].Hash {
		return again{unknown: changed(name)}
	}
	return again{content: slices.Clone(content)}
}

func changed(name string) string    { return "it has changed since in " + name }
func unreadable(name string) string { return "it could not be read again in " + name }
