package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"k8s.io/klog/v2"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/server"
	"github.com/clusterfleet/clusterfleet/internal/version"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// httpShutdownTime is what scrapes under way get to end.
const httpShutdownTime = 2 * time.Second

// run serves until ctx ends. Everything it starts has ended when it returns.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	command := newCommand(func(command *cobra.Command, c config) error {
		return serve(command.Context(), c, stderr)
	})
	command.SetArgs(args)
	command.SetOut(stdout)
	command.SetErr(stderr)
	return command.ExecuteContext(ctx)
}

func serve(ctx context.Context, c config, stderr io.Writer) error {
	log, err := newLog(c, stderr)
	if err != nil {
		return err
	}
	klog.SetSlogLogger(log.With("from", "client-go"))
	fleet := fleet.New(fleet.Options{
		UserAgent: "clusterfleet-aggregator/" + version.String(),
		Limit:     c.limit,
		Log:       log,
	})
	defer fleet.Close() //nolint:errcheck // removing clusters cannot fail
	if err := load(c, fleet, log); err != nil {
		return err
	}
	return listenAndServe(ctx, c, fleet, log)
}

func newLog(c config, stderr io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.logLevel)); err != nil {
		return nil, usage("--log-level must be debug, info, warn or error, not %q", c.logLevel)
	}
	options := &slog.HandlerOptions{Level: level}
	if c.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(stderr, options)), nil
	}
	return slog.New(slog.NewTextHandler(stderr, options)), nil
}

// load makes the kubeconfig's contexts the fleet. What cannot be used is logged; it is an error only if nothing can.
func load(c config, f *fleet.Fleet, log *slog.Logger) error {
	definitions, problems := cluster.LoadKubeconfig(c.kubeconfigs(), cluster.KubeconfigOptions{
		CredentialPlugins: plugins(c.credentialPlugins),
		AllowInsecure:     c.allowInsecure,
	})
	for _, problem := range problems {
		log.Warn("kubeconfig", "problem", problem.Error())
	}
	if err := f.Apply(definitions); err != nil {
		log.Warn("kubeconfig", "problem", err.Error())
	}
	if f.Size() == 0 {
		return fmt.Errorf("no usable cluster in %s: the problems are listed above", c.kubeconfig)
	}
	log.Info("fleet loaded", "clusters", f.Size(), "problems", len(problems))
	return nil
}

func plugins(extra []string) []string {
	if len(extra) == 0 {
		return nil
	}
	return append(cluster.DefaultCredentialPlugins(), extra...)
}

// listenAndServe answers gRPC and HTTP until ctx ends, or one of them fails.
func listenAndServe(ctx context.Context, c config, f *fleet.Fleet, log *slog.Logger) error {
	secure, stopTLS, err := c.serverTLS("h2")
	if err != nil {
		return err
	}
	defer stopTLS()
	registry := newMetrics(f)
	grpcServer, err := server.New(f, server.Options{TLS: secure, Log: log, Metrics: registry})
	if err != nil {
		return err
	}
	grpcListener, err := listen(ctx, "--grpc-address", c.grpcAddress)
	if err != nil {
		return err
	}
	web, err := newWeb(ctx, c, newHTTPServer(registry, func() bool { return ctx.Err() == nil }, log))
	if err != nil {
		return errors.Join(err, grpcListener.Close())
	}
	log.Info("serving", "grpc", grpcListener.Addr().String(), "http", web.address(), "tls", secure != nil, "pid", os.Getpid())

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return grpcServer.Serve(grpcListener) })
	group.Go(web.serve)
	group.Go(func() error {
		<-ctx.Done()
		log.Info("shutting down")
		return errors.Join(grpcServer.Shutdown(), web.shutdown())
	})
	return group.Wait()
}

// web is the HTTP side; without an address it does nothing.
type web struct {
	server   *http.Server
	listener net.Listener
	stopTLS  func()
}

func newWeb(ctx context.Context, c config, s *http.Server) (*web, error) {
	if c.httpAddress == "" {
		return &web{}, nil
	}
	secure, stopTLS, err := c.serverTLS("h2", "http/1.1")
	if err != nil {
		return nil, err
	}
	listener, err := listen(ctx, "--http-address", c.httpAddress)
	if err != nil {
		stopTLS()
		return nil, err
	}
	if secure != nil {
		listener = tls.NewListener(listener, secure)
	}
	return &web{server: s, listener: listener, stopTLS: stopTLS}, nil
}

func (w *web) address() string {
	if w.listener == nil {
		return ""
	}
	return w.listener.Addr().String()
}

func (w *web) serve() error {
	if w.server == nil {
		return nil
	}
	if err := w.server.Serve(w.listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (w *web) shutdown() error {
	if w.server == nil {
		return nil
	}
	defer w.stopTLS()
	ctx, cancel := context.WithTimeout(context.Background(), httpShutdownTime)
	defer cancel()
	if err := w.server.Shutdown(ctx); err != nil {
		return w.server.Close()
	}
	return nil
}
