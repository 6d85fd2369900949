package cluster

import (
	"context"
	"slices"
	"unique"

	"github.com/clusterfleet/clusterfleet/internal/safetext"
)

// ServedType is one resource type in one version that a cluster serves.
type ServedType struct {
	Resource

	// Singular is the singular name; servers before Kubernetes 1.27 leave it empty for their own types.
	Singular string
	// ShortNames are joined by commas.
	ShortNames string
}

// BrokenAPI is a group and version that a cluster announces and cannot serve, as those of an APIService whose server is
// down.
type BrokenAPI struct {
	Group, Version string
	// Message says what the cluster answered. It is safe to show, and at most 256 bytes.
	Message string
}

const (
	maxBroken        = 64
	maxBrokenMessage = 256
)

// Types are what one cluster serves, as of one time. They are never changed.
type Types struct {
	// Served holds the types, the preferred version of each group first. Equal types are held once in the process, however
	// many clusters serve them.
	Served []unique.Handle[ServedType]
	// Broken holds at most 64. Some types of theirs may be among those served: the cluster remembers them.
	Broken []BrokenAPI
}

// IsBroken reports whether the group and version are announced and cannot be served.
func (t *Types) IsBroken(group, version string) bool {
	return slices.ContainsFunc(t.Broken, func(b BrokenAPI) bool { return b.Group == group && b.Version == version })
}

func (t *Types) addBroken(group, version, message string) {
	if len(t.Broken) == maxBroken || t.IsBroken(group, version) || (TypeName{Group: group, Version: version, Name: "x"}).validate() != nil {
		return
	}
	t.Broken = append(t.Broken, BrokenAPI{group, version, safetext.Truncate(message, maxBrokenMessage)})
}

// Types returns what the cluster serves: what was discovered in the last ten minutes, else what it says now. Errors are
// *Error.
func (c *Client) Types(ctx context.Context) (*Types, error) {
	recent := func() (*Types, bool) {
		types, age := c.reads().types.get()
		return types, types != nil && age < typesAge
	}
	if types, ok := recent(); ok {
		return types, nil
	}
	end, err := c.reads().types.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	if types, ok := recent(); ok { // another call has discovered meanwhile
		return types, nil
	}
	return c.rediscover(ctx)
}

// rediscover discovers and keeps what it finds. Whoever calls it has the turn.
func (c *Client) rediscover(ctx context.Context) (*Types, error) {
	types, err := c.discover(ctx)
	if err != nil {
		return nil, err
	}
	c.reads().types.put(types)
	return types, nil
}
