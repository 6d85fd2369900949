package broadcast_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/internal/broadcast"
)

// version is a value at its revision.
type version struct {
	value    int
	revision uint64
}

// publisher changes a hub at random and writes down what it did. Nobody else changes the hub.
type publisher struct {
	hub *broadcast.Hub[int]

	mu      sync.Mutex
	latest  map[string]version
	history map[uint64]change
	last    uint64
}

type change struct {
	key     string
	value   int
	removed bool
}

func newPublisher(tombstones int) *publisher {
	return &publisher{hub: broadcast.NewBounded[int](tombstones), latest: make(map[string]version), history: make(map[uint64]change)}
}

func (p *publisher) change(r *rand.Rand, keys int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key, value := fmt.Sprint(r.IntN(keys)), r.Int()
	if _, there := p.latest[key]; there && r.IntN(4) == 0 {
		p.last++
		p.history[p.last] = change{key: key, removed: true}
		delete(p.latest, key)
		p.hub.Remove(key)
		return
	}
	p.last++
	p.history[p.last] = change{key: key, value: value}
	p.latest[key] = version{value, p.last}
	p.hub.Publish(key, value)
}

// selected returns what a follower has to know.
func (p *publisher) selected(match func(string, int) bool) map[string]version {
	p.mu.Lock()
	defer p.mu.Unlock()
	result := make(map[string]version)
	for key, v := range p.latest {
		if match(key, v.value) {
			result[key] = v
		}
	}
	return result
}

// follower is a caller who applies events to a map, and whose subscription is cut now and then.
type follower struct {
	publisher *publisher
	match     func(string, int) bool
	s         *broadcast.Subscription[int]
	token     broadcast.Token
	resumed   bool
	floor     uint64 // the revision of the last event
	awaited   map[string]version
	knows     map[string]version
	resets    int
}

// begin subscribes where the follower has come to.
func (f *follower) begin() error {
	text := f.token.String()
	token, err := broadcast.ParseToken(text)
	if err != nil {
		return err
	}
	f.s = f.publisher.hub.Subscribe(f.match, token)
	f.resumed = token != broadcast.Token{} && !f.s.Reset()
	if !f.resumed {
		f.resets++
		f.floor = 0
		f.knows = make(map[string]version)
	}
	f.awaited = f.publisher.selected(f.match)
	return nil
}

// apply checks an event against the history and applies it.
func (f *follower) apply(e broadcast.Event[int]) error {
	if e.Revision <= f.floor {
		return fmt.Errorf("%v comes behind revision %d", e, f.floor)
	}
	f.floor, f.token = e.Revision, f.s.Token(e.Revision)
	f.publisher.mu.Lock()
	was := f.publisher.history[e.Revision]
	f.publisher.mu.Unlock()
	matches := !was.removed && f.match(was.key, was.value)
	if was.key != e.Key || matches == e.Removed || matches && was.value != e.Value {
		return fmt.Errorf("%v is not what happened: %v", e, was)
	}
	if _, known := f.knows[e.Key]; e.Removed && !known && !f.resumed {
		return fmt.Errorf("%v was never shown", e)
	}
	if e.Removed {
		delete(f.knows, e.Key)
		return nil
	}
	f.knows[e.Key] = version{e.Value, e.Revision}
	return nil
}

// check fails if the subscription is synced and something that was known when it began has not come. What has left the
// selection by now need not come. Nothing is published meanwhile.
func (f *follower) check() error {
	now := f.publisher.selected(f.match)
	for key, v := range f.awaited {
		if _, still := now[key]; !still {
			delete(f.awaited, key)
		} else if f.s.Synced() && f.knows[key].revision < v.revision {
			return fmt.Errorf("it is synced without %s at %d", key, v.revision)
		}
	}
	return nil
}

func TestAFollowerWhoseSubscriptionIsCutKnowsWhatTheHubKnows(t *testing.T) {
	resets, resumptions := 0, 0
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 0))
		p := newPublisher(r.IntN(8))
		f := &follower{publisher: p, match: func(_ string, value int) bool { return value%3 > 0 }}
		if seed%3 == 0 {
			f.match = func(string, int) bool { return true }
		}
		for range 200 {
			for range r.IntN(12) {
				p.change(r, 20)
			}
			if err := f.step(t, r); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if f.resumed {
				resumptions++
			}
		}
		resets += f.resets
	}
	if resets < 1000 || resumptions < 1000 {
		t.Errorf("only %d resets and %d resumptions were tried", resets, resumptions)
	}
}

// step cuts the follower off, lets it read a part of a batch, or lets it read all there is.
func (f *follower) step(t *testing.T, r *rand.Rand) error {
	if f.s == nil || r.IntN(4) == 0 {
		if err := f.begin(); err != nil {
			return err
		}
	}
	if r.IntN(3) == 0 {
		return nil
	}
	most := 1 + r.IntN(8)
	for {
		if f.s.Synced() && maps.Equal(f.publisher.selected(f.match), f.knows) {
			return nil // Next would wait
		}
		events, err := f.s.Next(t.Context(), most)
		if errors.Is(err, broadcast.ErrBehind) {
			if err := f.begin(); err != nil {
				return err
			}
			if f.resumed {
				return errors.New("it was behind, and is not reset")
			}
			continue
		}
		if err != nil {
			return err
		}
		cut := r.IntN(10) == 0
		if cut && len(events) > 0 { // what was returned got lost on the way
			events = events[:r.IntN(len(events))]
		}
		for _, e := range events {
			if err := f.apply(e); err != nil {
				return err
			}
		}
		if cut {
			f.s = nil
			return nil
		}
		if err := f.check(); err != nil {
			return err
		}
	}
}

func TestFollowersOfManyPublishersEndWithWhatTheHubKnows(t *testing.T) {
	const publishers, followers, changes, keys = 4, 8, 3000, 50
	p := newPublisher(20)
	var publishing, following sync.WaitGroup
	for i := range publishers {
		publishing.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 1))
			for range changes {
				p.change(r, keys)
			}
		})
	}
	const last = "the last"
	for i := range followers {
		following.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 2))
			f := &follower{publisher: p, match: func(key string, value int) bool { return key == last || value%2 == i%2 }}
			if err := f.follow(t, r, last); err != nil {
				t.Error(err)
				return
			}
			if diff := cmp.Diff(p.selected(f.match), f.knows, cmp.AllowUnexported(version{})); diff != "" {
				t.Error(diff)
			}
		})
	}
	publishing.Wait()
	p.mu.Lock()
	p.last++
	p.history[p.last] = change{key: last}
	p.latest[last] = version{0, p.last}
	p.hub.Publish(last, 0)
	p.mu.Unlock()
	following.Wait()
}

// follow reads until the last key is there.
func (f *follower) follow(t *testing.T, r *rand.Rand, last string) error {
	for {
		if _, done := f.knows[last]; done {
			return nil
		}
		if f.s == nil || r.IntN(50) == 0 {
			if err := f.begin(); err != nil {
				return err
			}
		}
		events, err := f.s.Next(t.Context(), 1+r.IntN(30))
		if errors.Is(err, broadcast.ErrBehind) {
			f.s = nil
			continue
		}
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := f.apply(e); err != nil {
				return err
			}
		}
	}
}
