package store_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/internal/store"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

func TestEntriesThatCannotBeDecodedArePassedOver(t *testing.T) {
	_, out := start(t, "server", childDir+"="+t.TempDir(), childPort+"=-1")
	if !out.Scan() {
		t.Fatal("there is no server")
	}
	var log syncBuffer
	s := open(t, store.Options{URL: out.Text(), Log: slog.New(slog.NewTextHandler(&log, nil))})
	conn, err := nats.Connect(out.Text())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	s.Append(transition("a", 1))
	settle(t, s)
	for _, text := range []string{
		"", "garbage", `{"format":2,"cluster":"a"}`, `{"format":1}`, `{"format":1,"cluster":"a","to":"UNHEARD_OF","state":"UNHEARD_OF"}`,
	} {
		for _, subject := range []string{"clusterfleet.transitions.YQ", "$KV.clusterfleet.health." + nats.NewInbox()[7:]} {
			if _, err := js.Publish(t.Context(), subject, []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
	}
	later := `{"format":1,"cluster":"a","at":"2026-05-01T00:00:00Z","from":"HEALTHY","to":"DEGRADED","blame":"NONE","new":"field"}`
	if _, err := js.Publish(t.Context(), "clusterfleet.transitions.YQ", []byte(later)); err != nil {
		t.Fatal(err)
	}
	got := history(t, s, health.HistoryQuery{})
	if len(got) != 2 || got[0].Sequence != 7 || got[0].To != cluster.Degraded || got[1].Sequence != 1 {
		t.Errorf("the history is %v", got)
	}
	if got := load(t, s); len(got) != 0 {
		t.Errorf("the latest are %v", got)
	}
	if got := s.Stats().Undecodable; got != 10 {
		t.Errorf("%d are counted as undecodable, not 10", got)
	}
	if got := strings.Count(log.String(), "cannot be decoded"); got != 10 {
		t.Errorf("there are %d lines about it:\n%s", got, log.String())
	}
}

func TestTheLatestHealthIsABucketForOtherClients(t *testing.T) {
	_, out := start(t, "server", childDir+"="+t.TempDir(), childPort+"=-1")
	if !out.Scan() {
		t.Fatal("there is no server")
	}
	s := open(t, store.Options{URL: out.Text()})
	s.Save(snapshot("a"), snapshot("b"))
	eventually(t, "both are stored", func() bool { return len(load(t, s)) == 2 })
	s.Forget("b")
	eventually(t, "one is forgotten", func() bool { return len(load(t, s)) == 1 })

	conn, err := nats.Connect(out.Text())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	bucket, err := js.KeyValue(t.Context(), "clusterfleet")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := bucket.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"health.YQ"}, keys); diff != "" {
		t.Error(diff)
	}
	entry, err := bucket.Get(t.Context(), "health.YQ")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"known":"DEGRADED"`, `"reason":"NOT_READY"`, `"depth":"FULL"`, `"kind":"TOKEN"`} {
		if !strings.Contains(string(entry.Value()), want) {
			t.Errorf("%s is not in %s", want, entry.Value())
		}
	}
}

func TestAStreamThatAStartHasLostAndNotPutBackIsPutBackByTheNext(t *testing.T) {
	dir := t.TempDir()
	s := open(t, store.Options{Dir: dir})
	s.Append(transition("a", 1))
	shut(t, s)
	if err := os.Mkdir(filepath.Join(dir, "kept"), 0o700); err != nil {
		t.Fatal(err)
	}
	const stream = "clusterfleet_transitions"
	if err := os.Rename(filepath.Join(dir, "jetstream/$G/streams", stream), filepath.Join(dir, "kept", stream)); err != nil {
		t.Fatal(err)
	}
	s = open(t, store.Options{Dir: dir})
	if got := history(t, s, health.HistoryQuery{}); len(got) != 1 {
		t.Errorf("the history is %v", got)
	}
	if _, err := os.Stat(filepath.Join(dir, "kept")); !os.IsNotExist(err) {
		t.Errorf("the second names are still there: %v", err)
	}
}
