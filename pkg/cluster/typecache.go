package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Ages of what was discovered: it is used for typesAge, and discovered again before that, but not before typesRetry, when
// it does not have what is asked for (a CRD may be new).
const (
	typesAge   = 10 * time.Minute
	typesRetry = 10 * time.Second
)

// typeCache is what one cluster serves.
type typeCache struct {
	turn chan struct{} // one token: the call that discovers

	mu    sync.Mutex
	types *Types // nil before the first discovery
	read  time.Time
}

// begin waits until no other call discovers, and keeps others from it until end.
func (c *typeCache) begin(ctx context.Context) (end func(), err error) {
	select {
	case c.turn <- struct{}{}:
		return func() { <-c.turn }, nil
	case <-ctx.Done():
		return nil, explainRead(ctx, ctx.Err(), PhaseQueue)
	}
}

func (c *typeCache) get() (*Types, time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.types, time.Since(c.read)
}

// resolve reports whether it is known what the name means, be it nothing, from what is younger than maxAge.
func (c *typeCache) resolve(name TypeName, maxAge time.Duration) (r Resource, err error, known bool) { //nolint:revive // the error is part of what is known
	types, age := c.get()
	if types == nil || age >= maxAge {
		return Resource{}, nil, false
	}
	if r, found := lookup(types, name); found {
		return r, nil, true
	}
	return Resource{}, types.notServed(name), age < typesRetry
}

func (c *typeCache) put(types *Types) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.types, c.read = types, time.Now()
}

// resolve returns the resource that the name means in this cluster: from memory if it is there and younger than maxAge,
// else by discovery.
func (c *Client) resolve(ctx context.Context, name TypeName, maxAge time.Duration) (Resource, error) {
	if r, err, known := c.reads().types.resolve(name, maxAge); known {
		return r, err
	}
	end, err := c.reads().types.begin(ctx)
	if err != nil {
		return Resource{}, err
	}
	defer end()
	if r, err, known := c.reads().types.resolve(name, maxAge); known { // another call has discovered meanwhile
		return r, err
	}
	types, err := c.rediscover(ctx)
	if err != nil {
		return Resource{}, err
	}
	if r, found := lookup(types, name); found {
		return r, nil
	}
	return Resource{}, types.notServed(name)
}

// notServed says why the types have none of this name.
func (t *Types) notServed(name TypeName) *Error {
	for _, b := range t.Broken {
		if name.Group == b.Group && (name.Version == "" || name.Version == b.Version) {
			return NewError(ServerError, PhaseBody, fmt.Sprintf("the server announces %s/%s and cannot serve it: %s", b.Group, b.Version, b.Message), nil)
		}
	}
	return NewError(NotFound, PhaseBody, fmt.Sprintf("the server has no resource type %q", name), nil)
}

// lookup prefers plural names to singular names, these to kinds, and these to short names, as kubectl does; among equals
// the first in the server's order. Case does not matter.
func lookup(types *Types, name TypeName) (Resource, bool) {
	isWanted := func(other string) bool { return strings.EqualFold(other, name.Name) }
	for _, matches := range []func(ServedType) bool{
		func(s ServedType) bool { return isWanted(s.Plural) },
		func(s ServedType) bool { return isWanted(s.Singular) },
		func(s ServedType) bool { return isWanted(s.Kind) },
		func(s ServedType) bool { return slices.ContainsFunc(strings.Split(s.ShortNames, ","), isWanted) },
	} {
		for _, handle := range types.Served {
			s := handle.Value()
			if name.serves(s.Resource) && matches(s) {
				return s.Resource, true
			}
		}
	}
	return Resource{}, false
}

// serves reports whether the name's group and version allow the resource.
func (n TypeName) serves(r Resource) bool {
	if n.Version != "" {
		return n.Version == r.Version && n.Group == r.Group
	}
	return n.Group == "" || n.Group == r.Group
}
