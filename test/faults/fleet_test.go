package faults_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
	"k8s.io/client-go/tools/clientcmd"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/canary"
	"github.com/clusterfleet/clusterfleet/test/internal/process"
	"github.com/clusterfleet/clusterfleet/test/internal/product"
)

// subject is an aggregator that watches a simulated fleet, with what looks for the fleet's secrets in all that it tells.
type subject struct {
	*product.Aggregator

	fleet      *simulator.Fleet
	kubeconfig string
	dataDir    string
	cage       *canary.Cage

	health    fleetv1.HealthServiceClient
	manifests fleetv1.ManifestServiceClient
	overview  fleetv1.FleetServiceClient
}

// start brings up a fleet in this process, so that faults come and go at known times, and an aggregator beside it.
func start(t *testing.T, config simulator.Config, flags ...string) *subject {
	t.Helper()
	config.OwnPorts = true // each of them can be refused or black-holed
	fleet, err := simulator.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := fleet.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &subject{fleet: fleet, dataDir: t.TempDir(), kubeconfig: filepath.Join(t.TempDir(), "fleet.kubeconfig")}
	if err := fleet.WriteKubeconfig(s.kubeconfig); err != nil {
		t.Fatal(err)
	}
	if s.cage, err = canary.New(secretsOf(t, fleet)...); err != nil {
		t.Fatal(err)
	}
	s.Aggregator = programs.Aggregator(t, s.kubeconfig, append([]string{"--data-dir", s.dataDir, "--log-level", "debug"}, flags...)...)
	connection, err := grpc.NewClient("passthrough:///"+s.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithChainUnaryInterceptor(s.lookAtAnswer), grpc.WithChainStreamInterceptor(s.lookAtStream))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	s.health, s.manifests = fleetv1.NewHealthServiceClient(connection), fleetv1.NewManifestServiceClient(connection)
	s.overview = fleetv1.NewFleetServiceClient(connection)
	return s
}

// secretsOf returns every credential of a fleet, and the data of the Secrets that its clusters hold.
func secretsOf(t *testing.T, fleet *simulator.Fleet) []canary.Secret {
	t.Helper()
	config, err := clientcmd.Load(fleet.Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	secrets := []canary.Secret{{Name: "the Secrets in the clusters", Text: "not-a-real-password-"}}
	for name, user := range config.AuthInfos {
		for _, text := range []string{user.Token, string(user.ClientKeyData)} {
			if text != "" {
				secrets = append(secrets, canary.Secret{Name: name, Text: text})
			}
		}
	}
	return secrets
}

// awaitHealthy waits until the monitor has found every cluster healthy.
func (s *subject) awaitHealthy(t *testing.T) {
	t.Helper()
	err := process.Poll(t.Context(), func() (bool, error) {
		all, err := s.list(t.Context())
		if err != nil {
			return false, err
		}
		for _, h := range all {
			if h.GetState() != fleetv1.Verdict_STATE_HEALTHY {
				return false, fmt.Errorf("%s is %s", h.GetCluster(), h.GetState())
			}
		}
		return len(all) == len(s.fleet.Names()), nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// list returns the health of the whole fleet.
func (s *subject) list(ctx context.Context) (all []*fleetv1.ClusterHealth, err error) {
	request := &fleetv1.ListClusterHealthRequest{PageSize: 1000}
	for {
		page, err := s.health.ListClusterHealth(ctx, request)
		if err != nil {
			return nil, err
		}
		all = append(all, page.GetClusters()...)
		if request.PageToken = page.GetNextPageToken(); request.GetPageToken() == "" {
			return all, nil
		}
	}
}

// transitions returns the whole history, the latest first.
func (s *subject) transitions(ctx context.Context) (all []*fleetv1.Transition, err error) {
	request := &fleetv1.ListTransitionsRequest{PageSize: 1000}
	for {
		page, err := s.health.ListTransitions(ctx, request)
		if err != nil {
			return nil, err
		}
		all = append(all, page.GetTransitions()...)
		if request.PageToken = page.GetNextPageToken(); request.GetPageToken() == "" {
			return all, nil
		}
	}
}

func (s *subject) lookAtAnswer(ctx context.Context, method string, request, answer any, c *grpc.ClientConn, call grpc.UnaryInvoker, options ...grpc.CallOption) error {
	err := call(ctx, method, request, answer, c, options...)
	s.lookAt(method, answer, err)
	return err
}

func (s *subject) lookAtStream(ctx context.Context, d *grpc.StreamDesc, c *grpc.ClientConn, method string, call grpc.Streamer, options ...grpc.CallOption) (grpc.ClientStream, error) {
	stream, err := call(ctx, d, c, method, options...)
	if err != nil {
		return nil, err
	}
	return &looked{stream, s, method}, nil
}

// looked is a stream whose messages are looked through for secrets.
type looked struct {
	grpc.ClientStream

	subject *subject
	method  string
}

// RecvMsg implements grpc.ClientStream.
func (l *looked) RecvMsg(message any) error {
	err := l.ClientStream.RecvMsg(message)
	l.subject.lookAt(l.method, message, err)
	return err
}

// lookAt looks for secrets in an answer: in protobuf a text stands as it is.
func (s *subject) lookAt(method string, message any, err error) {
	if err != nil {
		s.cage.Look(method, []byte(err.Error()))
		return
	}
	data, err := proto.Marshal(message.(proto.Message))
	if err != nil {
		panic(errors.Join(errors.New("a message that was received"), err))
	}
	s.cage.Look(method, data)
}
