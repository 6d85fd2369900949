package cluster_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(serverProcess) != "" {
		os.Exit(runServerProcess())
	}
	goleak.VerifyTestMain(m)
}
