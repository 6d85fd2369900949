package server

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"time"

	grpcprometheus "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
)

// Options are the server's settings.
type Options struct {
	// TLS is the server's configuration; nil serves plaintext.
	TLS *tls.Config
	// Log gets a line a call, by its level only for those that failed; nil discards it.
	Log *slog.Logger
	// Metrics gets the server's metrics; nil: they are counted and not shown.
	Metrics prometheus.Registerer
	// SecretData lets callers ask for the data of Secrets; without it such a request is refused.
	SecretData bool
	// Monitor is the fleet's continuous health; nil: the calls that tell of it are refused.
	Monitor Monitor
	// History keeps the transitions of the clusters' states; nil: they cannot be asked for.
	History History
}

// Server serves fleet.v1, grpc.health.v1 and reflection.
type Server struct {
	grpc   *grpc.Server
	health *health.Server
	life   *lifetime
}

// New returns a server of the fleet. It does not listen yet.
func New(f *fleet.Fleet, options Options) (*Server, error) {
	calls := newCallMetrics()
	return newServer(options, calls, func(r grpc.ServiceRegistrar) {
		fleetv1.RegisterHealthServiceServer(r, &healthService{probes: probes{fleet: f}, monitored: newMonitored(f, options, calls)})
		fleetv1.RegisterClusterServiceServer(r, &clusters{fleet: f})
		fleetv1.RegisterManifestServiceServer(r, &manifests{watched: watched{options.Monitor}, fleet: f, secretData: options.SecretData})
		fleetv1.RegisterWorkloadServiceServer(r, &workloads{watched: watched{options.Monitor}, fleet: f})
		fleetv1.RegisterFleetServiceServer(r, newOverviews(f, options))
	})
}

// newServer returns a server of the services that register registers, health and reflection.
func newServer(options Options, calls *callMetrics, register func(grpc.ServiceRegistrar)) (*Server, error) {
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	metrics := grpcprometheus.NewServerMetrics(grpcprometheus.WithServerHandlingTimeHistogram())
	life := newLifetime(context.Background(), calls)
	chain, err := interceptors(options.Log, metrics, life)
	if err != nil {
		return nil, err
	}
	s := &Server{
		grpc:   grpc.NewServer(append(transportOptions(options.TLS), chain...)...),
		health: health.NewServer(),
		life:   life,
	}
	register(s.grpc)
	healthpb.RegisterHealthServer(s.grpc, s.health)
	for name := range s.grpc.GetServiceInfo() {
		s.health.SetServingStatus(name, healthpb.HealthCheckResponse_SERVING)
	}
	reflection.Register(s.grpc)
	metrics.InitializeMetrics(s.grpc)
	if options.Metrics != nil {
		if err := errors.Join(options.Metrics.Register(metrics), calls.register(options.Metrics)); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// SetServing lets grpc.health.v1 tell whether a part of the process works, by a name that is no service's.
func (s *Server) SetServing(name string, serving bool) {
	status := healthpb.HealthCheckResponse_NOT_SERVING
	if serving {
		status = healthpb.HealthCheckResponse_SERVING
	}
	s.health.SetServingStatus(name, status)
}

// Serve answers on the listener until Shutdown.
func (s *Server) Serve(listener net.Listener) error {
	if err := s.grpc.Serve(listener); !errors.Is(err, grpc.ErrServerStopped) {
		return err
	}
	return nil
}

// Shutdown ends the server: health turns to NOT_SERVING, new calls are refused, those under way get a while to end and are
// then ended with UNAVAILABLE, and connections are closed. It takes at most 25 s, whatever handlers do, and reports
// whether handlers had to be left behind.
func (s *Server) Shutdown() error {
	s.health.Shutdown()
	within(drainTime, s.life.drain())
	s.life.stop(errStopping)
	if within(endTime, background(s.grpc.GracefulStop)) || within(stopTime, background(s.grpc.Stop)) {
		return nil
	}
	return errors.New("handlers did not end in time and were left behind")
}

// background returns a channel that is closed when wait returns.
func background(wait func()) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		wait()
	}()
	return done
}

// within reports whether done is closed before the time is over.
func within(limit time.Duration, done <-chan struct{}) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}
