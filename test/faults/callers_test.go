package faults_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/checker"
)

const (
	// callTime is what a call may take: more than one that hangs takes, less than all of those in turn.
	callTime = 12 * time.Second
	// between is the pause between two calls of a caller.
	between = 4 * time.Second
)

// again calls, once at least, again and again until ctx ends, with pauses.
func again(ctx context.Context, call func() error) error {
	for {
		if err := call(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(between):
		}
	}
}

// event is a message of a call with a result for each cluster.
type event interface {
	GetStarted() *fleetv1.Started
	GetSummary() *fleetv1.Summary
}

// record makes one call and records it. A call that has begun goes on to its end when ctx ends.
func record[M any, E interface {
	*M
	event
}](ctx context.Context, c *checker.Call, begin func(context.Context) (grpc.ServerStreamingClient[M], error), result func(E)) {
	call, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTime)
	defer cancel()
	stream, err := begin(call)
	for err == nil {
		var message *M
		if message, err = stream.Recv(); err != nil {
			break
		}
		switch e := E(message); {
		case e.GetStarted() != nil:
			c.Start(e.GetStarted())
		case e.GetSummary() != nil:
			c.Summary(e.GetSummary())
		default:
			result(e)
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	c.End(err)
}

// probe tests the whole fleet until ctx ends, with at most so many clusters at once.
func (s *subject) probe(ctx context.Context, h *checker.History, concurrency int, depth fleetv1.Verdict_Depth) error {
	names := s.fleet.Names()
	return again(ctx, func() error {
		c := h.Call(checker.Probe, names, concurrency, callTime)
		request := &fleetv1.ProbeClustersRequest{Depth: depth, MaxConcurrency: int32(concurrency)}
		record(ctx, c, func(ctx context.Context) (grpc.ServerStreamingClient[fleetv1.ProbeClustersResponse], error) {
			return s.health.ProbeClusters(ctx, request)
		}, func(m *fleetv1.ProbeClustersResponse) {
			r := m.GetResult()
			c.Result(slices.Index(names, r.GetCluster()), checker.Result{Observation: r.GetObservation(), Error: r.GetError()})
		})
		return nil
	})
}

func configMaps() *fleetv1.ResourceType {
	return &fleetv1.ResourceType{Version: "v1", Resource: "configmaps"}
}

// fetch reads a type of objects of the whole fleet until ctx ends.
func (s *subject) fetch(ctx context.Context, h *checker.History, concurrency int, resource *fleetv1.ResourceType) error {
	names := s.fleet.Names()
	return again(ctx, func() error {
		c := h.Call(checker.Fetch, names, concurrency, callTime)
		request := &fleetv1.FetchManifestsRequest{
			ResourceType: resource, MaxConcurrency: int32(concurrency),
		}
		c.Objects = objectsOfAType
		objects := map[string][]string{}
		record(ctx, c, func(ctx context.Context) (grpc.ServerStreamingClient[fleetv1.FetchManifestsResponse], error) {
			return s.manifests.FetchManifests(ctx, request)
		}, func(m *fleetv1.FetchManifestsResponse) {
			b := m.GetBatch()
			for _, m := range b.GetManifests() {
				objects[b.GetCluster()] = append(objects[b.GetCluster()], objectIn(m)...)
			}
			if done := b.GetCompletion(); done != nil {
				c.Result(slices.Index(names, b.GetCluster()), checker.Result{Error: done.GetError(), Objects: objects[b.GetCluster()]})
			}
		})
		return nil
	})
}

// get reads an object of each cluster by reference until ctx ends.
func (s *subject) get(ctx context.Context, h *checker.History) error {
	names := s.fleet.Names()
	request := &fleetv1.GetManifestsRequest{}
	for _, name := range names {
		request.References = append(request.References, &fleetv1.Reference{
			Cluster: name, ResourceType: &fleetv1.ResourceType{Version: "v1", Resource: "namespaces"}, Name: "default",
		})
	}
	return again(ctx, func() error {
		c := h.Call(checker.Get, names, 0, callTime)
		record(ctx, c, func(ctx context.Context) (grpc.ServerStreamingClient[fleetv1.GetManifestsResponse], error) {
			return s.manifests.GetManifests(ctx, request)
		}, func(m *fleetv1.GetManifestsResponse) {
			r := m.GetResult()
			index := slices.Index(names, r.GetCluster())
			if index != int(r.GetIndex()) {
				index = -1 // it is of no reference
			}
			c.Result(index, checker.Result{Error: r.GetError(), Objects: objectIn(r.GetManifest())})
		})
		return nil
	})
}

// objectIn returns the name of the object that came, none where nothing of it did.
func objectIn(m *fleetv1.Manifest) []string {
	if m.GetJson() == "" {
		return nil
	}
	return []string{m.GetNamespace() + "/" + m.GetName()}
}

// leave makes calls that it does not see the end of, until ctx ends.
func (s *subject) leave(ctx context.Context, random *rand.Rand) error {
	return again(ctx, func() error {
		call, cancel := context.WithTimeout(ctx, time.Duration(random.Int64N(int64(2*time.Second))))
		defer cancel()
		probes, err := s.health.ProbeClusters(call, &fleetv1.ProbeClustersRequest{})
		for err == nil {
			if _, err = probes.Recv(); random.IntN(100) == 0 {
				cancel()
			}
		}
		lists, err := s.manifests.FetchManifests(call, &fleetv1.FetchManifestsRequest{ResourceType: configMaps()})
		for err == nil {
			_, err = lists.Recv()
		}
		return nil
	})
}

// read asks for all that is known until ctx ends.
func (s *subject) read(ctx context.Context, h *checker.History) error {
	return again(ctx, func() error {
		all, err := s.list(ctx)
		if err != nil {
			return unlessLeft(ctx, err)
		}
		h.List(all)
		if _, err := s.transitions(ctx); err != nil {
			return unlessLeft(ctx, err)
		}
		if _, err := s.overview.GetFleetOverview(ctx, &fleetv1.GetFleetOverviewRequest{}); err != nil {
			return unlessLeft(ctx, err)
		}
		return unlessLeft(ctx, s.scrape(ctx))
	})
}

// scrape looks for secrets in what the aggregator shows at /metrics.
func (s *subject) scrape(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.HTTP+"/metrics", nil)
	if err != nil {
		return err
	}
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if ctx.Err() != nil {
		return nil
	}
	s.cage.Look("/metrics", text)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("/metrics: %s", response.Status)
	}
	return err
}

// warmUp makes a call of each kind, so that the connections are there that later ones use again.
func (s *subject) warmUp(t *testing.T) {
	t.Helper()
	h := checker.NewHistory()
	once, stop := context.WithCancel(t.Context())
	stop() // a call that has begun goes on to its end
	errs := []error{
		s.fetch(once, h, 16, configMaps()),
		s.get(once, h),
	}
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}
