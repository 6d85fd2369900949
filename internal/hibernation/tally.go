package hibernation

import (
	"errors"
	"maps"
	"slices"
	"strings"
)

// Grouping is what one group is.
type Grouping int

// The groupings.
const (
	ByCluster Grouping = iota
	ByNamespace
	ByWorkload
)

// Group is some workloads of one cluster.
type Group struct {
	Namespace  string // empty by cluster
	Kind, Name string // by workload only
	Sum
}

const (
	// maxTallyBytes bounds what the sums of one cluster take in memory: room for 25,000 namespaces.
	maxTallyBytes = 4 << 20
	// sumBytes is what a sum takes beside its namespace's name.
	sumBytes = 96
)

// ErrTooMany says that the workloads of a cluster are in more namespaces than a tally holds.
var ErrTooMany = errors.New("the workloads are in more namespaces than are summed up at once: name a namespace, or ask for single workloads")

// Tally sums up the workloads of one cluster. It holds one sum, or one a namespace; single workloads it holds until they
// are taken. It is for one goroutine.
type Tally struct {
	by        Grouping
	namespace string
	sums      map[string]*Sum // by namespace; by cluster, all are in that of no name
	bytes     int
	workloads int64
	single    []Group
}

// NewTally returns an empty tally of one namespace, or of all for an empty one.
func NewTally(by Grouping, namespace string) *Tally {
	return &Tally{by: by, namespace: namespace, sums: make(map[string]*Sum)}
}

// Add counts a workload, unless it is none for its type. The only error is ErrTooMany.
func (t *Tally) Add(of Type, namespace, name string, w Workload) error {
	if !of.counts(w) {
		return nil
	}
	if t.by == ByWorkload {
		group := Group{Namespace: strings.Clone(namespace), Kind: of.Kind, Name: strings.Clone(name)}
		group.add(w)
		t.single = append(t.single, group)
		t.workloads++
		return nil
	}
	if t.by == ByCluster {
		namespace = ""
	}
	sum := t.sums[namespace]
	if sum == nil {
		if t.bytes += sumBytes + len(namespace); t.bytes > maxTallyBytes {
			return ErrTooMany
		}
		sum = &Sum{}
		t.sums[strings.Clone(namespace)] = sum
	}
	sum.add(w)
	t.workloads++
	return nil
}

// Workloads returns how many were counted.
func (t *Tally) Workloads() int64 { return t.workloads }

// Take returns the groups that are complete, each once: single workloads.
func (t *Tally) Take() []Group {
	complete := t.single
	t.single = nil
	return complete
}

// End returns the groups that were not taken, by namespace, where that many types could not be read. Each of those may be
// in every group that is known: in the cluster, in a namespace that has been seen or was asked for.
func (t *Tally) End(unknown int) []Group {
	groups := t.Take()
	switch {
	case t.by == ByCluster && t.sums[""] == nil:
		t.sums[""] = &Sum{}
	case t.by == ByNamespace && t.namespace != "" && unknown > 0 && t.sums[t.namespace] == nil:
		t.sums[t.namespace] = &Sum{}
	}
	for _, namespace := range slices.Sorted(maps.Keys(t.sums)) {
		sum := *t.sums[namespace]
		sum.Unknown = unknown
		groups = append(groups, Group{Namespace: namespace, Sum: sum})
	}
	return groups
}
