package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unique"

	"github.com/clusterfleet/clusterfleet/internal/safetext"
)

const (
	aggregatedAccept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList," +
		"application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
	// maxDiscoveryBytes bounds one document, maxTypes what is kept of all of a cluster's.
	maxDiscoveryBytes = 4 << 20
	maxTypes          = 10_000
	maxGroupVersions  = 1000
	maxNameBytes      = 1 << 10
	// groupVersionTimeout bounds the wait for one group version. The API server answers it from memory, or asks another server,
	// that of an APIService.
	groupVersionTimeout = 3 * time.Second
	// groupVersionPause bounds the pause that a group version can ask for. API servers ask for a second; more is asked for by
	// who stands behind it, and says nothing of the other ones.
	groupVersionPause = time.Second
)

// discovery is what has been found of one cluster's types so far.
type discovery struct {
	types *Types
	// kind of the document that was read last, and the group versions that it points to where it does not hold the types
	// themselves, the preferred version of each group first.
	kind          string
	groupVersions []Resource
}

// discover reads all the types that the cluster serves.
func (c *Client) discover(ctx context.Context) (*Types, error) {
	found := discovery{types: &Types{}}
	for _, root := range []string{"/api", "/apis"} {
		found.kind, found.groupVersions = "", nil
		within := bounds{bytes: maxDiscoveryBytes, pause: maxRetryAfter}
		switch err := c.readDocument(ctx, root, aggregatedAccept, within, found.readRoot); {
		case is404(err):
			return nil, noAPI(root)
		case err != nil:
			return nil, err
		}
		switch found.kind {
		case "APIGroupDiscoveryList":
		case "APIVersions", "APIGroupList":
			if err := c.discoverEach(ctx, &found); err != nil {
				return nil, err
			}
		default:
			return nil, NewError(MalformedResponse, PhaseBody,
				fmt.Sprintf("%s was answered with a %q, not with API discovery", root, safetext.Truncate(found.kind, 64)), nil)
		}
	}
	return found.types, nil
}

// discoverEach reads group version by group version. One that is broken, as those of an APIService that is dead, hangs or
// throttles, is noted.
func (c *Client) discoverEach(ctx context.Context, found *discovery) error {
	within := bounds{bytes: maxDiscoveryBytes, time: groupVersionTimeout, pause: groupVersionPause}
	for _, gv := range found.groupVersions {
		if (TypeName{Group: gv.Group, Version: gv.Version, Name: "x"}).validate() != nil {
			continue
		}
		path := strings.TrimSuffix(gv.path("", ""), "/")
		before := len(found.types.Served)
		err := c.readDocument(ctx, path, "application/json", within, func(d *document) error { return found.readResources(d, gv) })
		if err != nil {
			if ctx.Err() != nil || !isBroken(err, gv) {
				return err
			}
			found.types.Served = found.types.Served[:before]
			found.types.addBroken(gv.Group, gv.Version, err.Error())
		}
	}
	return nil
}

// isBroken reports whether it is the group version that fails, and not the server or the way to it. The core group is served
// by no other server: where it is late or throttled, all are.
func isBroken(err error, gv Resource) bool {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return false
	}
	switch e.Reason {
	case ServerError, NotFound, Forbidden, MalformedResponse:
		return true
	case ResponseTimeout, Throttled:
		return gv.Group != "" && (e.Phase == PhaseWait || e.Phase == PhaseBody)
	default:
		return false
	}
}

// readDocument reads one document of discovery.
func (c *Client) readDocument(ctx context.Context, path, accept string, within bounds, read func(*document) error) error {
	body, err := c.open(ctx, func(ctx context.Context) *http.Request {
		return c.requests.read(ctx, discovering, path, "", accept)
	}, within)
	if err != nil {
		return err
	}
	defer body.Close()
	d := newDocument(body)
	if err = read(d); err == nil {
		err = d.end()
	}
	switch {
	case err == nil:
		return nil
	case body.failure != nil:
		return body.failure
	case ctx.Err() != nil:
		return explainRead(ctx, ctx.Err(), PhaseBody)
	case errors.Is(err, errTooLarge):
		return Classify(err, PhaseBody)
	}
	return NewError(MalformedResponse, PhaseBody, path+" was answered with what is not the expected JSON", err)
}

// readRoot reads an APIGroupDiscoveryList, or what servers before Kubernetes 1.26 send in its place: APIVersions (for
// /api) or an APIGroupList (for /apis).
func (f *discovery) readRoot(d *document) error {
	return d.object(func(name string) error {
		switch name {
		case "kind":
			return d.text(&f.kind)
		case "items":
			return d.array(func() error { return f.readGroup(d) })
		case "versions":
			return d.array(func() error { return f.readVersion(d) })
		case "groups":
			return d.array(func() error { return f.readOldGroup(d) })
		}
		return d.skip()
	})
}

// readGroup reads an APIGroupDiscovery. Its members may come in any order.
func (f *discovery) readGroup(d *document) error {
	var group string
	var served []ServedType
	var stale []string // versions
	err := d.object(func(name string) error {
		switch name {
		case "metadata":
			return d.object(func(name string) error { return d.textOf("name", name, &group) })
		case "versions":
			return d.array(func() error { return f.readGroupVersion(d, &served, &stale) })
		}
		return d.skip()
	})
	for _, version := range stale {
		f.types.addBroken(group, version, "the server that serves it does not answer the API server")
	}
	for _, s := range served {
		s.Group = group
		f.add(s)
	}
	return err
}

// readGroupVersion reads an APIVersionDiscovery. It is stale where the API server could not ask for it of late.
func (f *discovery) readGroupVersion(d *document, served *[]ServedType, stale *[]string) error {
	var version, freshness string
	first := len(*served)
	err := d.object(func(name string) error {
		switch name {
		case "version":
			return d.text(&version)
		case "freshness":
			return d.text(&freshness)
		case "resources":
			return d.array(func() error { return f.readResource(d, served) })
		}
		return d.skip()
	})
	if freshness == "Stale" && len(*stale) < maxBroken {
		*stale = append(*stale, version)
	}
	for i := range (*served)[first:] {
		(*served)[first+i].Version = version
	}
	return err
}

// readResources reads an APIResourceList.
func (f *discovery) readResources(d *document, gv Resource) error {
	var served []ServedType
	err := d.object(func(name string) error {
		if name != "resources" {
			return d.skip()
		}
		return d.array(func() error { return f.readResource(d, &served) })
	})
	for _, s := range served {
		s.Group, s.Version = gv.Group, gv.Version
		f.add(s)
	}
	return err
}

// readResource reads an APIResourceDiscovery, or an APIResource: no name means one thing in one and another in the other.
// What could not be put into a path, or shown, is left out.
func (f *discovery) readResource(d *document, served *[]ServedType) error {
	var s ServedType
	err := d.object(func(name string) error {
		switch name {
		case "resource", "name":
			return d.text(&s.Plural)
		case "singularResource", "singularName":
			return d.text(&s.Singular)
		case "shortNames":
			return d.array(func() error { return d.appendText(&s.ShortNames) })
		case "kind":
			return d.text(&s.Kind)
		case "responseKind":
			return d.object(func(name string) error { return d.textOf("kind", name, &s.Kind) })
		case "scope":
			var scope string
			err := d.text(&scope)
			s.Namespaced = scope == "Namespaced"
			return err
		case "namespaced":
			return d.truth(&s.Namespaced)
		}
		return d.skip()
	})
	if err != nil || !s.isNamed() {
		return err
	}
	if len(f.types.Served)+len(*served) == maxTypes {
		return fmt.Errorf("more than %d resource types: %w", maxTypes, errTooLarge)
	}
	s.dropUnusable()
	*served = append(*served, s)
	return nil
}

func (s *ServedType) isNamed() bool {
	plural, kind := TypeName{Name: s.Plural}, TypeName{Name: s.Kind}
	return plural.validate() == nil && kind.validate() == nil && len(s.Singular)+len(s.ShortNames) <= maxNameBytes
}

// dropUnusable drops short names and a singular that nobody can ask for.
func (s *ServedType) dropUnusable() {
	unusable := func(name string) bool { return (TypeName{Name: name}).validate() != nil }
	s.ShortNames = strings.Join(slices.DeleteFunc(strings.Split(s.ShortNames, ","), unusable), ",")
	if unusable(s.Singular) {
		s.Singular = ""
	}
}

// add leaves out what is of no valid group and version.
func (f *discovery) add(s ServedType) {
	name := TypeName{Group: s.Group, Version: s.Version, Name: s.Plural}
	if s.Version != "" && name.validate() == nil {
		f.types.Served = append(f.types.Served, unique.Make(s))
	}
}

// readOldGroup reads an APIGroup.
func (f *discovery) readOldGroup(d *document) error {
	var group, preferred string
	first := len(f.groupVersions)
	err := d.object(func(name string) error {
		switch name {
		case "name":
			return d.text(&group)
		case "preferredVersion":
			return d.object(func(name string) error { return d.textOf("version", name, &preferred) })
		case "versions":
			return d.array(func() error {
				var version string
				if err := d.object(func(name string) error { return d.textOf("version", name, &version) }); err != nil {
					return err
				}
				return f.addVersion(version)
			})
		}
		return d.skip()
	})
	versions := f.groupVersions[first:]
	for i := range versions {
		versions[i].Group = group
		if versions[i].Version == preferred {
			copy(versions[1:i+1], versions[:i])
			versions[0] = Resource{Group: group, Version: preferred}
		}
	}
	return err
}

func (f *discovery) readVersion(d *document) error {
	var version string
	if err := d.text(&version); err != nil {
		return err
	}
	return f.addVersion(version)
}

func (f *discovery) addVersion(version string) error {
	if len(f.groupVersions) == maxGroupVersions {
		return fmt.Errorf("more than %d API group versions: %w", maxGroupVersions, errTooLarge)
	}
	f.groupVersions = append(f.groupVersions, Resource{Version: version})
	return nil
}
