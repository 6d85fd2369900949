package main

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
)

// TestMain makes the test binary be fleetctl where it is called by that name, and else looks for goroutines left behind.
func TestMain(m *testing.M) {
	testscript.Main(leakChecked{m}, map[string]func(){"fleetctl": main})
}

type leakChecked struct{ tests *testing.M }

func (l leakChecked) Run() int {
	flag.Parse()
	// A program that looks for races sleeps a second when it ends; those that the tests start need not.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	code := l.tests.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, "goroutines are left:", err)
		return 1
	}
	return code
}
