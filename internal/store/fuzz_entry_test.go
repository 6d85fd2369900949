package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// FuzzEntry: what is read back, from a disk that another version or nobody knows who has written to, is an error, or
// something that can be written and read again as the same.
func FuzzEntry(f *testing.F) {
	now := time.Unix(1_800_000_000, 123456789).UTC()
	snapshot, err := encodeSnapshot(health.Snapshot{
		Cluster: "arn:aws:eks:eu-west-1:1:cluster/prod", State: cluster.Unreachable, Known: cluster.Healthy, Since: now, At: now, LastSuccess: now.Add(-time.Hour),
		Verdict:  &cluster.Verdict{State: cluster.Degraded, Reason: cluster.NotReady, Blame: cluster.BlameControlPlane, Message: "m\u202e", Depth: cluster.Full, FailingChecks: []string{"etcd"}},
		Expiries: []cluster.Expiry{{Kind: cluster.TokenExpiry, At: now}}, Uptime: []byte{1, 2, 3},
	})
	if err != nil {
		f.Fatal(err)
	}
	transition, err := encodeTransition(health.Transition{
		Cluster: "c", At: now, From: cluster.Healthy, To: cluster.Unauthorized, Reason: cluster.Unauthenticated, Blame: cluster.BlameCredential, Message: "m", Lasted: time.Hour, Flapping: true,
	})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		string(snapshot), string(transition), `{}`, `null`, `{"format":2,"cluster":"c"}`, `{"format":1,"cluster":""}`, `{"format":1,"cluster":"c","state":"GONE"}`, `{"format":1,"cluster":"c","state":1}`,
		`{"format":1,"cluster":"c","state":"","lasted":"2562048h"}`, `{"format":1,"cluster":"c","at":"0000-01-01T00:00:00+23:59","since":"9999-12-31T23:59:59-23:59"}`,
		`{"format":1,"cluster":"c","verdict":{},"expiries":[{}]}`, `{"format":1,"cluster":"\ud800"}`, `{"format":1,"cluster":"c","from":"HEALTHY","To":"UNKNOWN","to":"DEGRADED"}`,
	} {
		f.Add([]byte(seed), uint64(7))
	}
	f.Fuzz(func(t *testing.T, data []byte, sequence uint64) {
		if len(data) > maxEntry/8 { // written again, it may have grown beyond what is stored
			return
		}
		if s, err := decodeSnapshot(data); err == nil {
			requireSame(t, s, encodeSnapshot, decodeSnapshot)
		}
		decode := func(data []byte) (health.Transition, error) { return decodeTransition(sequence, data) }
		if c, err := decode(data); err == nil {
			requireSame(t, c, encodeTransition, decode)
			if c.Sequence != sequence {
				t.Errorf("sequence %d, want %d", c.Sequence, sequence)
			}
		}
	})
}

func requireSame[T any](t *testing.T, value T, encode func(T) ([]byte, error), decode func([]byte) (T, error)) {
	t.Helper()
	written, err := encode(value)
	if err != nil {
		t.Fatalf("%+v cannot be written again: %v", value, err)
	}
	again, err := decode(written)
	if err != nil {
		t.Fatalf("%s: %v", written, err)
	}
	if diff := cmp.Diff(value, again, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s\n%s", written, diff)
	}
}
