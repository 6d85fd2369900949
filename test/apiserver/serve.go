package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/clusterfleet/clusterfleet/test/apiserver/internal/binaries"
	"github.com/clusterfleet/clusterfleet/test/apiserver/internal/controlplane"
	"github.com/clusterfleet/clusterfleet/test/apiserver/internal/process"
)

// startsAtOnce bounds how many servers start side by side: each keeps a core busy for seconds.
const startsAtOnce = 4

// serve starts the servers, prints what they are, and runs them until ctx ends. It removes everything it made.
func serve(ctx context.Context, o options, set binaries.Set, stdout, stderr io.Writer) (err error) {
	dir, removeDir, err := makeDir(o.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, removeDir()) }()

	servers, err := startAll(ctx, o, dir, set)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopAll(servers)) }()

	kubeconfigFile := o.kubeconfig
	if kubeconfigFile == "" {
		kubeconfigFile = filepath.Join(dir, "kubeconfig")
	}
	if err := writeKubeconfig(kubeconfigFile, servers); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(kubeconfigFile)) }()

	if err := announce(stdout, servers, kubeconfigFile); err != nil {
		return err
	}
	watch(ctx, servers, log.New(stderr, "apiserver: ", 0))
	return nil
}

// makeDir makes dir, or a temporary directory if there is no name. One that is there already is used and left there.
func makeDir(dir string) (path string, remove func() error, err error) {
	if dir == "" {
		dir, err = os.MkdirTemp("", "apiserver-")
		return dir, func() error { return os.Remove(dir) }, err
	}
	err = os.Mkdir(dir, 0o700)
	if errors.Is(err, os.ErrExist) {
		return dir, func() error { return nil }, nil
	}
	return dir, func() error { return os.Remove(dir) }, err
}

// startAll returns when every server is ready. If one fails, there are none.
func startAll(ctx context.Context, o options, dir string, set binaries.Set) ([]*controlplane.Server, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, o.readyTimeout, fmt.Errorf("not ready within %v", o.readyTimeout))
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(startsAtOnce)
	servers := make([]*controlplane.Server, o.count)
	for i := range servers {
		group.Go(func() error {
			name := fmt.Sprintf("real-%d", i+1)
			server, err := controlplane.Start(ctx, controlplane.Config{
				Name:           name,
				Dir:            filepath.Join(dir, name),
				Binaries:       set,
				APIServerFlags: o.apiServerFlags,
			})
			servers[i] = server
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, errors.Join(err, stopAll(servers))
	}
	return servers, nil
}

func stopAll(servers []*controlplane.Server) error {
	var errs []error
	for _, server := range servers {
		if server != nil {
			errs = append(errs, server.Stop())
		}
	}
	return errors.Join(errs...)
}

// announce prints a JSON line a server and one that says that all are ready.
func announce(stdout io.Writer, servers []*controlplane.Server, kubeconfigFile string) error {
	lines := json.NewEncoder(stdout)
	for _, server := range servers {
		if err := lines.Encode(server.Description()); err != nil {
			return err
		}
	}
	return lines.Encode(struct {
		Ready      int    `json:"ready"`
		Kubeconfig string `json:"kubeconfig"`
	}{len(servers), kubeconfigFile})
}

// watch logs which process ends before ctx does. That is no failure: tests kill servers.
func watch(ctx context.Context, servers []*controlplane.Server, logger *log.Logger) {
	var watchers sync.WaitGroup
	for _, server := range servers {
		for _, p := range []*process.Process{server.Etcd, server.APIServer} {
			watchers.Go(func() {
				select {
				case <-ctx.Done():
				case <-p.Done():
					logger.Printf("%s: %v", server.Name, p.Err())
				}
			})
		}
	}
	<-ctx.Done()
	watchers.Wait()
}
