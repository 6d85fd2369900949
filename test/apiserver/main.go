// Command apiserver starts real Kubernetes API servers on loopback for tests: kube-apiserver and etcd, built from their
// Go modules. It runs until its standard input closes or it is told to stop, and leaves nothing behind. See README.md.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/clusterfleet/clusterfleet/test/apiserver/internal/binaries"
)

// What this module requires is what is built.
var (
	//go:embed go.mod
	goMod []byte
	//go:embed go.sum
	goSum []byte
)

func main() {
	// SIGPIPE: whoever read the output is gone.
	ctx, stop := signal.NotifyContext(context.Background(),
		syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	os.Exit(exitCode(err, os.Stderr))
}

// exitCode reports err and says how the program ends: 0 done, 1 failed, 2 wrong usage.
func exitCode(err error, stderr io.Writer) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, "apiserver:", err)
	if usage := (usageError{}); errors.As(err, &usage) {
		return 2
	}
	return 1
}

// run does what args say until ctx ends or, if it is serving, stdin does.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if len(args) > 0 && args[0] == "build" {
		return build(ctx, args[1:], stdout, stderr)
	}
	options, err := parse(args, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		// A read from stdin cannot be interrupted; this ends with the stream or with the program.
		_, _ = io.Copy(io.Discard, stdin)
		cancel(errStdinClosed)
	}()
	set, err := find(ctx, stderr)
	if err != nil {
		return err
	}
	return serve(ctx, options, set, stdout, stderr)
}

// errStdinClosed says why a server stopped.
var errStdinClosed = errors.New("standard input was closed")

// build makes sure that the executables are there, and prints where.
func build(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("build takes no arguments: %q", args)}
	}
	set, err := find(ctx, stderr)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, set.Dir)
	return err
}

// find returns the executables of KUBEBUILDER_ASSETS, else those of the cache, which are built if need be.
func find(ctx context.Context, log io.Writer) (binaries.Set, error) {
	if dir := os.Getenv("KUBEBUILDER_ASSETS"); dir != "" {
		set, err := binaries.In(dir)
		if err != nil {
			return binaries.Set{}, fmt.Errorf("KUBEBUILDER_ASSETS: %w", err)
		}
		return set, nil
	}
	root, err := os.UserCacheDir()
	if err != nil {
		return binaries.Set{}, err
	}
	module := binaries.Module{GoMod: goMod, GoSum: goSum}
	key, err := module.Key()
	if err != nil {
		return binaries.Set{}, err
	}
	cache := binaries.Cache{Dir: filepath.Join(root, "clusterfleet")}
	return cache.Get(ctx, key, func(ctx context.Context, dir string) error {
		return module.Build(ctx, dir, log)
	})
}
