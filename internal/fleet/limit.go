package fleet

import (
	"errors"

	"github.com/clusterfleet/clusterfleet/internal/manifest"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// errEnough ends the reading of a cluster that has more objects than are wanted of one.
var errEnough = errors.New("the cluster has more objects than are wanted")

// full reports whether as many objects were read as are wanted of one cluster.
func (t *reading) full() bool { return t.limit > 0 && t.end.Items >= t.limit }

// enough returns errEnough if as many objects were read as are wanted and the server says that there are more.
func (t *reading) enough(meta manifest.Meta) error {
	if t.full() && (meta.Continue != "" || meta.RemainingItemCount > 0) {
		return errEnough
	}
	return nil
}

// pageSize returns for how many objects to ask where some have been read or are on their way, so that the server sends no
// more than are wanted; or for a whole page.
func (t *reading) pageSize(before int64, whole bool) int {
	left := t.limit - before
	if t.limit == 0 || whole || left <= 0 || t.shape.Where != nil {
		return cluster.PageSize
	}
	return int(min(left, cluster.PageSize))
}

// page returns the query for a page behind so many objects.
func (t *reading) page(before int64, continueToken string) cluster.Query {
	whole := before < t.expected // less was delivered than was asked for
	if continueToken == "" {
		whole = before > 0 // the list is begun anew and has to come to where it was
	}
	q := t.query
	q.Limit = t.pageSize(before, whole)
	t.expected = before + int64(q.Limit)
	return q
}
