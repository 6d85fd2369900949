package simulated_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/clusterfleet/clusterfleet/bench/internal/simulated"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// program writes a shell script that stands in for fleetsim.
func program(t *testing.T, script string) string {
	path := filepath.Join(t.TempDir(), "fleetsim")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFleetIsAskedWhereItAnnouncesItself(t *testing.T) {
	var resets int
	mux := http.NewServeMux()
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"requests":7,"inFlight":1,"peakInFlight":3,"aborted":2,"abortTimesUnixNano":[5,6],"openConnections":4}`)
	})
	mux.HandleFunc("POST /reset", func(w http.ResponseWriter, _ *http.Request) {
		resets++
		w.WriteHeader(http.StatusNoContent)
	})
	admin := httptest.NewServer(mux)
	defer admin.Close()
	fleet, err := simulated.Start(t.Context(), simulated.Config{
		Program:  program(t, `echo '{"admin":"`+admin.URL+`"}'; exec cat`),
		Folder:   "/folder",
		Clusters: 3,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer fleet.Kill()
	if fleet.Kubeconfig != "/folder/kubeconfig" {
		t.Errorf("kubeconfig %q", fleet.Kubeconfig)
	}
	stats, err := fleet.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := simulated.Stats{
		Requests: 7, InFlight: 1, PeakInFlight: 3, Aborted: 2, AbortTimesUnixNano: []int64{5, 6}, OpenConnections: 4,
	}
	if diff := cmp.Diff(want, stats); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
	if err := fleet.Reset(t.Context()); err != nil || resets != 1 {
		t.Errorf("reset %d times, %v", resets, err)
	}
}

func TestFleetThatDoesNotComeUpSaysWhy(t *testing.T) {
	_, err := simulated.Start(t.Context(), simulated.Config{Program: program(t, "echo no addresses left >&2; exit 1")})
	if err == nil || !strings.Contains(err.Error(), "no addresses left") {
		t.Errorf("got %v", err)
	}
	_, err = simulated.Start(t.Context(), simulated.Config{Program: program(t, "echo hello; exec cat")})
	if err == nil || !strings.Contains(err.Error(), "hello") {
		t.Errorf("got %v", err)
	}
}
