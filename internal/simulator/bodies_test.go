package simulator_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

func TestDripSendsAByteAtATime(t *testing.T) {
	const interval = 10 * time.Millisecond
	s := newStage(t, simulator.Fault{Kind: simulator.Drip, Interval: interval})
	s.both(func(t *testing.T, c *client) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		began := time.Now()
		response, err := c.request(ctx, http.MethodGet, "/readyz", nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		const n = 20
		if _, err := io.ReadFull(response.Body, make([]byte, n)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < (n-1)*interval {
			t.Errorf("%d bytes in %v", n, took)
		}
	})
	eventually(t, "the server stops dripping", func() bool { return s.Stats().InFlight == 0 })
}

func TestEndlessBodyGoesOn(t *testing.T) {
	s := newStage(t, simulator.Fault{Kind: simulator.EndlessBody})
	s.both(func(t *testing.T, c *client) {
		response, err := c.request(t.Context(), http.MethodGet, "/api/v1/pods", nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if n, err := io.CopyN(io.Discard, response.Body, 8<<20); err != nil {
			t.Errorf("it ended after %d bytes: %v", n, err)
		}
	})
	eventually(t, "the server stops writing", func() bool { return s.Stats().InFlight == 0 })
}

func TestEndlessHeadersExceedWhatClientsTake(t *testing.T) {
	s := newStage(t, simulator.Fault{Kind: simulator.EndlessHeaders})
	s.both(func(t *testing.T, c *client) {
		narrow := c.transport.Clone()
		narrow.MaxResponseHeaderBytes = 1 << 20
		c.use(narrow)
		answer, err := c.try("/readyz")
		if err == nil {
			t.Errorf("got an answer: %d with %d headers", answer.status, len(answer.header))
		}
	})
}

func TestEndlessContinueNeverProgresses(t *testing.T) {
	s := newStage(t, simulator.Fault{Kind: simulator.EndlessContinue})
	tokens, next := map[string]bool{}, ""
	var first []string
	for range 30 {
		page := s.h2.list("/api/v1/pods?limit=5&continue=" + next)
		if first == nil {
			first = page.keys()
		}
		if diff := cmp.Diff(first, page.keys()); diff != "" || len(page.Items) != 5 {
			t.Fatalf("another page:\n%s", diff)
		}
		next = page.Metadata.Continue
		tokens[next] = true
	}
	if len(tokens) != 30 || tokens[""] {
		t.Errorf("%d different tokens in 30 pages", len(tokens))
	}
}

func TestAListGoesOnByTheTokenBesideTheExpiry(t *testing.T) {
	s := newStage(t, simulator.Fault{Kind: simulator.ExpiredContinue, Fresh: true})
	first := s.h2.list("/api/v1/pods?limit=5")
	refused := s.h2.get("/api/v1/pods?limit=5&continue=" + first.Metadata.Continue)
	wantStatus(t, refused, 410)
	var status struct {
		Metadata struct{ Continue string }
	}
	if err := json.Unmarshal([]byte(refused.body), &status); err != nil {
		t.Fatal(err)
	}
	next := s.h2.list("/api/v1/pods?limit=5&continue=" + status.Metadata.Continue)
	if diff := cmp.Diff(s.healthy.list("/api/v1/pods?limit=10").keys()[5:], next.keys()); diff != "" {
		t.Errorf("the second page (-want +got):\n%s", diff)
	}
}

func TestTokensExpireSoManyTimes(t *testing.T) {
	s := newStage(t, simulator.Fault{Kind: simulator.ExpiredContinue, Times: 2})
	next := s.h2.list("/api/v1/pods?limit=5").Metadata.Continue
	for _, status := range []int{410, 410, 200} {
		wantStatus(t, s.h2.get("/api/v1/pods?limit=5&continue="+next), status)
	}
}

func TestHugeListIgnoresLimit(t *testing.T) {
	s := newStage(t, simulator.Fault{Kind: simulator.HugeList, Bytes: 3_000_000})
	s.both(func(t *testing.T, c *client) {
		answer := c.get("/api/v1/pods?limit=1")
		if len(answer.body) < 2_500_000 || len(answer.body) > 3_500_000 || !json.Valid([]byte(answer.body)) {
			t.Errorf("%d bytes, valid: %v", len(answer.body), json.Valid([]byte(answer.body)))
		}
	})
}

func TestBrokenJSON(t *testing.T) {
	for name, fault := range map[string]simulator.Fault{
		"unexpected end of JSON input": {Kind: simulator.TruncatedJSON},
		"exceeded max depth":           {Kind: simulator.DeepJSON, Depth: 200_000},
	} {
		newStage(t, fault).both(func(t *testing.T, c *client) {
			answer := c.get("/api/v1/pods")
			var into map[string]any
			err := json.Unmarshal([]byte(answer.body), &into)
			if answer.status != 200 || err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("status %d, error %v, want %q", answer.status, err, name)
			}
			if fault.Depth > 0 && strings.Count(answer.body, "[") < fault.Depth {
				t.Errorf("nested %d deep", strings.Count(answer.body, "["))
			}
		})
	}
}

func TestGzipBombUnfolds(t *testing.T) {
	const size = 64 << 20
	newStage(t, simulator.Fault{Kind: simulator.GzipBomb, Bytes: size}).both(func(t *testing.T, c *client) {
		answer := c.get("/api/v1/pods")
		if answer.header.Get("Content-Encoding") != "gzip" || len(answer.body) > size/500 {
			t.Fatalf("encoding %q, %d bytes", answer.header.Get("Content-Encoding"), len(answer.body))
		}
		unfolded, err := gzip.NewReader(strings.NewReader(answer.body))
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.CopyN(io.Discard, unfolded, size); err != nil {
			t.Errorf("unfolds to %d bytes: %v", n, err)
		}
	})
}

func TestResetCutsTheConnection(t *testing.T) {
	for _, after := range []int64{0, 50_000} {
		s := newStage(t, simulator.Fault{Kind: simulator.Reset, Bytes: after})
		s.both(func(t *testing.T, c *client) {
			answer, err := c.try("/api/v1/pods")
			if err == nil {
				t.Errorf("after %d: status %d and %d bytes", after, answer.status, len(answer.body))
			}
			if int64(len(answer.body)) > after+1000 {
				t.Errorf("after %d: got %d bytes", after, len(answer.body))
			}
		})
		raw := dialTLS(t, s.h1)
		askRaw(t, raw, "/api/v1/pods", s.h1.token)
		if _, err := io.Copy(io.Discard, raw); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("after %d: got %v, want a reset", after, err)
		}
		if aborted := s.Stats().Aborted; aborted != 0 {
			t.Errorf("%d requests count as aborted by clients", aborted)
		}
	}
}
