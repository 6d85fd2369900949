package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nuid"
	"golang.org/x/time/rate"

	"github.com/clusterfleet/clusterfleet/internal/health"
)

// Store keeps health. Its methods may be called at the same time, also while and after it is closed.
type Store struct {
	options Options
	// lock is the file that makes the data directory ours; nil where the store is external.
	lock *os.File
	// link is replaced when the embedded server has to be started anew.
	link    atomic.Pointer[link]
	pending pending
	// wake says that a transition waits, closing that no more will come.
	wake    chan struct{}
	closing chan struct{}
	close   sync.Once
	// ended is closed when the writer has ended, stop ends it before it is done.
	ended chan struct{}
	stop  context.CancelFunc
	// session tells the transitions of this process from those of others.
	session string

	writtenTransitions, writtenSnapshots atomic.Uint64
	dropped, undecodable, failures       atomic.Uint64
	complaints                           complaints
	trouble                              trouble
}

// complaints are log lines that may come very often.
type complaints struct{ dropped, undecodable rate.Sometimes }

// trouble is why the store is degraded.
type trouble struct {
	mu sync.Mutex
	// failure is why the last attempt to write failed, nil if it did not; since is when that began.
	failure error
	since   time.Time
	// dropped is how many transitions were, since all that was pending could last be written.
	dropped uint64
}

// Stats say how the writing goes. Numbers of what was written, dropped and failed are since the store was opened.
type Stats struct {
	// Lag is how long the oldest that is not written has waited.
	Lag time.Duration
	// PendingTransitions and PendingSnapshots wait for being written.
	PendingTransitions, PendingSnapshots int
	// WrittenTransitions and WrittenSnapshots are on disk; the snapshots include clusters that were forgotten.
	WrittenTransitions, WrittenSnapshots uint64
	// Dropped were not written: no room to wait, or not to be stored at all. Undecodable were passed over when read.
	Dropped, Undecodable uint64
	// Failures are attempts to write that failed.
	Failures uint64
}

// Open opens a store, and makes it where there is none. The error says what is wrong with the directory or the address,
// and what to do. ctx bounds the opening only.
func Open(ctx context.Context, o Options) (*Store, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	s := &Store{
		options: o,
		pending: pending{limit: maxPending},
		wake:    make(chan struct{}, 1),
		closing: make(chan struct{}),
		ended:   make(chan struct{}),
		session: nuid.Next(),
		complaints: complaints{
			dropped:     rate.Sometimes{First: 3, Interval: time.Minute},
			undecodable: rate.Sometimes{First: 10, Interval: time.Minute},
		},
	}
	if o.Dir != "" {
		f, err := lock(o.Dir)
		if err != nil {
			return nil, err
		}
		s.lock = f
	}
	l, err := open(ctx, &o)
	if err != nil {
		s.unlock()
		return nil, err
	}
	s.link.Store(l)
	tail, err := l.last(ctx, historyStream, everything)
	if err != nil {
		l.close()
		s.unlock()
		return nil, err
	}
	writing, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	go (&writer{Store: s, tail: tail}).run(writing)
	return s, nil
}

// Save keeps the snapshots as the latest of their clusters. It never waits: they are written soon after, and if there is
// a later one of the same cluster by then, only that.
func (s *Store) Save(snapshots ...health.Snapshot) {
	for _, snapshot := range snapshots {
		if !s.pending.put(snapshot.Cluster, change{snapshot: snapshot}) {
			s.drop("snapshot", snapshot.Cluster, errClosed)
		}
	}
}

// Forget removes the latest snapshot of a cluster. Its transitions stay until they are too old. It never waits.
func (s *Store) Forget(cluster string) {
	if !s.pending.put(cluster, change{forget: true}) {
		s.drop("snapshot", cluster, errClosed)
	}
}

// Append adds a transition to the history, after those that were added before. It never waits. Where too many wait
// already it is dropped, which Status tells.
func (s *Store) Append(t health.Transition) {
	if !s.pending.add(t) {
		s.trouble.mu.Lock()
		s.trouble.dropped++
		s.trouble.mu.Unlock()
		s.drop("transition", t.Cluster, errFull)
		return
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Status returns why what is saved and appended is not written in time, or nil if it is. The error says what happened
// and how much waits.
func (s *Store) Status() error {
	transitions, snapshots, lag := s.pending.measure()
	s.trouble.mu.Lock()
	failure, since, dropped := s.trouble.failure, s.trouble.since, s.trouble.dropped
	s.trouble.mu.Unlock()
	waiting := fmt.Sprintf("%d transitions and %d snapshots wait, %d transitions were dropped", transitions, snapshots, dropped)
	switch {
	case failure != nil:
		return fmt.Errorf("the store cannot be written since %s: %w; %s", since.UTC().Format(time.RFC3339), failure, waiting)
	case dropped > 0 || lag > lagging:
		return fmt.Errorf("the store is %s behind: %s", lag.Round(time.Second), waiting)
	case !s.link.Load().conn.IsConnected():
		return errors.New("the store is not connected")
	}
	return nil
}

// Stats returns how the writing goes.
func (s *Store) Stats() Stats {
	transitions, snapshots, lag := s.pending.measure()
	return Stats{
		Lag:                lag,
		PendingTransitions: transitions,
		PendingSnapshots:   snapshots,
		WrittenTransitions: s.writtenTransitions.Load(),
		WrittenSnapshots:   s.writtenSnapshots.Load(),
		Dropped:            s.dropped.Load(),
		Undecodable:        s.undecodable.Load(),
		Failures:           s.failures.Load(),
	}
}

// Close writes what is pending, until ctx ends, and closes the store. The error says what could not be written.
func (s *Store) Close(ctx context.Context) error {
	s.close.Do(func() {
		s.pending.close()
		close(s.closing)
	})
	select {
	case <-s.ended:
	case <-ctx.Done():
		s.stop()
		<-s.ended
	}
	s.stop()
	if transitions, snapshots, _ := s.pending.measure(); transitions+snapshots > 0 {
		return fmt.Errorf("close the store: %d transitions and %d snapshots are not written: %w", transitions, snapshots, context.Cause(ctx))
	}
	return nil
}

func (s *Store) unlock() {
	if s.lock != nil {
		s.lock.Close()
	}
}

var (
	errFull   = errors.New("too many wait already, or the store is closed")
	errClosed = errors.New("the store is closed")
)

// drop counts what is not written, and says so now and then.
func (s *Store) drop(what, cluster string, why error) {
	n := s.dropped.Add(1)
	s.complaints.dropped.Do(func() {
		s.options.Log.Error("not stored", "what", what, "cluster", cluster, "error", why, "dropped", n)
	})
}
