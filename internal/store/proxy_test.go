package store_test

import (
	"io"
	"net"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/internal/store"
)

// proxy is a way to a server on which the answers may be lost.
type proxy struct {
	net.Listener
	target string
	mute   atomic.Bool
	wg     sync.WaitGroup
	mu     sync.Mutex
	conns  []net.Conn
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	address, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: l, target: address.Host}
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		l.Close()
		p.cut()
		p.wg.Wait()
	})
	return p
}

func (p *proxy) accept() {
	for {
		near, err := p.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", p.target)
		if err != nil {
			near.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, near, far)
		p.mu.Unlock()
		p.wg.Go(func() {
			defer far.Close()
			_, _ = io.Copy(far, near)
		})
		p.wg.Go(func() {
			defer near.Close()
			_, _ = io.Copy(mutable{near, &p.mute}, far)
		})
	}
}

// cut ends all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range slices.Backward(p.conns) {
		c.Close()
	}
	p.conns = nil
}

// mutable is a writer that passes nothing on while it is mute.
type mutable struct {
	io.Writer
	mute *atomic.Bool
}

func (m mutable) Write(b []byte) (int, error) {
	if m.mute.Load() {
		return len(b), nil
	}
	return m.Writer.Write(b)
}

func TestATransitionIsStoredOnceThoughItsAcknowledgementIsLost(t *testing.T) {
	_, out := start(t, "server", childDir+"="+t.TempDir(), childPort+"=-1")
	if !out.Scan() {
		t.Fatal("there is no server")
	}
	p := newProxy(t, out.Text())
	s := open(t, store.Options{URL: "nats://" + p.Addr().String()})
	direct := open(t, store.Options{URL: out.Text()})

	p.mute.Store(true)
	const n = 5
	for i := range n {
		s.Append(transition("a", i))
	}
	stored := func() int { return len(history(t, direct, health.HistoryQuery{})) }
	eventually(t, "the first is stored", func() bool { return stored() > 0 })
	if got := s.Stats().WrittenTransitions; got > 0 {
		t.Fatalf("%d are acknowledged through a mute proxy", got)
	}
	p.cut()
	p.mute.Store(false)
	s.Append(transition("b", n))
	settle(t, s)
	got := history(t, direct, health.HistoryQuery{})
	if len(got) != n+1 {
		t.Fatalf("%d are stored, not %d", len(got), n+1)
	}
	for i, x := range got {
		if want := transition("", n-i).Message; x.Message != want {
			t.Errorf("at %d there is %q, not %q", i, x.Message, want)
		}
	}
	if got := s.Stats(); got.Failures == 0 || got.WrittenTransitions != n+1 || got.Dropped > 0 {
		t.Errorf("%+v", got)
	}
}
