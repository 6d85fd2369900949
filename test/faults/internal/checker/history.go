package checker

import (
	"cmp"
	"slices"
	"sync"
	"time"

	statuspb "google.golang.org/genproto/googleapis/rpc/status"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/schedule"
)

// History is all that callers were told in a run. Everything in it is timed from Start. Its methods may be called by
// any number of goroutines; the fields are to be read when all of them have ended.
type History struct {
	// Start is the beginning of the run. It has a monotonic reading.
	Start time.Time
	// Watches and Calls are in the order of their beginning.
	Watches []*Watch
	Calls   []*Call
	// Stalls are when the test or the aggregator was ready to run and the machine did not let it: promises are stretched by
	// that much.
	Stalls []schedule.Window
	// Lists are answers of ListClusterHealth.
	Lists []List
	// Transitions are the whole history as ListTransitions told it at the end, the latest first.
	Transitions []*fleetv1.Transition
	// Final is the health of the whole fleet as ListClusterHealth told it at the end, when nothing changed any more; nil to
	// leave that out.
	Final []*fleetv1.ClusterHealth

	mu sync.Mutex
}

// NewHistory returns a history that starts now.
func NewHistory() *History { return &History{Start: time.Now()} }

// Now is the time since the start.
func (h *History) Now() time.Duration { return time.Since(h.Start) }

// Wall is when an instant of the aggregator's wall clock was. The clocks of the two processes are the same.
func (h *History) Wall(t time.Time) time.Duration { return t.Sub(h.Start.Round(0)) }

// Stall records that for so long something of the run waited for a processor since From.
func (h *History) Stall(w schedule.Window) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.Stalls = append(h.Stalls, w)
}

// Stalled returns how much of a span was stalls. Stalls that overlap count once.
func (h *History) Stalled(span schedule.Window) (sum time.Duration) {
	var met []schedule.Window
	for _, w := range h.Stalls {
		if w.Overlaps(span) {
			met = append(met, w)
		}
	}
	slices.SortFunc(met, func(a, b schedule.Window) int { return cmp.Compare(a.From, b.From) })
	counted := span.From
	for _, w := range met {
		from, to := max(w.From, counted), min(w.To, span.To)
		sum += max(0, to-from)
		counted = max(counted, to)
	}
	return sum
}

// List is the health of clusters at one time.
type List struct {
	At       time.Duration
	Clusters []*fleetv1.ClusterHealth
}

// List records an answer of ListClusterHealth.
func (h *History) List(clusters []*fleetv1.ClusterHealth) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.Lists = append(h.Lists, List{h.Now(), clusters})
}

// Watch is one call of WatchClusterHealth. One goroutine records it.
type Watch struct {
	// Watcher names who watched; the calls of one watcher follow each other.
	Watcher string
	// Attentive says that the watcher read at once whatever came, in this one call, from before the first fault to the end.
	Attentive bool
	// Token is what the call resumed by, empty if it did not.
	Token string
	Began time.Duration
	Seen  []Sight

	history *History
}

// Sight is one event of a watch.
type Sight struct {
	At    time.Duration
	Event *fleetv1.WatchClusterHealthResponse
}

// Watch records a new call of a watcher.
func (h *History) Watch(watcher, token string, attentive bool) *Watch {
	w := &Watch{Watcher: watcher, Attentive: attentive, Token: token, Began: h.Now(), history: h}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.Watches = append(h.Watches, w)
	return w
}

// See records an event.
func (w *Watch) See(event *fleetv1.WatchClusterHealthResponse) {
	w.history.mu.Lock()
	defer w.history.mu.Unlock()
	w.Seen = append(w.Seen, Sight{w.history.Now(), event})
}

// Kind is what a call asks for.
type Kind int

// The kinds of calls with a result for each of what they are about.
const (
	Probe Kind = iota + 1
	Fetch
	Get
)

// Call is one fan-out call. One goroutine records it.
type Call struct {
	Kind Kind
	// Clusters are those asked for; for a Get one for each reference, by index. Results carry the index in it.
	Clusters []string
	// Concurrency is how many clusters were asked at once at most; 0 is the server's own limit.
	Concurrency int
	// Objects is how many objects each of the clusters has of what a Fetch asks for.
	Objects int
	// Began, Deadline and Ended are when it began, had to end, and ended.
	Began, Deadline, Ended time.Duration
	// Started are the counts of `started`, of which there is to be one, and it is to be first.
	Started []int32
	Results []Result
	// Summaries is to be one, and the last message.
	Summaries []*fleetv1.Summary
	// Left says that the caller broke the call off: it need not be complete.
	Left bool
	// Err is the call's own error.
	Err error

	history *History
}

// Result is what became of one of the clusters of a call.
type Result struct {
	At    time.Duration
	Index int
	// Observation is that of a probe.
	Observation *fleetv1.Observation
	// Error is nil where nothing is wrong.
	Error *statuspb.Status
	// Objects are the names of those that were read, in the order in which they came.
	Objects []string
	// Misplaced says that it came before `started` or after `summary`.
	Misplaced bool
}

// Call records a new call about the clusters that may take so long.
func (h *History) Call(kind Kind, clusters []string, concurrency int, timeout time.Duration) *Call {
	now := h.Now()
	c := &Call{Kind: kind, Clusters: clusters, Concurrency: concurrency, Began: now, Deadline: now + timeout, history: h}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.Calls = append(h.Calls, c)
	return c
}

// Start records `started`.
func (c *Call) Start(s *fleetv1.Started) { c.Started = append(c.Started, s.GetExpected()) }

// Result records the result of the cluster of that index.
func (c *Call) Result(index int, r Result) {
	r.At, r.Index = c.history.Now(), index
	r.Misplaced = len(c.Started) != 1 || len(c.Summaries) > 0
	c.Results = append(c.Results, r)
}

// Summary records `summary`.
func (c *Call) Summary(s *fleetv1.Summary) { c.Summaries = append(c.Summaries, s) }

// End records how the call ended.
func (c *Call) End(err error) { c.Ended, c.Err = c.history.Now(), err }
