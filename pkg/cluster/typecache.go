package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unique"
)

// Ages of what was discovered: it is used for typesAge, and discovered again before that, but not before typesRetry, when
// it does not have what is asked for (a CRD may be new).
const (
	typesAge   = 10 * time.Minute
	typesRetry = 10 * time.Second
)

// servedType is one resource type that a cluster serves. Equal ones are held once in the process, however many clusters
// serve them.
type servedType struct {
	Resource
	singular   string
	shortNames string // joined by commas
}

// typeCache is what one cluster serves, the preferred group and version first.
type typeCache struct {
	turn chan struct{} // one token: the call that discovers

	mu    sync.Mutex
	types []unique.Handle[servedType] // nil before the first discovery
	read  time.Time
}

func (c *typeCache) get() ([]unique.Handle[servedType], time.Duration) {
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
	return Resource{}, notServed(name), age < typesRetry
}

func (c *typeCache) put(types []unique.Handle[servedType]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.types, c.read = types, time.Now()
}

// resolve returns the resource that the name means in this cluster: from memory if it is there and younger than maxAge,
// else by discovery.
func (c *Client) resolve(ctx context.Context, name TypeName, maxAge time.Duration) (Resource, error) {
	if r, err, known := c.types.resolve(name, maxAge); known {
		return r, err
	}
	select {
	case c.types.turn <- struct{}{}:
		defer func() { <-c.types.turn }()
	case <-ctx.Done():
		return Resource{}, explainRead(ctx, ctx.Err(), PhaseQueue)
	}
	if r, err, known := c.types.resolve(name, maxAge); known { // another call has discovered meanwhile
		return r, err
	}
	types, err := c.discover(ctx)
	if err != nil {
		return Resource{}, err
	}
	c.types.put(types)
	if r, found := lookup(types, name); found {
		return r, nil
	}
	return Resource{}, notServed(name)
}

func notServed(name TypeName) *Error {
	return NewError(NotFound, PhaseBody, fmt.Sprintf("the server has no resource type %q", name), nil)
}

// lookup prefers plural names to singular names, these to kinds, and these to short names, as kubectl does; among equals
// the first in the server's order.
func lookup(types []unique.Handle[servedType], name TypeName) (Resource, bool) {
	wanted := strings.ToLower(name.Name)
	for _, matches := range []func(servedType) bool{
		func(s servedType) bool { return s.Plural == wanted },
		func(s servedType) bool { return s.singular == wanted },
		func(s servedType) bool { return strings.ToLower(s.Kind) == wanted },
		func(s servedType) bool { return slices.Contains(strings.Split(s.shortNames, ","), wanted) },
	} {
		for _, handle := range types {
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
