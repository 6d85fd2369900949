package simulator

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
)

// ErrInvalid is wrapped by every error of Start that the caller's Config is to blame for, so that a command line can
// tell a usage error from a machine that would not play along.
var ErrInvalid = errors.New("invalid simulator configuration")

// Auth says how the clients of the fleet prove who they are.
type Auth string

// Every cluster has credentials of its own, whatever their form: one cluster's are refused by all others.
const (
	AuthToken Auth = "token" // a bearer token a cluster
	AuthCert  Auth = "cert"  // an ECDSA client certificate a cluster
)

// MaxClusters is how many clusters one fleet can hold: the addresses of a network without .0 and .255.
const MaxClusters = 256 * hostsPerSubnet

// Config describes a fleet. Its zero value, apart from Clusters, is a healthy fleet without latency.
type Config struct {
	// Clusters is how many API servers are simulated, 1 to MaxClusters.
	Clusters int
	// Network is the IPv4 network of 16 bits whose addresses the clusters have. The zero value is 127.16.0.0/16, which
	// nobody but this machine reaches. The addresses of any other network have to be this machine's, and whoever has a way
	// to them is served.
	Network netip.Prefix
	// Port of the shared listener; 0 picks a free one.
	Port int
	// Auth is AuthToken when empty.
	Auth Auth
	// Latency is waited before each answer; see ParseLatency.
	Latency Latency
	// Seed decides everything that is drawn at random except key material.
	Seed uint64
	// Scenario holds the faults that begin and end by themselves; nil is none.
	Scenario *Scenario
	// Counts is how many objects of a resource type a cluster holds, by plural name. Types that are not named hold
	// their default; see DefaultCounts.
	Counts map[string]int
	// ObjectBytes is the least size of one object's JSON; 0 leaves objects as small as they are.
	ObjectBytes int
	// OwnPorts gives every cluster a listening socket of its own, so that SetFault can refuse or black-hole any of
	// them. Clusters that a scenario refuses or black-holes have their own port anyway.
	OwnPorts bool
	// Logger receives what goes wrong while the fleet runs; nil discards it.
	Logger *slog.Logger
}

func (c Config) validate() error {
	if c.Clusters < 1 || c.Clusters > MaxClusters {
		return invalid("clusters: %d is not within 1 and %d", c.Clusters, MaxClusters)
	}
	if c.Port < 0 || c.Port > 65535 {
		return invalid("port: %d is not within 0 and 65535", c.Port)
	}
	if c.Auth != AuthToken && c.Auth != AuthCert {
		return invalid("auth: %q is neither %q nor %q", c.Auth, AuthToken, AuthCert)
	}
	if c.ObjectBytes < 0 || c.ObjectBytes > maxObjectBytes {
		return invalid("object bytes: %d is not within 0 and %d", c.ObjectBytes, maxObjectBytes)
	}
	return nil
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrInvalid, fmt.Errorf(format, args...))
}
