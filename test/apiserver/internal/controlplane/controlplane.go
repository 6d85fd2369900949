// Package controlplane runs one real Kubernetes API server with the etcd it stores into, both on loopback. Everything
// of a server lives in one directory and goes with it. There is no scheduler, no controller manager and no node: objects
// stay as they are written.
package controlplane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/clusterfleet/clusterfleet/test/apiserver/internal/binaries"
	"github.com/clusterfleet/clusterfleet/test/apiserver/internal/port"
	"github.com/clusterfleet/clusterfleet/test/apiserver/internal/process"
)

// Config says how to run a server.
type Config struct {
	Name           string
	Dir            string // made by Start, removed by Stop; absolute
	Binaries       binaries.Set
	APIServerFlags []string // after the own ones, so that they win
}

// Server is a running server. It is made by Start and must be ended with Stop.
type Server struct {
	Name string
	URL  string // of the API, https
	Dir  string

	EtcdURL string // of etcd's client API, plain http

	Etcd      *process.Process
	APIServer *process.Process

	credentials credentials
	ports       []*port.Reservation
}

// Start runs a server and returns when it is ready. When ctx ends before, or when a process of it dies, Start cleans up
// and says what the server said last.
func Start(ctx context.Context, config Config) (*Server, error) {
	if err := os.Mkdir(config.Dir, 0o700); err != nil {
		return nil, err
	}
	s := &Server{Name: config.Name, Dir: config.Dir}
	if err := s.start(ctx, config); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", config.Name, err), s.Stop())
	}
	return s, nil
}

func (s *Server) start(ctx context.Context, config Config) error {
	credentials, err := newCredentials(s.Dir, s.Name)
	if err != nil {
		return err
	}
	s.credentials = credentials
	if err := s.startEtcd(ctx, config); err != nil {
		return err
	}
	return s.startAPIServer(ctx, config)
}

// Stop kills both processes and removes the server's directory.
func (s *Server) Stop() error {
	for _, p := range []*process.Process{s.APIServer, s.Etcd} {
		if p != nil {
			p.Kill()
		}
	}
	errs := []error{os.RemoveAll(s.Dir)}
	for _, p := range s.ports {
		errs = append(errs, p.Release())
	}
	return errors.Join(errs...)
}

// reserve keeps a port for the life of the server.
func (s *Server) reserve() (*port.Reservation, error) {
	p, err := port.Reserve()
	if err == nil {
		s.ports = append(s.ports, p)
	}
	return p, err
}

// file returns the path of a file of the server.
func (s *Server) file(name string) string { return filepath.Join(s.Dir, name) }
