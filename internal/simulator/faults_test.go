package simulator_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

// stage is a fleet of two: sim-0001 has the fault, sim-0002 has none.
type stage struct {
	*simulator.Fleet
	t       *testing.T
	h2, h1  *client // of sim-0001
	healthy *client
}

func newStage(t *testing.T, fault simulator.Fault) *stage {
	t.Helper()
	fleet := start(t, simulator.Config{Clusters: 2, OwnPorts: true})
	s := &stage{
		Fleet: fleet, t: t,
		h2: newClient(t, fleet, "sim-0001"), h1: newClient1(t, fleet, "sim-0001"), healthy: newClient(t, fleet, "sim-0002"),
	}
	wantStatus(t, s.h2.get("/readyz"), 200) // a warm connection, and a session to resume
	wantStatus(t, s.h1.get("/readyz"), 200)
	if err := fleet.SetFault("sim-0001", fault); err != nil {
		t.Fatal(err)
	}
	return s
}

// both runs a check over HTTP/2 and HTTP/1.1.
func (s *stage) both(check func(t *testing.T, c *client)) {
	s.t.Run("h2", func(t *testing.T) { check(t, s.h2.in(t)) })
	s.t.Run("h1", func(t *testing.T) { check(t, s.h1.in(t)) })
}

func (c *client) in(t *testing.T) *client {
	moved := *c
	moved.t = t
	return &moved
}

// answers are the faults that are an answer with a status and some words.
func TestFaultsThatAnswer(t *testing.T) {
	type want struct {
		path   string
		status int
		parts  []string
		header map[string]string
	}
	for name, test := range map[string]struct {
		fault simulator.Fault
		wants []want
	}{
		"unauthorized": {simulator.Fault{Kind: simulator.Unauthorized}, []want{
			{"/readyz", 401, []string{`"reason":"Unauthorized"`}, nil},
			{"/api/v1/pods", 401, []string{`"code":401`}, nil},
		}},
		"forbidden": {simulator.Fault{Kind: simulator.Forbidden}, []want{
			{"/readyz", 403, []string{`User \"sim-0001-admin\" cannot get path \"/readyz\"`}, nil},
			{"/api/v1/pods", 403, []string{`cannot list resource \"pods\"`}, nil},
		}},
		"throttle": {simulator.Fault{Kind: simulator.Throttle, RetryAfter: 1 << 31}, []want{
			{"/readyz", 429, []string{"Too many requests"}, map[string]string{"Retry-After": "2147483648"}},
		}},
		"throttle by default": {simulator.Fault{Kind: simulator.Throttle}, []want{
			{"/api/v1/pods", 429, nil, map[string]string{"Retry-After": "1"}},
		}},
		"error 500": {simulator.Fault{Kind: simulator.Error500}, []want{{"/readyz", 500, []string{`"reason":"InternalError"`}, nil}}},
		"error 503": {simulator.Fault{Kind: simulator.Error503}, []want{
			{"/readyz", 503, []string{`"reason":"ServiceUnavailable"`}, map[string]string{"Retry-After": ""}},
		}},
		"not ready": {simulator.Fault{Kind: simulator.NotReady}, []want{
			{"/readyz", 500, []string{"[+]ping ok\n[+]log ok\n[-]etcd failed: reason withheld\n", "readyz check failed\n"}, nil},
			{"/readyz/etcd", 500, nil, nil},
			{"/healthz", 500, []string{"healthz check failed\n"}, nil},
			{"/livez", 200, []string{"ok"}, nil},
			{"/readyz?exclude=etcd", 200, []string{"ok"}, nil},
			{"/api/v1/pods", 200, nil, nil},
		}},
		"not ready, alive neither": {
			simulator.Fault{Kind: simulator.NotReady, Checks: []string{"own/check", "shutdown"}, Paths: []string{"/"}},
			[]want{
				{"/readyz", 500, []string{"[-]own/check failed: reason withheld\n[-]shutdown failed: reason withheld\nreadyz check"}, nil},
				{"/livez", 500, []string{"[-]own/check failed: reason withheld\nlivez check failed\n"}, nil},
			},
		},
		"expired continue": {simulator.Fault{Kind: simulator.ExpiredContinue}, []want{
			{"/api/v1/pods?limit=10", 200, nil, nil},
			{"/api/v1/pods?limit=10&continue=x", 410, []string{`"reason":"Expired"`}, nil},
		}},
		"not found": {simulator.Fault{Kind: simulator.NotFound, Paths: []string{"/readyz"}}, []want{
			{"/readyz", 404, []string{"404 page not found"}, nil}, {"/livez", 200, []string{"ok"}, nil},
		}},
		"html": {simulator.Fault{Kind: simulator.HTML}, []want{
			{"/readyz", 200, []string{"<!DOCTYPE html>"}, map[string]string{"Content-Type": "text/html; charset=utf-8"}},
		}},
		"redirect": {simulator.Fault{Kind: simulator.Redirect, Status: 307, Location: "https://elsewhere.invalid/x"}, []want{
			{"/readyz", 307, nil, map[string]string{"Location": "https://elsewhere.invalid/x"}},
		}},
		"redirect by default": {simulator.Fault{Kind: simulator.Redirect}, []want{
			{"/api/v1/pods", 302, nil, map[string]string{"Location": "/redirected"}},
		}},
		"auth fails": {simulator.Fault{Kind: simulator.AuthFails}, []want{
			{"/readyz", 200, nil, nil}, {reviewPath, 401, nil, nil}, {"/api/v1/pods", 200, nil, nil},
		}},
		"permission denied": {simulator.Fault{Kind: simulator.PermissionDenied}, []want{
			{"/readyz", 200, nil, nil},
			{"/apis", 200, nil, nil},
			{"/api/v1/pods", 403, []string{`pods is forbidden: User \"sim-0001-admin\" cannot list`}, nil},
		}},
		"limited to paths": {simulator.Fault{Kind: simulator.Error500, Paths: []string{"/api/v1/pods", "/version"}}, []want{
			{"/readyz", 200, nil, nil}, {"/version", 500, nil, nil}, {"/api/v1/pods", 500, nil, nil}, {"/api/v1/nodes", 200, nil, nil},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, test.fault)
			s.both(func(t *testing.T, c *client) {
				for _, w := range test.wants {
					answer := c.get(w.path)
					wantStatus(t, answer, w.status, w.parts...)
					for name, value := range w.header {
						if got := answer.header.Get(name); got != value {
							t.Errorf("%s: %s: %q, want %q", w.path, name, got, value)
						}
					}
					wantStatus(t, s.healthy.in(t).get("/readyz"), 200)
				}
			})
			if err := s.ClearFault("sim-0001"); err != nil {
				t.Fatal(err)
			}
			for _, w := range test.wants {
				if answer := s.h2.get(w.path); answer.status != 200 && w.status != 410 && w.path != reviewPath {
					t.Errorf("%s after the fault: %d", w.path, answer.status)
				}
			}
		})
	}
}

func TestPermissionDeniedIsAdmittedByTheReview(t *testing.T) {
	s := newStage(t, simulator.Fault{Kind: simulator.PermissionDenied})
	spec := map[string]any{"resourceAttributes": map[string]any{"verb": "list", "resource": "pods"}}
	wantStatus(t, s.h2.post(accessReviewPath, map[string]any{"spec": spec}), 201, `"allowed":false`)
	wantStatus(t, s.h2.post(reviewPath, map[string]any{}), 201, `"username":"sim-0001-admin"`)
}

func TestClockSkewTellsAWrongTime(t *testing.T) {
	for _, offset := range []time.Duration{0, -time.Hour} {
		newStage(t, simulator.Fault{Kind: simulator.ClockSkew, Offset: offset}).both(func(t *testing.T, c *client) {
			answer := c.get("/readyz")
			wantStatus(t, answer, 200, "ok")
			told, err := http.ParseTime(answer.header.Get("Date"))
			if err != nil {
				t.Fatal(err)
			}
			want := offset
			if want == 0 {
				want = 10 * time.Minute
			}
			if skew := time.Until(told); skew < want-patience || skew > want+patience {
				t.Errorf("off by %v, want %v", skew, want)
			}
		})
	}
}

func TestHangNeverAnswers(t *testing.T) {
	s := newStage(t, simulator.Fault{Kind: simulator.Hang})
	s.both(func(t *testing.T, c *client) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := read(c.request(ctx, http.MethodPost, reviewPath, []byte("{}"), nil))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the deadline", err)
		}
	})
	eventually(t, "the server notices both clients leave", func() bool { return s.Stats().Aborted == 2 })
}

func TestSlowTakesItsTime(t *testing.T) {
	s := newStage(t, simulator.Fault{Kind: simulator.Slow, Latency: simulator.Constant(150 * time.Millisecond), Paths: []string{"/version"}})
	s.both(func(t *testing.T, c *client) {
		began := time.Now()
		wantStatus(t, c.get("/version"), 200)
		if took := time.Since(began); took < 150*time.Millisecond {
			t.Errorf("answered in %v", took)
		}
	})
}

func TestHostileTextIsReallyHostile(t *testing.T) {
	s := newStage(t, simulator.Fault{Kind: simulator.HostileText})
	wantStatus(t, s.h2.get("/readyz"), 200, "ok")
	for path, answer := range map[string]reply{
		"/version": s.h2.get("/version"), "review": s.h2.post(reviewPath, map[string]any{}), "list": s.h2.get("/api/v1/pods"),
	} {
		if utf8.ValidString(answer.body) {
			t.Errorf("%s: valid UTF-8", path)
		}
		if (answer.status == 500) != (path == "list") {
			t.Errorf("%s: status %d", path, answer.status)
		}
		var texts struct {
			GitVersion, Message string
			Status              json.RawMessage
		}
		answer.decode(t, &texts)
		if all := texts.GitVersion + texts.Message + answer.body; !strings.Contains(all, "\u202e") {
			t.Errorf("%s: nothing runs backwards in %q", path, all)
		}
		if text := texts.GitVersion + texts.Message; path != "review" && !strings.Contains(text, "\x1b[31m") {
			t.Errorf("%s: no escape sequence in %q", path, text)
		}
	}
}
