package controlplane_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/test/apiserver/internal/binaries"
	"github.com/clusterfleet/clusterfleet/test/apiserver/internal/controlplane"
)

func TestStartReportsTheLastWordsOfAServerThatDies(t *testing.T) {
	err := startFailing(t, t.Context(), `echo "cannot lock the data directory"; exit 7`)
	for _, fragment := range []string{"real-1: etcd ended: exit status 7", "cannot lock the data directory"} {
		if !strings.Contains(err.Error(), fragment) {
			t.Errorf("nothing about %q in: %v", fragment, err)
		}
	}
}

func TestStartGivesUpWhenItsTimeIsOver(t *testing.T) {
	errTime := errors.New("no time left")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, errTime)
	defer cancel()
	err := startFailing(t, ctx, `echo "electing a leader"; exec sleep 60`)
	if !errors.Is(err, errTime) || !strings.Contains(err.Error(), "electing a leader") {
		t.Errorf("got %v", err)
	}
}

// startFailing starts a server whose etcd is a script, and returns why that failed. Nothing may be left of it.
func startFailing(t *testing.T, ctx context.Context, etcd string) error {
	t.Helper()
	bin := t.TempDir()
	for _, name := range []string{"etcd", "kube-apiserver"} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+etcd+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	set, err := binaries.In(bin)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "server")
	_, err = controlplane.Start(ctx, controlplane.Config{Name: "real-1", Dir: dir, Binaries: set})
	if err == nil {
		t.Fatal("it started")
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its directory is still there: %v", err)
	}
	return err
}
