package binaries_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/test/apiserver/internal/binaries"
)

func TestCacheBuildsOnceForAllWhoAskAtOnce(t *testing.T) {
	cache := binaries.Cache{Dir: filepath.Join(t.TempDir(), "new", "directory")}
	var builds atomic.Int32
	build := func(_ context.Context, dir string) error {
		builds.Add(1)
		return writeExecutables(dir, "kube-apiserver", "etcd")
	}
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			set, err := cache.Get(t.Context(), "key", build)
			if err != nil {
				t.Error(err)
				return
			}
			want := binaries.Set{
				Dir:           filepath.Join(cache.Dir, "key"),
				KubeAPIServer: filepath.Join(cache.Dir, "key", "kube-apiserver"),
				Etcd:          filepath.Join(cache.Dir, "key", "etcd"),
			}
			if diff := cmp.Diff(want, set); diff != "" {
				t.Error(diff)
			}
		})
	}
	callers.Wait()
	if got := builds.Load(); got != 1 {
		t.Errorf("built %d times", got)
	}
}

func TestCacheKeepsKeysApart(t *testing.T) {
	cache := binaries.Cache{Dir: t.TempDir()}
	for _, key := range []string{"one", "two"} {
		set, err := cache.Get(t.Context(), key, func(_ context.Context, dir string) error {
			return writeExecutables(dir, "kube-apiserver", "etcd")
		})
		if err != nil {
			t.Fatal(err)
		}
		if want := filepath.Join(cache.Dir, key); set.Dir != want {
			t.Errorf("got %s, want %s", set.Dir, want)
		}
	}
}

func TestCacheKeepsNothingOfAFailedBuild(t *testing.T) {
	errBuild := errors.New("does not compile")
	builds := map[string]func(context.Context, string) error{
		"fails half way": func(_ context.Context, dir string) error {
			return errors.Join(writeExecutables(dir, "etcd"), errBuild)
		},
		"yields one executable only": func(_ context.Context, dir string) error {
			return writeExecutables(dir, "etcd")
		},
	}
	for name, build := range builds {
		t.Run(name, func(t *testing.T) {
			cache := binaries.Cache{Dir: t.TempDir()}
			if _, err := cache.Get(t.Context(), "key", build); err == nil {
				t.Fatal("the build succeeded")
			}
			left, err := filepath.Glob(filepath.Join(cache.Dir, "key*"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{filepath.Join(cache.Dir, "key.lock")}, left); diff != "" {
				t.Error(diff)
			}
			_, err = cache.Get(t.Context(), "key", func(_ context.Context, dir string) error {
				return writeExecutables(dir, "kube-apiserver", "etcd")
			})
			if err != nil {
				t.Errorf("the next build: %v", err)
			}
		})
	}
}

func TestCacheStopsWaitingForAnotherBuildWhenTheCallerLeaves(t *testing.T) {
	cache := binaries.Cache{Dir: t.TempDir()}
	errLeft := errors.New("the caller left")
	_, err := cache.Get(t.Context(), "key", func(context.Context, string) error {
		ctx, leave := context.WithCancelCause(t.Context())
		leave(errLeft)
		_, err := cache.Get(ctx, "key", nil) // this build holds the lock
		return err
	})
	if !errors.Is(err, errLeft) {
		t.Errorf("got %v", err)
	}
}

func writeExecutables(dir string, names ...string) error {
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), 0o755); err != nil {
			return err
		}
	}
	return nil
}
