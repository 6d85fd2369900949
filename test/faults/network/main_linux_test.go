package network_test

import (
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/clusterfleet/clusterfleet/test/faults/internal/netns"
	"github.com/clusterfleet/clusterfleet/test/internal/product"
)

// built names the directory of the programs to the processes in which the tests run.
const built = "CLUSTERFLEET_TEST_PROGRAMS"

// programs are what all tests run. TestMain can hand them over in no other way.
var programs *product.Programs //nolint:gochecknoglobals // see above

// together is how many tests run at once. They wait for most of their time, but each has an aggregator that asks hundreds of
// clusters, slowed down by the race detector.
const together = "3"

func TestMain(m *testing.M) {
	netns.Main()
	flag.Parse()
	if err := flag.Set("test.parallel", together); err != nil {
		panic(err)
	}
	if dir := os.Getenv(built); dir != "" {
		programs = product.In(dir)
		goleak.VerifyTestMain(m)
		return
	}
	product.Main(m, func(p *product.Programs) { programs = p })
}

// apart runs the body of a test in a process with a network of its own, beside the other tests.
func apart(t *testing.T, body func()) {
	t.Helper()
	t.Parallel()
	netns.Apart(t, []string{built + "=" + programs.Dir()}, body)
}
