package cluster_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// moody is a server that throttles while it is told to. It notes when it was called, and how many calls it had at once.
type moody struct {
	mu          sync.Mutex
	status      int // 0: all is well
	retryAfter  string
	takes       time.Duration
	calls       []time.Time
	now, atOnce int
}

func (m *moody) set(status int, retryAfter string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.status, m.retryAfter = status, retryAfter
	m.calls, m.atOnce = nil, 0
}

func (m *moody) seen() []time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls
}

// ServeHTTP answers.
func (m *moody) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	m.calls = append(m.calls, time.Now())
	m.now++
	m.atOnce = max(m.atOnce, m.now)
	code, retryAfter, takes := m.status, m.retryAfter, m.takes
	m.mu.Unlock()
	if takes > 0 {
		wait(takes)
	}
	m.mu.Lock()
	m.now--
	m.mu.Unlock()
	if retryAfter != "" {
		w.Header().Set("Retry-After", retryAfter)
	}
	if code != 0 {
		status(w, code, "slow down")
		return
	}
	healthy(w, r)
}

// inBubble runs a test of a moody server in fake time.
func inBubble(t *testing.T, test func(*testing.T, *moody, *cluster.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server := &moody{}
		test(t, server, newClient(t, pipeServer(t, server)))
	})
}

func unhindered() cluster.Limits { return cluster.Limits{Rate: 50, AtOnce: 2} }

// throttled makes a read that the server throttles.
func throttled(t *testing.T, client *cluster.Client) {
	t.Helper()
	if e := readAll(t.Context(), t, client, pods); e == nil || !e.IsThrottling() {
		t.Errorf("got %v", e)
	}
}

func mustHaveLimits(t *testing.T, client *cluster.Client, want cluster.Limits) {
	t.Helper()
	if diff := cmp.Diff(want, client.ReadLimits()); diff != "" {
		t.Errorf("limits: -want +got:\n%s", diff)
	}
}

func TestAThrottlingServerIsAskedLessAndLessButNeverNothing(t *testing.T) {
	for _, code := range []int{429, 503} {
		inBubble(t, func(t *testing.T, server *moody, client *cluster.Client) {
			mustHaveLimits(t, client, unhindered())
			server.set(code, "")
			for _, want := range []float64{25, 12.5, 6.25, 3.125, 1.5625, 1, 1} {
				e := readAll(t.Context(), t, client, pods)
				if e == nil || e.StatusCode != code || !e.IsThrottling() {
					t.Fatalf("got %v", e)
				}
				mustHaveLimits(t, client, cluster.Limits{Throttled: true, Rate: want, AtOnce: 1})
			}
		})
	}
}

func TestGoodAnswersBringTheRateBack(t *testing.T) {
	inBubble(t, func(t *testing.T, server *moody, client *cluster.Client) {
		server.set(429, "")
		throttled(t, client)
		server.set(0, "")
		for i := range 9 {
			if e := readAll(t.Context(), t, client, pods); e != nil {
				t.Fatal(e)
			}
			mustHaveLimits(t, client, cluster.Limits{Throttled: true, Rate: 25 + 2.5*float64(i+1), AtOnce: 1})
		}
		if e := readAll(t.Context(), t, client, pods); e != nil {
			t.Fatal(e)
		}
		mustHaveLimits(t, client, unhindered())
	})
}

func TestAQuietMinuteBringsEverythingBackWithoutAnyCall(t *testing.T) {
	inBubble(t, func(t *testing.T, server *moody, client *cluster.Client) {
		server.set(429, "30")
		for range 3 {
			throttled(t, client)
		}
		wait(89 * time.Second) // 30 of the pause
		mustHaveLimits(t, client, cluster.Limits{Throttled: true, Rate: 25, AtOnce: 1})
		wait(time.Second)
		mustHaveLimits(t, client, unhindered())
	})
}

func TestNoCallIsMadeInAPauseThatTheServerAskedFor(t *testing.T) {
	for asked, want := range map[string]time.Duration{"20": 20 * time.Second, "2147483648": time.Minute} {
		inBubble(t, func(t *testing.T, server *moody, client *cluster.Client) {
			server.set(429, asked)
			start := time.Now()
			if e := readAll(t.Context(), t, client, pods); e == nil || e.RetryAfter != want {
				t.Fatalf("got %+v", e)
			}
			wait(5 * time.Second)
			refused := time.Now()
			e := readAll(t.Context(), t, client, pods)
			if took := time.Since(refused); took != 0 {
				t.Errorf("the worker was held for %v", took)
			}
			left := want - time.Since(start)
			if e == nil || e.Reason != cluster.Throttled || e.Phase != cluster.PhaseQueue || !e.IsThrottling() || e.StatusCode != 0 ||
				e.RetryAfter != left || !strings.Contains(e.Message, left.String()) || e.Blame != cluster.BlameControlPlane {
				t.Errorf("got %+v, %v to wait", e, left)
			}
			if got := client.ReadLimits().RetryAfter; got != left {
				t.Errorf("the limits tell %v, want %v", got, left)
			}
			if n := len(server.seen()); n != 1 {
				t.Errorf("%d calls", n)
			}
			wait(left)
			server.set(0, "")
			if e := readAll(t.Context(), t, client, pods); e != nil {
				t.Errorf("after the pause: %v", e)
			}
		})
	}
}

func TestACallWaitsForTheEndOfAShortPause(t *testing.T) {
	inBubble(t, func(t *testing.T, server *moody, client *cluster.Client) {
		server.set(429, "1")
		throttled(t, client)
		paused := time.Now()
		server.set(0, "")
		body, err := client.Read(t.Context(), pods, "")
		if err != nil {
			t.Fatal(err)
		}
		defer body.Close()
		if called := server.seen()[0].Sub(paused); called != time.Second {
			t.Errorf("called after %v", called)
		}
	})
}

func TestACallThatWouldWaitBeyondItsDeadlineIsRefusedAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, server *moody, client *cluster.Client) {
		server.set(429, "1")
		throttled(t, client)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		start := time.Now()
		e := readAll(ctx, t, client, pods)
		if e == nil || e.Reason != cluster.Throttled || e.RetryAfter != time.Second || time.Since(start) != 0 {
			t.Errorf("in the pause: %+v after %v", e, time.Since(start))
		}

		wait(time.Second)
		server.set(503, "")
		for range 5 { // down to a call a second
			throttled(t, client)
		}
		ctx, cancel = context.WithTimeout(t.Context(), time.Second/4)
		defer cancel()
		start = time.Now()
		e = readAll(ctx, t, client, pods)
		if e == nil || e.Reason != cluster.Throttled || e.RetryAfter <= time.Second/4 || e.RetryAfter > time.Second || time.Since(start) != 0 {
			t.Errorf("for the rate: %+v after %v", e, time.Since(start))
		}
	})
}

func TestAThrottlingServerGetsOneReadAfterTheOther(t *testing.T) {
	inBubble(t, func(t *testing.T, server *moody, client *cluster.Client) {
		server.takes = 100 * time.Millisecond
		burst := func() {
			var group sync.WaitGroup
			for range 4 {
				group.Go(func() {
					if e := readAll(t.Context(), t, client, pods); e != nil && !e.IsThrottling() {
						t.Error(e)
					}
				})
			}
			group.Wait()
		}
		burst()
		if server.atOnce != 2 {
			t.Errorf("%d at once before", server.atOnce)
		}
		server.set(429, "")
		throttled(t, client)
		server.set(0, "")
		burst()
		if server.atOnce != 1 {
			t.Errorf("%d at once while the server throttles", server.atOnce)
		}
		wait(time.Minute)
		server.set(0, "")
		burst()
		if server.atOnce != 2 {
			t.Errorf("%d at once afterwards", server.atOnce)
		}
	})
}

func TestAReadThatWaitsForItsTurnMeetsAPauseThatBeginsMeanwhile(t *testing.T) {
	inBubble(t, func(t *testing.T, server *moody, client *cluster.Client) {
		server.takes = time.Second
		server.set(429, "30")
		errs := make([]*cluster.Error, 3)
		var group sync.WaitGroup
		for i := range errs {
			group.Go(func() { errs[i] = readAll(t.Context(), t, client, pods) })
		}
		group.Wait()
		refused := 0
		for _, e := range errs {
			if e == nil || e.Reason != cluster.Throttled {
				t.Errorf("got %v", e)
			} else if e.StatusCode == 0 {
				refused++
			}
		}
		if len(server.seen()) != 2 || refused != 1 {
			t.Errorf("%d calls, %d refused", len(server.seen()), refused)
		}
	})
}

func TestAReadThatWaitsForTheRateMeetsAPauseThatBeginsMeanwhile(t *testing.T) {
	inBubble(t, func(t *testing.T, server *moody, client *cluster.Client) {
		for range 99 { // one less than a burst
			if e := readAll(t.Context(), t, client, pods); e != nil {
				t.Fatal(e)
			}
		}
		server.takes = 10 * time.Millisecond // half of what the rate makes the next but one wait
		server.set(429, "30")
		var group sync.WaitGroup
		for range 2 {
			group.Go(func() { throttled(t, client) })
		}
		group.Wait()
		if n := len(server.seen()); n != 1 {
			t.Errorf("%d calls", n)
		}
	})
}

func TestReadsThatAreThrottledLeaveProbesAlone(t *testing.T) {
	inBubble(t, func(t *testing.T, server *moody, client *cluster.Client) {
		server.set(429, "60")
		throttled(t, client)
		v, err := client.Probe(t.Context(), cluster.Quick, cluster.DefaultProbeTimeout)
		if err != nil || v.Reason != cluster.Throttled || v.RetryAfter != time.Minute {
			t.Errorf("%+v, %v", v, err)
		}
		if got := client.ProbeLimits(); !got.Throttled || got.Rate != 10 || got.RetryAfter != 0 {
			t.Errorf("limits of probes: %+v", got)
		}
		server.set(0, "")
		if v, err = client.Probe(t.Context(), cluster.Quick, cluster.DefaultProbeTimeout); err != nil || v.State != cluster.Healthy {
			t.Errorf("in the pause of reads: %+v, %v", v, err)
		}
	})
}

func TestAProbeWhoseTurnComesTooLateForTheThrottlingServerSaysSo(t *testing.T) {
	inBubble(t, func(t *testing.T, server *moody, client *cluster.Client) {
		server.set(429, "")
		for range 6 {
			if _, err := client.Probe(t.Context(), cluster.Quick, cluster.DefaultProbeTimeout); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/10)
		defer cancel()
		_, err := client.Probe(ctx, cluster.Quick, cluster.DefaultProbeTimeout)
		if e, ok := errors.AsType[*cluster.Error](err); !ok || e.Reason != cluster.Throttled || e.RetryAfter == 0 {
			t.Errorf("got %v", err)
		}
	})
}

func TestTheUserAgentTellsWhatARequestIsFor(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	var mu sync.Mutex
	agents := map[string]string{}
	a.on("*", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		agents[r.URL.Path] = r.UserAgent()
		mu.Unlock()
		healthy(w, r)
	})
	a.on("/api", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		agents[r.URL.Path] = r.UserAgent()
		mu.Unlock()
		answer(w, 200, coreDiscovery)
	})
	a.on("/apis", always(200, groupDiscovery))
	client := newClient(t, a.config())
	probe(t, client, cluster.Full)
	if e := readAll(t.Context(), t, client, cluster.Query{Type: cluster.TypeName{Name: "po"}}); e != nil {
		t.Fatal(e)
	}
	want := map[string]string{
		"/readyz": "test (probe)", "/version": "test (probe)",
		"/apis/authentication.k8s.io/v1/selfsubjectreviews":      "test (probe)",
		"/apis/authorization.k8s.io/v1/selfsubjectaccessreviews": "test (probe)",
		"/api": "test (discovery)", "/api/v1/pods": "test (fetch)",
	}
	if diff := cmp.Diff(want, agents); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
