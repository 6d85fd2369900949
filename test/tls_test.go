package test_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"testing"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client"
	"github.com/clusterfleet/clusterfleet/pkg/client/clienttest"
	"github.com/clusterfleet/clusterfleet/test/internal/process"
	"github.com/clusterfleet/clusterfleet/test/internal/product"
)

func TestTLS13IsServedAndNothingOlder(t *testing.T) {
	authority := clienttest.NewAuthority(t)
	cert, key := authority.Issue(t, "fleet.test")
	a := programs.Aggregator(t, nobody(t), "--grpc-address", "0.0.0.0:0", "--tls-cert", cert, "--tls-key", key)
	address := "127.0.0.1:" + portOf(t, a.GRPC)

	old := &tls.Config{RootCAs: authorities(t, authority.CAFile), ServerName: "fleet.test", NextProtos: []string{"h2"}, MaxVersion: tls.VersionTLS12}
	if conn, err := tls.Dial("tcp", address, old); err == nil {
		conn.Close()
		t.Error("TLS 1.2 is served")
	}
	exits(t, programs.Run(t, "fleetctl", "--server", address, "--ca-file", authority.CAFile, "--server-name", "fleet.test", "clusters"), 0, "here", "")
	exits(t, programs.Run(t, "fleetctl", "--server", address, "--timeout", "5s", "clusters"), 1, "", "error: ")
	for name, args := range map[string][]string{
		"an authority that has not signed it": {"--ca-file", clienttest.NewAuthority(t).CAFile, "--server-name", "fleet.test"},
		"another name":                        {"--ca-file", authority.CAFile, "--server-name", "elsewhere.test"},
		"the authorities of the system":       {"--server-name", "fleet.test"},
	} {
		t.Run("not to who expects "+name, func(t *testing.T) {
			r := programs.Run(t, "fleetctl", append(args, "--server", address, "--timeout", "5s", "clusters")...)
			exits(t, r, 1, "", "certificate")
			if strings.Count(r.Stderr, "\n") != 1 {
				t.Errorf("got %s", r.Stderr)
			}
		})
	}
}

func TestClientAuthorityDemandsACertificateOfEveryCaller(t *testing.T) {
	authority, stranger := clienttest.NewAuthority(t), clienttest.NewAuthority(t)
	cert, key := authority.Issue(t, "fleet.test")
	myCert, myKey := authority.Issue(t, "me")
	theirCert, theirKey := stranger.Issue(t, "me")
	a := programs.Aggregator(t, nobody(t), "--tls-cert", cert, "--tls-key", key, "--client-ca", authority.CAFile)
	server := []string{"--ca-file", authority.CAFile, "--server-name", "fleet.test", "--timeout", "5s", "clusters"}

	exits(t, a.Fleetctl(t, server...), 4, "", "error: cannot reach the aggregator at "+a.GRPC)
	exits(t, a.Fleetctl(t, append(server, "--tls-cert", theirCert, "--tls-key", theirKey)...), 4, "", "error: cannot reach the aggregator at "+a.GRPC)
	exits(t, a.Fleetctl(t, append(server, "--tls-cert", myCert, "--tls-key", myKey)...), 0, "here", "")

	caller := dialTLS(t, a, client.TLS{CAFile: authority.CAFile, ServerName: "fleet.test", CertFile: myCert, KeyFile: myKey})
	if c, err := caller.GetCluster(t.Context(), "here"); err != nil || c.GetName() != "here" {
		t.Errorf("got %v, %v", c, err)
	}
}

func TestReplacedCertificateIsForNewConnectionsAndDropsNoStream(t *testing.T) {
	simulation := programs.Simulation(t, "faults: [{clusters: '*', fault: slow, latency: 3s, paths: [/api/v1/pods]}]", "--clusters", "2")
	authority, renewed := clienttest.NewAuthority(t), clienttest.NewAuthority(t)
	cert, key := authority.Issue(t, "fleet.test")
	a := programs.Aggregator(t, simulation.Kubeconfig, "--tls-cert", cert, "--tls-key", key)
	old := dialTLS(t, a, client.TLS{CAFile: authority.CAFile, ServerName: "fleet.test"})

	stream := old.FetchManifests(t.Context(), &fleetv1.FetchManifestsRequest{ResourceType: &fleetv1.ResourceType{Resource: "pods"}})
	for event, err := range stream.Events() {
		if err != nil {
			t.Fatal(err)
		}
		if event.GetStarted() == nil {
			continue
		}
		newCert, newKey := renewed.Issue(t, "fleet.test")
		replaceFile(t, cert, newCert)
		replaceFile(t, key, newKey)
		if err := process.Poll(t.Context(), func() (bool, error) { // the files are read once a second
			r := a.Fleetctl(t, "--ca-file", renewed.CAFile, "--server-name", "fleet.test", "clusters")
			return r.Code == 0, fmt.Errorf("with the new authority: exit code %d, %s", r.Code, r.Stderr)
		}); err != nil {
			t.Fatal(err)
		}
		exits(t, a.Fleetctl(t, "--ca-file", authority.CAFile, "--server-name", "fleet.test", "--timeout", "5s", "clusters"), 1, "", "certificate")
	}
	if got := stream.Summary(); got.GetSucceeded() != 2 || got.GetItems() == 0 {
		t.Errorf("the stream that was open ended with %v", got)
	}
}

func dialTLS(t *testing.T, a *product.Aggregator, secure client.TLS) *client.Client {
	t.Helper()
	c, err := client.Dial(a.GRPC, client.WithTLS(secure))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func portOf(t *testing.T, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return port
}
