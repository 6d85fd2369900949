package cluster_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// TestAHeaderIsBoundedBySixtyFourKiB has headers of a little less and a little more; the rest of each is a few hundred bytes.
func TestAHeaderIsBoundedBySixtyFourKiB(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kibibytes int
		tooLarge  bool
	}{"less": {62, false}, "more": {66, true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			api := a.Config.Handler
			a.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				for range c.kibibytes {
					w.Header().Add("X-Padding", strings.Repeat("x", 1<<10-len("X-Padding: \r\n")))
				}
				api.ServeHTTP(w, r)
			})
			client := newClient(t, a.config())
			for _, depth := range []cluster.Depth{cluster.Quick, cluster.Full} {
				v, err := client.Probe(t.Context(), depth, cluster.DefaultProbeTimeout)
				if err != nil || (v.Reason == cluster.ResponseTooLarge) != c.tooLarge || !c.tooLarge && v.State != cluster.Healthy {
					t.Errorf("got %+v, %v", v, err)
				}
			}
			e := readAll(t.Context(), t, client, pods)
			if (e != nil) != c.tooLarge || e != nil && e.Reason != cluster.ResponseTooLarge {
				t.Errorf("got %+v", e)
			}
		})
	}
}
