package simulator

import (
	"crypto/tls"
	"sync"
	"sync/atomic"
	"time"
)

// rememberedAborts is how many abort times are kept; older ones are overwritten.
const rememberedAborts = 4096

// Stats is what a fleet has seen since it started or since ResetStats. Times are Unix nanoseconds of the wall clock,
// so that another process on the machine can compare them with its own.
type Stats struct {
	Clusters int `json:"clusters"`

	Requests              int64 `json:"requests"` // answered or aborted
	InFlight              int64 `json:"inFlight"`
	PeakInFlight          int64 `json:"peakInFlight"`
	PeakInFlightOfCluster int64 `json:"peakInFlightOfCluster"` // of the busiest cluster

	// Aborted counts requests whose client left before the whole answer was written. Requests that a fault cut short
	// are not among them.
	Aborted            int64   `json:"aborted"`
	LastAbortUnixNano  int64   `json:"lastAbortUnixNano"`  // 0: none
	AbortTimesUnixNano []int64 `json:"abortTimesUnixNano"` // oldest first, at most 4096

	OpenConnections     int64 `json:"openConnections"`
	AcceptedConnections int64 `json:"acceptedConnections"`
	BytesWritten        int64 `json:"bytesWritten"` // on the wire, TLS included
	TLSHandshakes       int64 `json:"tlsHandshakes"`
	TLSResumed          int64 `json:"tlsResumed"` // of TLSHandshakes
}

// ClusterStats is the same of one cluster.
type ClusterStats struct {
	Requests            int64 `json:"requests"`
	InFlight            int64 `json:"inFlight"`
	PeakInFlight        int64 `json:"peakInFlight"`
	Aborted             int64 `json:"aborted"`
	OpenConnections     int64 `json:"openConnections"`
	AcceptedConnections int64 `json:"acceptedConnections"`
}

// stats counts for the whole fleet.
type stats struct {
	requests, inFlight, peak, peakOfCluster atomic.Int64
	open, accepted, bytesWritten            atomic.Int64
	handshakes, resumed                     atomic.Int64

	mu     sync.Mutex
	aborts []int64 // a ring, guarded by mu; aborted counts on when it is full
	count  int64   // guarded by mu
}

// traffic counts for one cluster.
type traffic struct {
	requests, inFlight, peak atomic.Int64
	aborted, open, accepted  atomic.Int64
	pages                    atomic.Int64 // of EndlessContinue
	expired                  atomic.Int64 // tokens that ExpiredContinue refused since a fault began or ended
}

func (s *stats) begin(t *traffic) {
	raise(&s.peak, s.inFlight.Add(1))
	mine := t.inFlight.Add(1)
	raise(&t.peak, mine)
	raise(&s.peakOfCluster, mine)
}

// end counts the request before it takes it out of those in flight, so that with none in flight all are counted. A client
// may have its whole answer before that.
func (s *stats) end(t *traffic) {
	s.requests.Add(1)
	t.requests.Add(1)
	s.inFlight.Add(-1)
	t.inFlight.Add(-1)
}

func (s *stats) countAccept(c *cluster) {
	s.accepted.Add(1)
	s.open.Add(1)
	c.traffic.accepted.Add(1)
	c.traffic.open.Add(1)
}

// countHandshake is a tls.Config.VerifyConnection: that is called once for every handshake, resumed or not.
func (s *stats) countHandshake(state tls.ConnectionState) error {
	s.handshakes.Add(1)
	if state.DidResume {
		s.resumed.Add(1)
	}
	return nil
}

func (s *stats) countAbort(t *traffic, at time.Time) {
	t.aborted.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.aborts) < rememberedAborts {
		s.aborts = append(s.aborts, at.UnixNano())
	} else {
		s.aborts[s.count%rememberedAborts] = at.UnixNano()
	}
	s.count++
}

// abortTimes returns the remembered times, oldest first, and how many aborts there were.
func (s *stats) abortTimes() ([]int64, int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	times := make([]int64, 0, len(s.aborts))
	if s.count > rememberedAborts {
		oldest := s.count % rememberedAborts
		times = append(times, s.aborts[oldest:]...)
		return append(times, s.aborts[:oldest]...), s.count
	}
	return append(times, s.aborts...), s.count
}

// raise makes peak at least n.
func raise(peak *atomic.Int64, n int64) {
	for {
		old := peak.Load()
		if n <= old || peak.CompareAndSwap(old, n) {
			return
		}
	}
}

// Stats is a copy of the counters.
func (f *Fleet) Stats() Stats {
	s := f.stats
	times, aborted := s.abortTimes()
	stats := Stats{
		Clusters:              len(f.clusters),
		Requests:              s.requests.Load(),
		InFlight:              s.inFlight.Load(),
		PeakInFlight:          s.peak.Load(),
		PeakInFlightOfCluster: s.peakOfCluster.Load(),
		Aborted:               aborted,
		AbortTimesUnixNano:    times,
		OpenConnections:       s.open.Load(),
		AcceptedConnections:   s.accepted.Load(),
		BytesWritten:          s.bytesWritten.Load(),
		TLSHandshakes:         s.handshakes.Load(),
		TLSResumed:            s.resumed.Load(),
	}
	if len(times) > 0 {
		stats.LastAbortUnixNano = times[len(times)-1]
	}
	return stats
}

// ClusterStats is a copy of the counters of one cluster; false when there is no such cluster.
func (f *Fleet) ClusterStats(name string) (ClusterStats, bool) {
	c, ok := f.byName[name]
	if !ok {
		return ClusterStats{}, false
	}
	return ClusterStats{
		Requests:            c.traffic.requests.Load(),
		InFlight:            c.traffic.inFlight.Load(),
		PeakInFlight:        c.traffic.peak.Load(),
		Aborted:             c.traffic.aborted.Load(),
		OpenConnections:     c.traffic.open.Load(),
		AcceptedConnections: c.traffic.accepted.Load(),
	}, true
}

// ResetStats begins to count anew. What is in flight or open stays counted; peaks fall to it.
func (f *Fleet) ResetStats() {
	s := f.stats
	for _, counter := range []*atomic.Int64{
		&s.requests, &s.accepted, &s.bytesWritten, &s.handshakes, &s.resumed, &s.peakOfCluster,
	} {
		counter.Store(0)
	}
	s.peak.Store(s.inFlight.Load())
	s.mu.Lock()
	s.aborts, s.count = nil, 0
	s.mu.Unlock()
	for _, c := range f.clusters {
		t := &c.traffic
		t.requests.Store(0)
		t.aborted.Store(0)
		t.accepted.Store(0)
		t.peak.Store(t.inFlight.Load())
		raise(&s.peakOfCluster, t.peak.Load())
	}
}
