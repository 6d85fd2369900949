package controlplane

import (
	"context"
	"net/http"

	"github.com/clusterfleet/clusterfleet/test/apiserver/internal/process"
)

// startEtcd runs a single-member etcd that never waits for the disk: its data is worth nothing after a crash.
func (s *Server) startEtcd(ctx context.Context, config Config) error {
	port, err := s.reserve()
	if err != nil {
		return err
	}
	s.EtcdURL = "http://" + port.Address()
	s.Etcd, err = process.Start(s.etcdLogFile(), config.Binaries.Etcd,
		"--data-dir="+s.file("etcd"),
		"--listen-client-urls="+s.EtcdURL,
		"--advertise-client-urls="+s.EtcdURL,
		"--listen-peer-urls=http://127.0.0.1:0", // there are no peers; any port does
		"--socket-reuse-port",
		"--unsafe-no-fsync",
		"--log-level=warn",
	)
	if err != nil {
		return err
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	return wait(ctx, s.Etcd, get(transport, s.EtcdURL+"/health", ""))
}

func (s *Server) etcdLogFile() string { return s.file("etcd.log") }
