package faults_test

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/test/internal/product"
)

// What all tests run, and how long: TestMain can hand them over in no other way.
//
//nolint:gochecknoglobals // see above
var (
	programs *product.Programs
	seed     = flag.Uint64("seed", 0, "play the faults of this `SEED`; 0: others each time")
	clusters = flag.Int("clusters", 66, "show the faults in a fleet of `N` clusters")
	duration = flag.Duration("duration", 70*time.Second, "show faults for this `TIME`")
)

// The least of a run: what lasts shorter has no room for the silent faults, and a smaller fleet no clusters for all of them.
const (
	leastClusters = 66
	leastDuration = 45 * time.Second
)

func TestMain(m *testing.M) {
	flag.Parse()
	if *clusters < leastClusters || *duration < leastDuration {
		fmt.Fprintf(os.Stderr, "-clusters %d -duration %s: at least -clusters %d -duration %s are needed to show the faults\n",
			*clusters, *duration, leastClusters, leastDuration)
		os.Exit(2)
	}
	product.Main(m, func(p *product.Programs) { programs = p })
}
