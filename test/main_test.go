package test_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/clusterfleet/clusterfleet/test/internal/product"
)

// programs are what all tests run. TestMain can hand them over in no other way.
var programs *product.Programs //nolint:gochecknoglobals // see above

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "clusterfleet-test-")
	if err == nil {
		programs, err = product.Build(context.Background(), dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.RemoveAll(dir)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		os.RemoveAll(dir)
		os.Exit(code)
	}))
}
