package fleet

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unique"

	apiversion "k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apimachinery/pkg/version"

	"github.com/clusterfleet/clusterfleet/internal/lifecycle"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// tally counts over the clusters what each of them serves. Of a cluster it holds an index a type, no more.
type tally struct {
	names []string // of the clusters, in their order
	index map[*member]int32
	group *string // the only one that counts; nil: any

	asked    []int32
	counted  map[typeKey]*typeCount
	variants map[unique.Handle[cluster.ServedType]]*variant
	broken   map[cluster.BrokenAPI]*brokenCount // without its message
	seen     map[resourceKey]struct{}           // of one cluster
}

// typeKey is what makes types of different clusters the same.
type typeKey struct{ group, version, plural string }

// resourceKey is a type in any version.
type resourceKey struct{ group, plural string }

// typeCount is one type over the fleet.
type typeCount struct {
	variants  []*variant
	clusters  []int32
	preferred int
}

// variant is a type as some clusters describe it.
type variant struct {
	of       *typeCount
	served   cluster.ServedType
	clusters int
}

type brokenCount struct {
	message  string
	first    int32
	clusters []int32
}

func newTally(members []*member, group *string) *tally {
	t := &tally{
		names:    make([]string, len(members)),
		index:    make(map[*member]int32, len(members)),
		group:    group,
		counted:  map[typeKey]*typeCount{},
		variants: map[unique.Handle[cluster.ServedType]]*variant{},
		broken:   map[cluster.BrokenAPI]*brokenCount{},
		seen:     map[resourceKey]struct{}{},
	}
	for i, m := range members {
		t.names[i], t.index[m] = m.name(), int32(i)
	}
	return t
}

// add counts what one cluster serves. What is broken does not count as served, even where the cluster remembers it.
func (t *tally) add(m *member, types *cluster.Types) {
	i := t.index[m]
	t.asked = append(t.asked, i)
	clear(t.seen)
	for _, handle := range types.Served {
		v := t.variant(handle)
		if t.group != nil && *t.group != v.served.Group || types.IsBroken(v.served.Group, v.served.Version) {
			continue
		}
		if n := len(v.of.clusters); n > 0 && v.of.clusters[n-1] == i {
			continue // it says so twice
		}
		v.clusters++
		v.of.clusters = append(v.of.clusters, i)
		resource := resourceKey{v.served.Group, v.served.Plural}
		if _, before := t.seen[resource]; !before {
			t.seen[resource] = struct{}{}
			v.of.preferred++
		}
	}
	for _, b := range types.Broken {
		t.addBroken(i, b)
	}
}

func (t *tally) variant(handle unique.Handle[cluster.ServedType]) *variant {
	if v := t.variants[handle]; v != nil {
		return v
	}
	s := handle.Value()
	key := typeKey{s.Group, s.Version, s.Plural}
	count := t.counted[key]
	if count == nil {
		count = &typeCount{}
		t.counted[key] = count
	}
	v := &variant{of: count, served: s}
	count.variants = append(count.variants, v)
	t.variants[handle] = v
	return v
}

func (t *tally) addBroken(i int32, b cluster.BrokenAPI) {
	if t.group != nil && *t.group != b.Group {
		return
	}
	key := cluster.BrokenAPI{Group: b.Group, Version: b.Version}
	count := t.broken[key]
	if count == nil {
		count = &brokenCount{message: b.Message, first: i}
		t.broken[key] = count
	}
	if i < count.first {
		count.message, count.first = b.Message, i
	}
	count.clusters = append(count.clusters, i)
}

// types returns the types that clusters serve and of which keep says so, with what keep knows of them.
func (t *tally) types(keep func(cluster.ServedType) (lifecycle.Lifecycle, bool)) []ServedType {
	slices.Sort(t.asked)
	var result []ServedType
	for _, count := range t.counted {
		if len(count.clusters) == 0 {
			continue
		}
		served := count.usual()
		known, wanted := keep(served)
		if !wanted {
			continue
		}
		slices.Sort(count.clusters)
		result = append(result, ServedType{
			ServedType: served,
			Lifecycle:  known,
			Serving:    t.named(count.clusters),
			Missing:    t.named(without(t.asked, count.clusters)),
			Preferred:  count.preferred,
		})
	}
	slices.SortFunc(result, func(a, b ServedType) int {
		return cmp.Or(strings.Compare(a.Group, b.Group), strings.Compare(a.Plural, b.Plural),
			version.CompareKubeAwareVersionStrings(b.Version, a.Version), strings.Compare(a.Version, b.Version))
	})
	return result
}

// usual is the type as most clusters describe it.
func (c *typeCount) usual() cluster.ServedType {
	return slices.MaxFunc(c.variants, func(a, b *variant) int {
		return cmp.Or(cmp.Compare(a.clusters, b.clusters), strings.Compare(a.served.Kind, b.served.Kind),
			strings.Compare(a.served.Singular+" "+a.served.ShortNames, b.served.Singular+" "+b.served.ShortNames))
	}).served
}

// without returns the numbers of all that are not among some. Both are sorted.
func without(all, some []int32) []int32 {
	var rest []int32
	for _, n := range all {
		if len(some) > 0 && some[0] == n {
			some = some[1:]
			continue
		}
		rest = append(rest, n)
	}
	return rest
}

// named returns the clusters of sorted indices.
func (t *tally) named(indices []int32) Clusters {
	c := Clusters{Count: len(indices)}
	for _, i := range indices[:min(maxNames, len(indices))] {
		c.Names = append(c.Names, t.names[i])
	}
	return c
}

// brokenAPIs returns what is broken, by group and version.
func (t *tally) brokenAPIs() []BrokenAPI {
	keys := slices.SortedFunc(maps.Keys(t.broken), func(a, b cluster.BrokenAPI) int {
		return cmp.Or(strings.Compare(a.Group, b.Group), version.CompareKubeAwareVersionStrings(b.Version, a.Version))
	})
	var result []BrokenAPI
	for _, key := range keys {
		count := t.broken[key]
		slices.Sort(count.clusters)
		result = append(result, BrokenAPI{Group: key.Group, Version: key.Version, Message: count.message, Clusters: t.named(count.clusters)})
	}
	return result
}

// compareReleases orders versions of Kubernetes, and what is none behind them.
func compareReleases(a, b string) int {
	x, errX := apiversion.ParseSemantic(a)
	y, errY := apiversion.ParseSemantic(b)
	switch {
	case errX != nil && errY != nil:
		return strings.Compare(a, b)
	case errX != nil:
		return 1
	case errY != nil:
		return -1
	}
	switch {
	case x.LessThan(y):
		return -1
	case y.LessThan(x):
		return 1
	}
	return strings.Compare(a, b)
}
