package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unique"

	"github.com/clusterfleet/clusterfleet/internal/safetext"
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

// resolve reports whether it is known what the name means, be it nothing.
func (c *typeCache) resolve(name TypeName) (r Resource, err error, known bool) { //nolint:revive // the error is part of what is known
	types, age := c.get()
	if types == nil || age >= typesAge {
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

// resolve returns the resource that the name means in this cluster: from memory if it is there, else by discovery.
func (c *Client) resolve(ctx context.Context, name TypeName) (Resource, error) {
	if r, err, known := c.types.resolve(name); known {
		return r, err
	}
	select {
	case c.types.turn <- struct{}{}:
		defer func() { <-c.types.turn }()
	case <-ctx.Done():
		return Resource{}, explainRead(ctx, ctx.Err(), PhaseQueue)
	}
	if r, err, known := c.types.resolve(name); known { // another call has discovered meanwhile
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

const (
	aggregatedAccept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList," +
		"application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
	maxDiscoveryBytes = 16 << 20
	maxGroupVersions  = 1000
	maxNameBytes      = 1 << 10
)

// discoveryList is an APIGroupDiscoveryList, or what servers before Kubernetes 1.26 send in its place: APIVersions (for
// /api) or an APIGroupList (for /apis).
type discoveryList struct {
	Kind  string `json:"kind"`
	Items []struct {
		Metadata struct {
			Name string `json:"name"`
		} `json:"metadata"`
		Versions []struct {
			Version   string `json:"version"`
			Resources []struct {
				Resource         string   `json:"resource"`
				SingularResource string   `json:"singularResource"`
				ShortNames       []string `json:"shortNames"`
				Scope            string   `json:"scope"`
				ResponseKind     struct {
					Kind string `json:"kind"`
				} `json:"responseKind"`
			} `json:"resources"`
		} `json:"versions"`
	} `json:"items"`

	Versions []string `json:"versions"`
	Groups   []struct {
		Name             string `json:"name"`
		PreferredVersion struct {
			Version string `json:"version"`
		} `json:"preferredVersion"`
		Versions []struct {
			Version string `json:"version"`
		} `json:"versions"`
	} `json:"groups"`
}

// resourceList is an APIResourceList.
type resourceList struct {
	Resources []struct {
		Name         string   `json:"name"`
		SingularName string   `json:"singularName"`
		ShortNames   []string `json:"shortNames"`
		Namespaced   bool     `json:"namespaced"`
		Kind         string   `json:"kind"`
	} `json:"resources"`
}

// discover reads all the types that the cluster serves.
func (c *Client) discover(ctx context.Context) ([]unique.Handle[servedType], error) {
	types := []unique.Handle[servedType]{}
	for _, root := range []string{"/api", "/apis"} {
		var list discoveryList
		if err := c.readJSON(ctx, root, aggregatedAccept, &list); err != nil {
			return nil, err
		}
		switch list.Kind {
		case "APIGroupDiscoveryList":
			types = list.appendTo(types)
		case "APIVersions", "APIGroupList":
			more, err := c.discoverEach(ctx, list.groupVersions())
			if err != nil {
				return nil, err
			}
			types = append(types, more...)
		default:
			return nil, NewError(MalformedResponse, PhaseBody,
				fmt.Sprintf("%s was answered with a %q, not with API discovery", root, safetext.Truncate(list.Kind, 64)), nil)
		}
	}
	return types, nil
}

func (l *discoveryList) appendTo(types []unique.Handle[servedType]) []unique.Handle[servedType] {
	for _, group := range l.Items {
		for _, version := range group.Versions {
			for _, r := range version.Resources {
				types = appendServed(types, servedType{
					Resource: Resource{
						Group: group.Metadata.Name, Version: version.Version, Plural: r.Resource,
						Kind: r.ResponseKind.Kind, Namespaced: r.Scope == "Namespaced",
					},
					singular:   r.SingularResource,
					shortNames: strings.Join(r.ShortNames, ","),
				})
			}
		}
	}
	return types
}

// appendServed leaves out what could not be put into a path, or shown.
func appendServed(types []unique.Handle[servedType], s servedType) []unique.Handle[servedType] {
	name := TypeName{Group: s.Group, Version: s.Version, Name: s.Plural}
	kind := TypeName{Name: s.Kind}
	if s.Version == "" || name.validate() != nil || kind.validate() != nil || len(s.singular)+len(s.shortNames) > maxNameBytes {
		return types
	}
	return append(types, unique.Make(s))
}

// groupVersions returns the paths and names of all group versions, the preferred version of each group first.
func (l *discoveryList) groupVersions() []Resource {
	var all []Resource
	for _, version := range l.Versions {
		all = append(all, Resource{Version: version})
	}
	for _, group := range l.Groups {
		preferred := group.PreferredVersion.Version
		all = append(all, Resource{Group: group.Name, Version: preferred})
		for _, v := range group.Versions {
			if v.Version != preferred {
				all = append(all, Resource{Group: group.Name, Version: v.Version})
			}
		}
	}
	return all
}

// discoverEach reads group version by group version. One that is broken, as those of a dead APIService are, is left out.
func (c *Client) discoverEach(ctx context.Context, groupVersions []Resource) ([]unique.Handle[servedType], error) {
	var types []unique.Handle[servedType]
	for i, gv := range groupVersions {
		if i == maxGroupVersions {
			return nil, NewError(ResponseTooLarge, PhaseBody, fmt.Sprintf("the server has more than %d API group versions", maxGroupVersions), nil)
		}
		if (TypeName{Group: gv.Group, Version: gv.Version, Name: "x"}).validate() != nil {
			continue
		}
		var list resourceList
		err := c.readJSON(ctx, strings.TrimSuffix(gv.path("", ""), "/"), "application/json", &list)
		if err != nil {
			if !isBroken(err) {
				return nil, err
			}
			continue
		}
		for _, r := range list.Resources {
			types = appendServed(types, servedType{
				Resource:   Resource{Group: gv.Group, Version: gv.Version, Plural: r.Name, Kind: r.Kind, Namespaced: r.Namespaced},
				singular:   r.SingularName,
				shortNames: strings.Join(r.ShortNames, ","),
			})
		}
	}
	return types, nil
}

// isBroken reports whether it is what was asked for that fails, and not the server or the way to it.
func isBroken(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && (e.Reason == ServerError || e.Reason == NotFound || e.Reason == Forbidden || e.Reason == MalformedResponse)
}

// readJSON reads one small document.
func (c *Client) readJSON(ctx context.Context, path, accept string, result any) error {
	body, err := c.open(ctx, func(ctx context.Context) *http.Request {
		return c.requests.accept(ctx, path, "", accept)
	}, maxDiscoveryBytes)
	if err != nil {
		return err
	}
	defer body.Close()
	decoder := json.NewDecoder(body)
	err = decoder.Decode(result)
	if err == nil {
		// Reading on to the end finds what must not be there, and lets the connection be used again.
		if _, err = decoder.Token(); errors.Is(err, io.EOF) {
			return nil
		}
	}
	if body.failure != nil {
		return body.failure
	}
	return NewError(MalformedResponse, PhaseBody, path+" was answered with what is not the expected JSON", err)
}
