package simulator

import (
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/version"
)

// kubernetesVersion is what /version says.
const kubernetesVersion = "v1.36.3"

// resourceVersion of every list: nothing ever changes.
const resourceVersion = "104729"

// maxObjectBytes is the most that etcd takes.
const maxObjectBytes = 1_500_000

// maxCount keeps a typing error from filling the memory.
const maxCount = 1_000_000

// catalogue is everything that clusters serve alike, rendered once.
type catalogue struct {
	shelves   []*shelf
	version   []byte
	discovery map[string]document
	// odd is what clusters discover and say of their version that serve other types than the rest, by their fault.
	odd map[Kind]oddity
}

// resourceType is one type of object: what discovery says of it, and how to make one.
type resourceType struct {
	group, version         string
	plural, singular, kind string
	shortNames, categories []string
	namespaced             bool
	count                  int // default
	columns                []metav1.TableColumnDefinition
	// custom is a type of a CustomResourceDefinition. API servers write those as they write any map: keys sorted, so that
	// the metadata of a list comes after its items, and with apiVersion and kind in each item.
	custom bool
	make   func(place) product
}

func (t *resourceType) apiVersion() string {
	if t.group == "" {
		return t.version
	}
	return t.group + "/" + t.version
}

// place is where an object is made.
type place struct {
	index     int
	namespace string
	now       time.Time
	filler    []string // to be put where objects of the type are large
}

// product is an object, which marshals to JSON, and what its row in a Table says.
type product struct {
	object any
	meta   *metav1.ObjectMeta // of object
	cells  []any
}

func resourceTypes() []*resourceType {
	return []*resourceType{
		namespaceType(), nodeType(), podType(), configMapType(), secretType(), serviceType(),
		deploymentType(), statefulSetType(), replicaSetType(), rolloutType(), widgetType(),
	}
}

// DefaultCounts is how many objects of each resource type a cluster holds when Config.Counts does not say.
func DefaultCounts() map[string]int {
	counts := map[string]int{}
	for _, t := range resourceTypes() {
		counts[t.plural] = t.count
	}
	return counts
}

func newCatalogue(counts map[string]int, objectBytes int, now time.Time) (*catalogue, error) {
	wanted := DefaultCounts()
	for plural, n := range counts {
		if _, known := wanted[plural]; !known {
			known := slices.Sorted(maps.Keys(wanted))
			return nil, invalid("counts: unknown resource %q; known are %s", plural, strings.Join(known, ", "))
		}
		if n < 0 || n > maxCount {
			return nil, invalid("counts: %s: %d is not within 0 and %d", plural, n, maxCount)
		}
		wanted[plural] = n
	}
	if wanted["namespaces"] < 1 {
		return nil, invalid("counts: namespaces: a cluster has at least one")
	}
	c := &catalogue{}
	types := resourceTypes()
	for _, t := range types {
		s, err := stock(t, wanted[t.plural], wanted["namespaces"], objectBytes, now)
		if err != nil {
			return nil, fmt.Errorf("render %s: %w", t.plural, err)
		}
		c.shelves = append(c.shelves, s)
	}
	if err := c.describe(types); err != nil {
		return nil, err
	}
	var err error
	c.version, err = json.Marshal(versionInfo(kubernetesVersion))
	return c, err
}

// describe renders what there is to discover.
func (c *catalogue) describe(types []*resourceType) (err error) {
	if c.discovery, err = renderDiscovery(servedVersions(types)); err != nil {
		return err
	}
	c.odd, err = oddities(types)
	return err
}

func versionInfo(gitVersion string) version.Info {
	parts := strings.SplitN(gitVersion, ".", 3)
	return version.Info{
		Major:        strings.TrimPrefix(parts[0], "v"),
		Minor:        parts[1],
		GitVersion:   gitVersion,
		GitCommit:    "0000000000000000000000000000000000000000",
		GitTreeState: "clean",
		BuildDate:    "2026-01-01T00:00:00Z",
		GoVersion:    runtime.Version(),
		Compiler:     "gc",
		Platform:     "linux/amd64",
	}
}

// find returns nil when there is no such resource.
func (c *catalogue) find(group, version, plural string) *shelf {
	for _, s := range c.shelves {
		if s.plural == plural && s.group == group && s.version == version {
			return s
		}
	}
	return nil
}
