package fleet

import (
	"context"
	"strings"

	"github.com/clusterfleet/clusterfleet/internal/manifest"
	"github.com/clusterfleet/clusterfleet/internal/shape"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// shaped returns what is sent of an object of a type, and whether it is wanted at all. It sees the object without what was
// removed from it. What it returns is valid as long as the item is.
func (t *reading) shaped(item manifest.Item, apiVersion, kind string) (sent Item, wanted bool, err error) {
	sent = Item{Namespace: item.Namespace, Name: item.Name}
	ctx := t.watch.ctx
	sent.Projection, wanted, err = t.shape.Apply(ctx, item.JSON, shape.Type{APIVersion: apiVersion, Kind: kind})
	switch {
	case err != nil && ctx.Err() != nil:
		return Item{}, false, context.Cause(ctx)
	case err != nil:
		name := strings.TrimPrefix(item.Namespace+"/"+item.Name, "/")
		return Item{}, false, cluster.NewError(cluster.InvalidRequest, cluster.PhaseBody, name+": "+err.Error(), err)
	case wanted && t.shape.Projection == nil:
		sent.JSON = item.JSON
	}
	return sent, wanted, nil
}
