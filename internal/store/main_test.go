package store_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// childMode names the part of a test that this process is started again for.
const childMode = "STORE_TEST_CHILD"

func TestMain(m *testing.M) {
	if mode := os.Getenv(childMode); mode != "" && mode != "full" {
		os.Exit(child(mode))
	}
	goleak.VerifyTestMain(m)
}
