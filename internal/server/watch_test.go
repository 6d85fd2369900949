package server_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/server"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// watcher is a caller who watches.
type watcher struct {
	grpc.ServerStreamingClient[fleetv1.WatchClusterHealthResponse]

	token string // of the last event
	leave context.CancelFunc
}

func watch(t *testing.T, client fleetv1.HealthServiceClient, r *fleetv1.WatchClusterHealthRequest) *watcher {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	stream, err := client.WatchClusterHealth(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	return &watcher{ServerStreamingClient: stream, leave: leave}
}

// mustGet receives events and compares them: `started`, `reset`, `synced`, `a=HEALTHY`, `-a`.
func (w *watcher) mustGet(t *testing.T, want string) {
	t.Helper()
	for want := range strings.FieldsSeq(want) {
		m, err := w.Recv()
		if err != nil {
			t.Fatalf("instead of %s: %v", want, err)
		}
		if w.token = m.GetResumeToken(); w.token == "" {
			t.Errorf("%s has no token", want)
		}
		if got := short(m); got != want {
			t.Fatalf("%s instead of %s", got, want)
		}
	}
}

func short(m *fleetv1.WatchClusterHealthResponse) string {
	switch event := m.GetEvent().(type) {
	case *fleetv1.WatchClusterHealthResponse_Started_:
		if event.Started.GetReset_() {
			return "reset"
		}
		return "started"
	case *fleetv1.WatchClusterHealthResponse_Synced_:
		return "synced"
	case *fleetv1.WatchClusterHealthResponse_Removed_:
		return "-" + event.Removed.GetCluster()
	default:
		return m.GetChanged().GetCluster() + "=" + strings.TrimPrefix(m.GetChanged().GetState().String(), "STATE_")
	}
}

func TestAWatchSendsWhatIsKnownAndThenWhatChanges(t *testing.T) {
	m := newMonitor(record("a", cluster.Healthy), record("b", cluster.Unknown))
	w := watch(t, healthClient(t, m, server.Options{}), &fleetv1.WatchClusterHealthRequest{})
	w.mustGet(t, "reset a=HEALTHY b=UNKNOWN synced")
	m.publish(record("b", cluster.Unreachable))
	w.mustGet(t, "b=UNREACHABLE")
	m.remove("a")
	m.publish(record("new", cluster.Degraded))
	w.mustGet(t, "-a new=DEGRADED")
	w.leave()
}

func TestAWatchFollowsTheSelection(t *testing.T) {
	m := newMonitor(record("a", cluster.Healthy, "env", "prod"), record("b", cluster.Healthy, "env", "prod-eu"), record("c", cluster.Unreachable, "env", "prod"))
	client := healthClient(t, m, server.Options{})
	byLabel := watch(t, client, &fleetv1.WatchClusterHealthRequest{Selector: &fleetv1.ClusterSelector{LabelSelector: "env=prod"}})
	byLabel.mustGet(t, "reset a=HEALTHY c=UNREACHABLE synced")
	byName := watch(t, client, &fleetv1.WatchClusterHealthRequest{Selector: &fleetv1.ClusterSelector{Names: []string{"b"}}})
	byName.mustGet(t, "reset b=HEALTHY synced")
	byState := watch(t, client, &fleetv1.WatchClusterHealthRequest{Selector: &fleetv1.ClusterSelector{States: []fleetv1.Verdict_State{fleetv1.Verdict_STATE_UNREACHABLE}}})
	byState.mustGet(t, "reset c=UNREACHABLE synced")

	m.publish(record("a", cluster.Healthy, "env", "dev"))
	byLabel.mustGet(t, "-a")
	m.publish(record("b", cluster.Unreachable, "env", "prod"))
	byLabel.mustGet(t, "b=UNREACHABLE")
	byName.mustGet(t, "b=UNREACHABLE")
	byState.mustGet(t, "b=UNREACHABLE")
	m.publish(record("c", cluster.Healthy, "env", "prod"))
	byLabel.mustGet(t, "c=HEALTHY")
	byState.mustGet(t, "-c")
}

func TestAWatchOfNothingIsSynced(t *testing.T) {
	m := newMonitor(record("a", cluster.Healthy))
	w := watch(t, healthClient(t, m, server.Options{}), &fleetv1.WatchClusterHealthRequest{Selector: &fleetv1.ClusterSelector{LabelSelector: "none"}})
	w.mustGet(t, "reset synced")
}

func TestAWatchIsResumedBehindAnyEvent(t *testing.T) {
	m := newMonitor(record("a", cluster.Healthy), record("b", cluster.Healthy), record("c", cluster.Healthy))
	client := healthClient(t, m, server.Options{})
	w := watch(t, client, &fleetv1.WatchClusterHealthRequest{})
	after := make(map[string]string)
	for event := range strings.FieldsSeq("reset a=HEALTHY b=HEALTHY c=HEALTHY synced") {
		w.mustGet(t, event)
		after[event] = w.token
	}
	m.publish(record("a", cluster.Degraded))
	w.mustGet(t, "a=DEGRADED")
	after["a=DEGRADED"] = w.token
	m.remove("b")
	w.mustGet(t, "-b")
	after["-b"] = w.token
	for event, want := range map[string]string{
		"reset":      "started c=HEALTHY a=DEGRADED synced",
		"a=HEALTHY":  "started c=HEALTHY a=DEGRADED synced",
		"b=HEALTHY":  "started c=HEALTHY a=DEGRADED -b synced",
		"c=HEALTHY":  "started a=DEGRADED -b synced",
		"synced":     "started a=DEGRADED -b synced",
		"a=DEGRADED": "started -b synced",
		"-b":         "started synced",
	} {
		resumed := watch(t, client, &fleetv1.WatchClusterHealthRequest{ResumeToken: after[event]})
		resumed.mustGet(t, want)
		resumed.leave()
	}
	other := healthClient(t, newMonitor(record("z", cluster.Healthy)), server.Options{})
	watch(t, other, &fleetv1.WatchClusterHealthRequest{ResumeToken: w.token}).mustGet(t, "reset z=HEALTHY synced")
}

func TestTheAgeOfAnObservationIsThatOfItsSending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMonitor(failing("a"))
		client, shutdown := serveInBubble(t, m)
		for _, age := range []time.Duration{0, time.Hour} {
			<-time.After(age)
			w := watch(t, client, &fleetv1.WatchClusterHealthRequest{})
			w.mustGet(t, "reset")
			got, err := w.Recv()
			if err != nil || got.GetChanged().GetObservation().GetAge().AsDuration() != age {
				t.Errorf("after %v: %v, %v", age, got, err)
			}
			w.leave()
		}
		shutdown()
	})
}

// serveInBubble serves virtual clusters in a bubble of synctest, where nothing may be left to the end of the test.
func serveInBubble(t *testing.T, m *monitor, options ...grpc.DialOption) (client fleetv1.HealthServiceClient, shutdown func()) {
	t.Helper()
	f := fleet.New(fleet.Options{})
	s, err := server.New(f, server.Options{Monitor: m})
	if err != nil {
		t.Fatal(err)
	}
	listener := bufconn.Listen(1 << 16)
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	conn := dial(t, listener, options...)
	return fleetv1.NewHealthServiceClient(conn), func() {
		if err := s.Shutdown(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
		_ = conn.Close()
		_ = f.Close()
	}
}

// mustEndWith checks the code of a watch's end and the token in it.
func mustEndWith(t *testing.T, err error, code codes.Code, token string) {
	t.Helper()
	s := status.Convert(err)
	info, _, _ := detailsOf(t, s.Proto())
	if s.Code() != code || info.GetMetadata()["resume_token"] != token {
		t.Errorf("it ended with %v, %v instead of %s", s, info, token)
	}
}

func TestAWatchThatIsNotReadIsEndedWithTheTokenOfWhatWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const clusters = 3000 // more than is sent ahead
		m := newMonitor()
		for i := range clusters {
			m.publish(failing(fmt.Sprintf("c%04d", i)))
		}
		client, shutdown := serveInBubble(t, m)
		w := watch(t, client, &fleetv1.WatchClusterHealthRequest{})
		w.mustGet(t, "reset")
		<-time.After(31 * time.Second)
		got := 0
		for {
			event, err := w.Recv()
			if err != nil {
				mustEndWith(t, err, codes.ResourceExhausted, w.token)
				break
			}
			w.token = event.GetResumeToken()
			got++
		}
		if got == 0 || got >= clusters {
			t.Errorf("%d of %d events had been sent", got, clusters)
		}
		resumed := watch(t, client, &fleetv1.WatchClusterHealthRequest{ResumeToken: w.token})
		resumed.mustGet(t, "started "+fmt.Sprintf("c%04d=UNREACHABLE", got))
		resumed.leave()
		shutdown()
	})
}

func TestAShutdownEndsAWatchWithItsToken(t *testing.T) {
	for what, end := range map[string]func(m *monitor, shutdown func()){
		"the server": func(_ *monitor, shutdown func()) { shutdown() },
		"the hub":    func(m *monitor, shutdown func()) { m.hub.Close(); shutdown() },
	} {
		synctest.Test(t, func(t *testing.T) {
			m := newMonitor(record("a", cluster.Healthy))
			client, shutdown := serveInBubble(t, m)
			w := watch(t, client, &fleetv1.WatchClusterHealthRequest{})
			w.mustGet(t, "reset a=HEALTHY synced")
			m.publish(record("a", cluster.Degraded))
			w.mustGet(t, "a=DEGRADED")
			start := time.Now()
			end(m, shutdown)
			if took := time.Since(start); took > time.Second {
				t.Errorf("%s has ended, and the watch held it up for %v", what, took)
			}
			if _, err := w.Recv(); err == nil {
				t.Errorf("%s has ended, and the watch goes on", what)
			} else {
				mustEndWith(t, err, codes.Unavailable, w.token)
			}
		})
	}
}

func TestManyWatchersGetWhatIsEncodedOnce(t *testing.T) {
	const watchers, clusters, changes = 20, 10, 200
	m := newMonitor()
	for i := range clusters {
		m.publish(failing(fmt.Sprintf("c%d", i)))
	}
	client := healthClient(t, m, server.Options{})
	var watching sync.WaitGroup
	for range watchers {
		w := watch(t, client, &fleetv1.WatchClusterHealthRequest{})
		watching.Go(func() {
			known := make(map[string]*fleetv1.ClusterHealth)
			for known["the last"] == nil {
				event, err := w.Recv()
				if err != nil {
					t.Error(err)
					return
				}
				if c := event.GetChanged(); c != nil {
					known[c.GetCluster()] = c
				}
			}
			for _, r := range m.Records() {
				if got := known[r.Subject.Name].GetSince().AsTime(); !got.Equal(r.Since) {
					t.Errorf("%s is that of %v instead of %v", r.Subject.Name, got, r.Since)
				}
			}
		})
	}
	for i := range changes {
		m.publish(failing(fmt.Sprintf("c%d", i%clusters)))
	}
	m.publish(failing("the last"))
	watching.Wait()
}

func TestEventsFarApartAreNotTakenForEachOther(t *testing.T) {
	const kept = 4096 / 2 // changes, each of which may also be a removal
	m := newMonitor(record("first", cluster.Healthy))
	for range kept - 1 {
		m.publish(record("second", cluster.Healthy))
	}
	m.publish(record("third", cluster.Healthy))
	watch(t, healthClient(t, m, server.Options{}), &fleetv1.WatchClusterHealthRequest{}).
		mustGet(t, "reset first=HEALTHY second=HEALTHY third=HEALTHY synced")
}

func TestNoCompressorIsRegistered(t *testing.T) {
	if encoding.GetCompressor("gzip") != nil {
		t.Error("what was compressed is given back before it was written, and a watcher that does not read would hold up the others")
	}
}
