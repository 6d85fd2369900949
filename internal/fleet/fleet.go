package fleet

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/clusterfleet/clusterfleet/internal/lifecycle"
	"github.com/clusterfleet/clusterfleet/internal/manifest"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// Bounds over the whole fleet, whoever asks. Probes and reads are bounded apart, so that none starves the other.
const (
	maxProbes = MaxLimit
	// MaxLimit is the most clusters that one call may work on at once.
	MaxLimit = 1024
	// DefaultLimit is how many clusters a call works on at once unless it asks for another number.
	DefaultLimit = 64
)

// Options are the fleet's settings.
type Options struct {
	// UserAgent is sent with every request to a cluster.
	UserAgent string
	// Limit is the number of clusters that a call works on at once unless it asks for another. 0: DefaultLimit.
	Limit int
	// Log gets what no caller may see, such as the stack of a panic; nil discards it.
	Log *slog.Logger
	// Metrics gets the metrics of reads; nil: they are counted and not shown.
	Metrics prometheus.Registerer
	// ClusterMetrics is how many clusters have metrics of their own, by name.
	ClusterMetrics int
}

// Fleet is all clusters and the latest observation of each. It is safe for concurrent use.
type Fleet struct {
	options Options
	clients cluster.Options
	probes  *semaphore.Weighted
	reads   *semaphore.Weighted
	compare comparing
	latest  latest
	flights *flights[probeKey, *Observation]
	buffers manifest.Pool
	arenas  arenas
	metrics *metrics
	// lifecycles are those of Kubernetes' own types.
	lifecycles lifecycle.Table

	changing sync.Mutex
	roster   atomic.Pointer[roster]
}

// roster is the fleet's members at one time; it is never changed.
type roster struct {
	byName map[string]*member
	sorted []*member // by name
}

// member is one cluster for the life of its definition.
type member struct {
	definition cluster.Definition
	labels     labels.Set
	client     *cluster.Client // nil for virtual clusters
	probing    chan struct{}   // has a token while a caller's probe runs or waits for the fleet's turn
	pace       pace
	gone       atomic.Bool
}

func (m *member) name() string { return m.definition.Name }

// maxHandshakes bounds the TLS handshakes at one time: enough to wait for far-away clusters, and few enough that each
// gets its millisecond of a core long before its time is over.
func maxHandshakes() int64 { return int64(32 * runtime.GOMAXPROCS(0)) }

// New returns a fleet without clusters.
func New(options Options) *Fleet {
	options.Limit = cmp.Or(options.Limit, DefaultLimit)
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	f := &Fleet{
		options: options,
		clients: cluster.Options{
			UserAgent:  options.UserAgent,
			Handshakes: semaphore.NewWeighted(maxHandshakes()),
		},
		probes:  semaphore.NewWeighted(maxProbes),
		reads:   semaphore.NewWeighted(maxReadBytes),
		compare: newComparing(),
	}
	f.flights = newFlights(f.probe)
	f.roster.Store(&roster{})
	f.metrics = newMetrics(f)
	return f
}

// Apply makes the definitions the fleet. A cluster whose definition has not changed keeps its client and its latest
// observation; every trace of one that is gone goes. Definitions that cannot be used are left out and reported, each by an
// error that names it.
func (f *Fleet) Apply(definitions []cluster.Definition) error {
	f.changing.Lock()
	defer f.changing.Unlock()
	old := f.roster.Load()
	next := &roster{byName: make(map[string]*member, len(definitions))}
	var problems []error
	for _, d := range definitions {
		if next.byName[d.Name] != nil {
			problems = append(problems, fmt.Errorf("cluster %q is defined twice; the first one counts", d.Name))
			continue
		}
		m, err := f.member(d, old.byName[d.Name])
		if err != nil {
			problems = append(problems, fmt.Errorf("cluster %q: %w", d.Name, err))
			continue
		}
		next.byName[d.Name] = m
	}
	next.sorted = slices.SortedFunc(maps.Values(next.byName), func(a, b *member) int { return strings.Compare(a.name(), b.name()) })
	f.roster.Store(next)
	for name, m := range old.byName {
		if after := next.byName[name]; after != m {
			f.remove(m, after)
		}
	}
	return errors.Join(problems...)
}

func (f *Fleet) member(d cluster.Definition, old *member) (*member, error) {
	if old != nil && reflect.DeepEqual(old.definition, d) {
		return old, nil
	}
	if old != nil && sameServer(old.definition, d) {
		return f.relabeled(old, d), nil
	}
	m := &member{definition: d, labels: d.Labels, probing: make(chan struct{}, 1)}
	if d.Virtual {
		return m, nil
	}
	client, err := cluster.New(d, f.clients)
	if err != nil {
		return nil, err
	}
	m.client = client
	return m, nil
}

// sameServer reports whether two definitions differ at most in what is said of the cluster, not in what it is.
func sameServer(a, b cluster.Definition) bool {
	a.Labels, a.Maintenance = b.Labels, b.Maintenance
	return reflect.DeepEqual(a, b)
}

// relabeled returns the member with another definition of the same server: client and pace stay, and what was observed.
func (f *Fleet) relabeled(old *member, d cluster.Definition) *member {
	d.Config = old.definition.Config
	m := &member{definition: d, labels: d.Labels, client: old.client, probing: old.probing}
	for w := range m.pace {
		m.pace[w].Store(old.pace[w].Load())
	}
	if o := f.latest.get(old); o != nil {
		f.latest.put(m, *o)
	}
	return m
}

// remove forgets a member, and closes its client unless the one that comes after it has it.
func (f *Fleet) remove(m, after *member) {
	m.gone.Store(true)
	f.latest.remove(m)
	if m.client != nil && (after == nil || after.client != m.client) {
		m.client.Close()
	}
}

// Close removes all clusters and closes their idle connections.
func (f *Fleet) Close() error { return f.Apply(nil) }

// Size returns how many clusters the fleet has.
func (f *Fleet) Size() int { return len(f.roster.Load().sorted) }

// Definitions returns the clusters' definitions in the order of their names. The configuration of a cluster that has not
// changed since an earlier call is the same one.
func (f *Fleet) Definitions() []cluster.Definition {
	sorted := f.roster.Load().sorted
	definitions := make([]cluster.Definition, len(sorted))
	for i, m := range sorted {
		definitions[i] = m.definition
	}
	return definitions
}

// Cluster is what is known of one cluster without asking it.
type Cluster struct {
	Definition cluster.Definition
	// Latest is the latest observation, nil while there is none.
	Latest *Observation
}

// Clusters returns the selected clusters in the order of their names.
func (f *Fleet) Clusters(s Selector) ([]Cluster, error) {
	members, err := f.selected(s)
	if err != nil {
		return nil, err
	}
	clusters := make([]Cluster, len(members))
	for i, m := range members {
		clusters[i] = Cluster{Definition: m.definition, Latest: f.latest.get(m)}
	}
	return clusters, nil
}

// Cluster returns the cluster of that name, or an *UnknownClusterError.
func (f *Fleet) Cluster(name string) (Cluster, error) {
	m, err := f.roster.Load().find(name)
	if err != nil {
		return Cluster{}, err
	}
	return Cluster{Definition: m.definition, Latest: f.latest.get(m)}, nil
}

func (r *roster) find(name string) (*member, error) {
	if m := r.byName[name]; m != nil {
		return m, nil
	}
	return nil, &UnknownClusterError{Names: []string{name}}
}

// Run is a fan-out that is about to happen.
type Run[T any] struct {
	// Expected is how many results there will be.
	Expected int
	// Results does the work while it is ranged over, once.
	Results iter.Seq[T]
}

// limit returns the concurrency for a call that asks for wanted, 0 for the default.
func (f *Fleet) limit(wanted int) int {
	if wanted <= 0 {
		wanted = f.options.Limit
	}
	return min(wanted, MaxLimit)
}

// Source says who made an observation.
type Source int

// The makers of observations.
const (
	Live Source = iota
	Monitor
)

// Observation is a verdict with its time and its source. It is immutable.
type Observation struct {
	Verdict *cluster.Verdict
	// At is when the probe ended; it carries a monotonic reading.
	At time.Time
	// Source is who asked for the probe.
	Source Source
	// LastSuccess is when the cluster was last found healthy, zero if it never was.
	LastSuccess time.Time
}
