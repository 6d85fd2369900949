package broadcast_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/internal/broadcast"
)

const all = 1000

// next returns the next events in short: `a=1@3`, or `-a@3` for one that is gone.
func next(t *testing.T, s *broadcast.Subscription[int], most int) []string {
	t.Helper()
	events, err := s.Next(t.Context(), most)
	if err != nil {
		t.Fatal(err)
	}
	short := []string{}
	for _, e := range events {
		switch {
		case !e.Removed:
			short = append(short, fmt.Sprintf("%s=%d@%d", e.Key, e.Value, e.Revision))
		case e.Value != 0:
			t.Errorf("%s is gone and has a value", e.Key)
		default:
			short = append(short, fmt.Sprintf("-%s@%d", e.Key, e.Revision))
		}
	}
	return short
}

func mustBe(t *testing.T, want string, got []string) {
	t.Helper()
	if diff := cmp.Diff(strings.Fields(want), got); diff != "" {
		t.Error(diff)
	}
}

// mustWait fails if the subscription has anything to return.
func mustWait(t *testing.T, s *broadcast.Subscription[int]) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	left := errors.New("left")
	got := make(chan error, 1)
	go func() {
		events, err := s.Next(ctx, all)
		if len(events) > 0 {
			err = fmt.Errorf("there is %v", events)
		}
		got <- err
	}()
	synctest.Wait()
	cancel(left)
	if err := <-got; !errors.Is(err, left) {
		t.Errorf("Next did not wait: %v", err)
	}
}

func even(_ string, value int) bool { return value%2 == 0 }

func TestASnapshotComesInTheOrderOfChangesAndThenTheChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := broadcast.New[int]()
		h.Publish("a", 1)
		h.Publish("b", 2)
		h.Publish("c", 3)
		h.Publish("a", 4)
		h.Remove("c")
		s := h.Subscribe(nil, broadcast.Token{})
		if s.Synced() || s.Reset() {
			t.Error("it is synced or reset before it began")
		}
		mustBe(t, "b=2@2", next(t, s, 1))
		if s.Synced() {
			t.Error("it is synced after half of it")
		}
		mustBe(t, "a=4@4", next(t, s, 1))
		if !s.Synced() {
			t.Error("it is not synced although everything came")
		}
		mustWait(t, s)
		h.Publish("d", 5)
		h.Remove("b")
		h.Remove("never seen")
		h.Remove("c")
		mustBe(t, "d=5@6 -b@7", next(t, s, all))
		mustWait(t, s)
	})
}

func TestWhatIsNotReadInTimeIsReplacedByWhatIsLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := broadcast.New[int]()
		s := h.Subscribe(nil, broadcast.Token{})
		for i := range 100 {
			h.Publish("a", i)
			h.Publish("b", i)
			h.Publish("gone", i)
		}
		h.Remove("gone")
		mustBe(t, "a=99@298 b=99@299", next(t, s, all))
		h.Publish("a", 7)
		h.Remove("a")
		h.Publish("a", 8)
		mustBe(t, "a=8@304", next(t, s, all))
		mustWait(t, s)
	})
}

func TestOnlyWhatMatchesComesAndWhatWasShownIsSaidToLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := broadcast.New[int]()
		h.Publish("odd", 1)
		h.Publish("even", 2)
		s := h.Subscribe(even, broadcast.Token{})
		mustBe(t, "even=2@2", next(t, s, all))
		h.Publish("odd", 3)
		h.Remove("odd")
		mustWait(t, s)
		h.Publish("even", 5)
		mustBe(t, "-even@5", next(t, s, all))
		h.Publish("even", 7)
		h.Remove("even")
		mustWait(t, s)
		h.Publish("even", 8)
		h.Publish("odd", 10)
		mustBe(t, "even=8@8 odd=10@9", next(t, s, all))
	})
}

func TestASubscriptionOfNothingIsSyncedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := broadcast.New[int]()
		h.Publish("odd", 1)
		s := h.Subscribe(even, broadcast.Token{})
		if !s.Synced() {
			t.Error("it waits for what does not concern it")
		}
		mustWait(t, s)
	})
}

func TestNextReturnsWhenWhatWasToComeWillNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := broadcast.New[int]()
		h.Publish("a", 2)
		s := h.Subscribe(even, broadcast.Token{})
		h.Publish("a", 3)
		mustBe(t, "", next(t, s, all))
		if !s.Synced() {
			t.Error("it waits for what is gone")
		}
		mustWait(t, s)
	})
}

func TestChangesDoNotPutOffBeingSynced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := broadcast.New[int]()
		h.Publish("a", 1)
		h.Publish("b", 1)
		s := h.Subscribe(nil, broadcast.Token{})
		h.Publish("a", 2)
		h.Publish("new", 3)
		mustBe(t, "b=1@2", next(t, s, 1))
		if s.Synced() {
			t.Error("it is synced without a")
		}
		mustBe(t, "a=2@3", next(t, s, 1))
		if !s.Synced() {
			t.Error("it waits for what is new")
		}
	})
}

func TestAResumedSubscriptionGetsWhatChangedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := broadcast.New[int]()
		for i, key := range []string{"stays", "leaves", "goes", "never"} {
			h.Publish(key, 2*i)
		}
		h.Publish("never", 1)
		from := h.Subscribe(nil, broadcast.Token{}).Token(5)
		h.Publish("leaves", 9)
		h.Remove("goes")
		h.Publish("never", 3)
		h.Publish("strange", 5)
		h.Publish("new", 6)
		s := h.Subscribe(even, from)
		if s.Reset() || s.Synced() {
			t.Error("it is reset or synced")
		}
		mustBe(t, "-leaves@6 -goes@7 -never@8 new=6@10", next(t, s, all))
		if !s.Synced() {
			t.Error("it is not synced")
		}
		h.Publish("stays", 1)
		h.Publish("leaves", 11)
		mustBe(t, "-stays@11", next(t, s, all))
		mustWait(t, s)
	})
}

func TestAResumedSubscriptionIsNotToldOfWhatItNeverKnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := broadcast.New[int]()
		h.Publish("odd", 1)
		h.Publish("even", 2)
		h.Publish("gone", 2)
		h.Remove("gone")
		tokens := h.Subscribe(nil, broadcast.Token{})
		s := h.Subscribe(even, tokens.Token(4))
		if !s.Synced() {
			t.Error("it waits although nothing has changed")
		}
		h.Publish("odd", 3)
		h.Publish("gone", 5)
		mustWait(t, s)
		h.Publish("even", 7)
		s = h.Subscribe(even, tokens.Token(6))
		if s.Synced() {
			t.Error("it is synced without what has left")
		}
		mustBe(t, "-even@7", next(t, s, all))
	})
}

func TestATokenThatMeansNothingLeadsToAReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, other := broadcast.New[int](), broadcast.New[int]()
		h.Publish("a", 1)
		for what, from := range map[string]broadcast.Token{
			"another hub": other.Subscribe(nil, broadcast.Token{}).Token(1),
			"the future":  h.Subscribe(nil, broadcast.Token{}).Token(2),
		} {
			s := h.Subscribe(nil, from)
			if !s.Reset() {
				t.Errorf("%s: no reset", what)
			}
			mustBe(t, "a=1@1", next(t, s, all))
		}
		if s := h.Subscribe(nil, h.Subscribe(nil, broadcast.Token{}).Token(1)); s.Reset() {
			t.Error("the present: a reset")
		}
	})
}

func TestTombstonesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := broadcast.New[int]()
		tokens := h.Subscribe(nil, broadcast.Token{})
		h.Publish("stays", 1)
		lagging := h.Subscribe(nil, broadcast.Token{})
		mustBe(t, "stays=1@1", next(t, lagging, all))
		for i := range broadcast.MaxTombstones {
			h.Publish(fmt.Sprint(i), i)
			h.Remove(fmt.Sprint(i))
		}
		if s := h.Subscribe(nil, tokens.Token(1)); s.Reset() {
			t.Error("a reset although nothing is forgotten")
		}
		h.Publish("one more", 1)
		h.Remove("one more")
		if s := h.Subscribe(nil, tokens.Token(2)); !s.Reset() {
			t.Error("no reset although a removal is forgotten")
		}
		if s := h.Subscribe(nil, tokens.Token(3)); s.Reset() {
			t.Error("a reset of one who knows of the removal")
		}
		if _, err := lagging.Next(t.Context(), all); !errors.Is(err, broadcast.ErrBehind) {
			t.Errorf("one who has missed a removal goes on: %v", err)
		}
		if s := h.Subscribe(nil, lagging.Position()); !s.Reset() {
			t.Error("one who was behind is not reset")
		}
		fresh := h.Subscribe(nil, broadcast.Token{})
		mustBe(t, "stays=1@1", next(t, fresh, all))
		mustWait(t, fresh)
	})
}

func TestAKeyThatTakesThePlaceOfAForgottenOneIsNotTakenForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := broadcast.NewBounded[int](1)
		h.Publish("old", 2)
		s := h.Subscribe(even, broadcast.Token{})
		mustBe(t, "old=2@1", next(t, s, all))
		h.Remove("old")
		mustBe(t, "-old@2", next(t, s, all))
		h.Publish("odd", 1)
		h.Remove("odd") // old is forgotten
		mustWait(t, s)
		h.Publish("another", 3)
		mustWait(t, s)
		h.Publish("another", 4)
		mustBe(t, "another=4@6", next(t, s, all))
	})
}

func TestCloseEndsAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := broadcast.New[int]()
		const waiting = 10
		ended := make(chan error, waiting)
		for range waiting {
			s := h.Subscribe(nil, broadcast.Token{})
			go func() {
				_, err := s.Next(context.Background(), all)
				ended <- err
			}()
		}
		synctest.Wait()
		h.Close()
		h.Close()
		for range waiting {
			if err := <-ended; !errors.Is(err, broadcast.ErrClosed) {
				t.Errorf("got %v", err)
			}
		}
		h.Publish("a", 1)
		if _, err := h.Subscribe(nil, broadcast.Token{}).Next(t.Context(), all); !errors.Is(err, broadcast.ErrClosed) {
			t.Errorf("got %v", err)
		}
	})
}

func TestTheCauseOfTheContextEndsNext(t *testing.T) {
	h := broadcast.New[int]()
	h.Publish("a", 1)
	left := errors.New("left")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(left)
	if _, err := h.Subscribe(nil, broadcast.Token{}).Next(ctx, all); !errors.Is(err, left) {
		t.Errorf("got %v", err)
	}
}

func TestLatestIsThePublishedValueUntilItIsRemoved(t *testing.T) {
	h := broadcast.New[int]()
	for _, step := range []struct {
		do   func()
		want int
		ok   bool
	}{
		{func() {}, 0, false},
		{func() { h.Publish("a", 1) }, 1, true},
		{func() { h.Publish("a", 2) }, 2, true},
		{func() { h.Remove("a") }, 0, false},
		{func() { h.Publish("a", 3) }, 3, true},
	} {
		step.do()
		if value, ok := h.Latest("a"); value != step.want || ok != step.ok {
			t.Errorf("got %v, %v instead of %v", value, ok, step)
		}
	}
}

func TestSubscribersThatNeverReadCostNothing(t *testing.T) {
	const subscribers, keys, rounds = 500, 10_000, 10
	names := make([]string, keys)
	h := broadcast.New[*[64]byte]()
	for i := range names {
		names[i] = fmt.Sprintf("cluster-%05d", i)
		h.Publish(names[i], new([64]byte))
	}
	before := heap()
	silent := make([]*broadcast.Subscription[*[64]byte], subscribers)
	for i := range silent {
		silent[i] = h.Subscribe(nil, broadcast.Token{})
	}
	for range rounds {
		for _, name := range names {
			h.Publish(name, new([64]byte))
		}
	}
	grown := heap() - before
	t.Logf("the heap has grown by %d KiB, %d bytes a subscriber", grown>>10, grown/subscribers)
	if grown > subscribers*4<<10 {
		t.Errorf("the heap has grown by %d KiB", grown>>10)
	}
	runtime.KeepAlive(silent)
	runtime.KeepAlive(h)
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestThoseWhoLeaveAreNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := broadcast.New[int]()
		staying := h.Subscribe(nil, broadcast.Token{})
		for range 3 {
			mustWait(t, h.Subscribe(nil, broadcast.Token{})) // and leaves
		}
		mustWait(t, staying)
		if n := h.Waiting(); n != 0 {
			t.Errorf("%d who have left are still there", n)
		}
		ended := make(chan []string)
		for range 3 {
			s := h.Subscribe(nil, broadcast.Token{})
			go func() { ended <- next(t, s, all) }()
		}
		synctest.Wait()
		if n := h.Waiting(); n != 3 {
			t.Errorf("%d wait, and not 3", n)
		}
		h.Publish("a", 1)
		for range 3 {
			mustBe(t, "a=1@1", <-ended)
		}
	})
}

func TestAListenerIsToldThatThereAreChanges(t *testing.T) {
	h := broadcast.New[int]()
	s := h.Subscribe(nil, broadcast.Token{})
	if events, err := s.Poll(all); len(events) > 0 || err != nil {
		t.Errorf("there is %v, %v", events, err)
	}
	l := h.Listen()
	news := l.News()
	h.Publish("a", 1)
	h.Publish("b", 2)
	<-news
	select {
	case <-news:
		t.Error("it was told twice")
	default:
	}
	if events, err := s.Poll(all); len(events) != 2 || err != nil {
		t.Errorf("there is %v, %v", events, err)
	}
	l.News()
	h.Close()
	<-news
	if _, err := s.Poll(all); !errors.Is(err, broadcast.ErrClosed) {
		t.Errorf("the hub is closed, and polling says %v", err)
	}
	l.News()
	l.Stop()
	if n := h.Waiting(); n != 0 {
		t.Errorf("%d wait after the listener has stopped", n)
	}
}
