package main

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"k8s.io/klog/v2"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/monitor"
	"github.com/clusterfleet/clusterfleet/internal/server"
	"github.com/clusterfleet/clusterfleet/internal/version"
)

// run serves until ctx ends. Everything it starts has ended when it returns.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	command := newCommand(func(command *cobra.Command, c config) error { //nolint:contextcheck // cobra hands it on
		return serve(command.Context(), c, newLog(c, stderr))
	})
	command.SetArgs(args)
	command.SetOut(stdout)
	command.SetErr(stderr)
	return command.ExecuteContext(ctx)
}

func newLog(c config, stderr io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.logLevel}
	if c.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(stderr, options))
	}
	return slog.New(slog.NewTextHandler(stderr, options))
}

// serve takes its addresses before it reads the kubeconfig: what is wrong with the process is said before what is wrong
// with the fleet.
func serve(ctx context.Context, c config, log *slog.Logger) (problem error) {
	g := governGarbage()
	defer g.release()
	klog.SetSlogLogger(log.With("from", "client-go"))
	e, err := open(ctx, c, log)
	if err != nil {
		return err
	}
	defer e.close()
	registry := newRegistry()
	h, err := openHistory(ctx, c, log)
	if err != nil {
		return err
	}
	defer func() { problem = errors.Join(problem, h.close()) }() //nolint:contextcheck // ctx has ended by then
	f := fleet.New(fleet.Options{
		UserAgent:      "clusterfleet-aggregator/" + version.String(),
		Limit:          c.limit,
		Log:            log,
		Metrics:        registry,
		ClusterMetrics: c.clusterMetrics,
	})
	defer f.Close() // before the store: to close that takes files, of which there may be none left
	var m *monitor.Monitor
	if c.watches() {
		m = monitor.New(f, monitor.Options{
			Rules: c.rules(), Keeper: h, Restored: h.restored(ctx), Log: log, Metrics: registry, ClusterMetrics: c.clusterMetrics,
		})
	}
	l := newLoader(c, f, m, g, log)
	defer l.close()
	registry.MustRegister(fleetMetrics(f, l)...)
	registry.MustRegister(storeMetrics(h)...)
	if err := l.load(ctx); err != nil {
		return err
	}
	options := server.Options{TLS: e.grpcTLS, Log: log, Metrics: registry, SecretData: c.allowSecretData, History: h}
	if m != nil {
		options.Monitor = m
	}
	grpcServer, err := server.New(f, options) //nolint:contextcheck // its life ends with Shutdown
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	serving, stop := context.WithCancel(ctx)
	group.Go(func() error {
		defer stop()
		return e.serve(ctx, grpcServer, registry, log)
	})
	works := []func(context.Context){l.reload, func(ctx context.Context) { h.tell(ctx, grpcServer) }}
	if m != nil {
		group.Go(func() error { return m.Run(serving) })
		works = append(works, func(ctx context.Context) { g.settle(ctx, m.Records) })
	}
	for _, work := range works {
		group.Go(func() error {
			work(serving)
			return nil
		})
	}
	return group.Wait()
}

// entrances are the addresses at which the process answers, with their TLS.
type entrances struct {
	grpc, http       net.Listener // http may be nil
	grpcTLS, httpTLS *tls.Config  // nil for plaintext
	certified        bool         // callers show client certificates
}

// open takes the addresses of the command line.
func open(ctx context.Context, c config, log *slog.Logger) (*entrances, error) {
	e := &entrances{certified: c.clientCA != ""}
	var err error
	if e.grpcTLS, err = c.grpcTLS(log); err != nil {
		return nil, err
	}
	if e.httpTLS, err = c.httpTLS(log); err != nil {
		return nil, err
	}
	if e.grpc, err = listen(ctx, "--grpc-address", c.grpcAddress, e.grpcTLS != nil); err != nil {
		return nil, err
	}
	if c.httpAddress == "" {
		return e, nil
	}
	if e.http, err = listen(ctx, "--http-address", c.httpAddress, e.httpTLS != nil); err != nil {
		e.close()
		return nil, err
	}
	return e, nil
}

// close gives the addresses back. Where they were served, that is done already.
func (e *entrances) close() {
	for _, listener := range []net.Listener{e.grpc, e.http} {
		if listener != nil {
			_ = listener.Close() // it may be closed already
		}
	}
}

// serve answers gRPC and HTTP until ctx ends, or one of them fails.
func (e *entrances) serve(ctx context.Context, grpcServer *server.Server, registry *prometheus.Registry, log *slog.Logger) error {
	group, ctx := errgroup.WithContext(ctx)
	web := newWeb(e.http, e.httpTLS, e.certified, registry, func() bool { return ctx.Err() == nil }, log)
	log.Info("serving", "grpc", e.grpc.Addr().String(), "http", web.address(), "tls", e.grpcTLS != nil, "pid", os.Getpid())

	group.Go(func() error { return grpcServer.Serve(e.grpc) })
	group.Go(web.serve)
	group.Go(func() error {
		<-ctx.Done()
		log.Info("shutting down")
		// HTTP goes last: it says that the process lives and is not ready.
		return errors.Join(grpcServer.Shutdown(), web.shutdown(context.WithoutCancel(ctx)))
	})
	return group.Wait()
}
