package controlplane

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"strconv"

	"github.com/clusterfleet/clusterfleet/test/apiserver/internal/process"
)

// startAPIServer runs kube-apiserver and waits until it is ready and has made the namespace default, which it does a
// moment later.
func (s *Server) startAPIServer(ctx context.Context, config Config) error {
	port, err := s.reserve()
	if err != nil {
		return err
	}
	s.URL = "https://" + port.Address()
	c := s.credentials
	flags := []string{
		"--etcd-servers=" + s.EtcdURL,
		"--bind-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(port.Port()),
		"--permit-port-sharing",
		// Nobody finds this server by a Service, and a machine without a network has no other address to offer.
		"--advertise-address=127.0.0.1",
		"--endpoint-reconciler-type=none",
		"--service-cluster-ip-range=10.0.0.0/24",

		"--cert-dir=" + s.Dir,
		"--tls-cert-file=" + c.servingCertFile,
		"--tls-private-key-file=" + c.servingKeyFile,

		"--client-ca-file=" + c.clientCAFile,
		"--token-auth-file=" + c.tokenFile,
		"--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + c.serviceAccountKeyFile,
		"--service-account-signing-key-file=" + c.serviceAccountKeyFile,
		// It would refuse pods: nobody makes the service accounts they ask for.
		"--disable-admission-plugins=ServiceAccount",
	}
	s.APIServer, err = process.Start(s.apiServerLogFile(), config.Binaries.KubeAPIServer,
		append(flags, config.APIServerFlags...)...)
	if err != nil {
		return err
	}
	transport, err := trusting(c.caFile)
	if err != nil {
		return err
	}
	defer transport.CloseIdleConnections()
	for _, path := range []string{"/readyz", "/api/v1/namespaces/default"} {
		if err := wait(ctx, s.APIServer, get(transport, s.URL+path, c.tokens["admin"])); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) apiServerLogFile() string { return s.file("kube-apiserver.log") }

// trusting returns a transport that accepts certificates of one authority only.
func trusting(caFile string) (*http.Transport, error) {
	ca, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}, nil
}
