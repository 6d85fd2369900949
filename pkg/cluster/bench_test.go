package cluster_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// serverProcess is the environment variable that makes the test binary the server of the benchmarks, so that what they
// measure is our side's CPU alone.
const serverProcess = "CLUSTER_TEST_SERVER"

// benchClusters is how many connections the benchmarks go over in turn: as in a fleet, none of them is in the cache.
const benchClusters = 1000

// readyAnswer is a readiness answer as kube-apiserver sends it.
const readyAnswer = "HTTP/1.1 200 OK\r\n" +
	"Audit-Id: 7d2ba33c-8e0a-4c04-8a1b-1ab06f5b3f9c\r\n" +
	"Cache-Control: no-cache, private\r\n" +
	"Content-Type: text/plain; charset=utf-8\r\n" +
	"X-Content-Type-Options: nosniff\r\n" +
	"X-Kubernetes-Pf-Flowschema-Uid: 4c2ab1ae-7a35-4b02-94ab-8b7ee62d4d05\r\n" +
	"X-Kubernetes-Pf-Prioritylevel-Uid: 0bcd8c96-1c5c-4e1d-a0e2-2d35a3c4f1ae\r\n" +
	"Date: Tue, 01 Sep 2026 12:00:00 GMT\r\n" +
	"Content-Length: 2\r\n\r\nok"

const bareRequest = "GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nAccept: application/json\r\n" +
	"Authorization: Bearer 0123456789abcdef\r\n\r\n"

// runServerProcess serves readyAnswer until its standard input ends.
func runServerProcess() int {
	ca := newAuthority("bench CA")
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{ca.serving("127.0.0.1")}})
	if err != nil {
		return 1
	}
	fmt.Printf("%s\n%s\n\n", listener.Addr(), ca.pem()) //nolint:forbidigo // it is how the parent learns the address
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serveReady(conn)
		}
	}()
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

func serveReady(conn net.Conn) {
	defer conn.Close()
	var pending []byte
	buffer := make([]byte, 4096)
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return
		}
		pending = append(pending, buffer[:n]...)
		for {
			end := bytes.Index(pending, []byte("\r\n\r\n"))
			if end < 0 {
				break
			}
			pending = append(pending[:0], pending[end+4:]...)
			if _, err := io.WriteString(conn, readyAnswer); err != nil {
				return
			}
		}
	}
}

// startServerProcess returns the address and the certificate authority of a server in another process.
func startServerProcess(b *testing.B) (address string, ca []byte) {
	b.Helper()
	command := exec.Command(os.Args[0], "-test.run=^$") //nolint:gosec // it is this program
	command.Env = append(os.Environ(), serverProcess+"=1")
	stdin, err := command.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = stdin.Close()
		_ = command.Wait()
	})
	r := bufio.NewReader(stdout)
	address, err = r.ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	var certificate strings.Builder
	for !strings.Contains(certificate.String(), "END CERTIFICATE") {
		line, err := r.ReadString('\n')
		if err != nil {
			b.Fatal(err)
		}
		certificate.WriteString(line)
	}
	return strings.TrimSpace(address), []byte(certificate.String())
}

// measure runs work b.N times and reports the process's CPU time for each.
func measure(b *testing.B, work func(i int)) {
	b.Helper()
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime(b)
	for i := range b.N {
		work(i)
	}
	used := cpuTime(b) - before
	b.StopTimer()
	b.ReportMetric(float64(used.Nanoseconds())/1e3/float64(b.N), "cpu-us/op")
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkBareLoop is the floor of a warm probe: a Write and a Read on a kept TLS connection.
func BenchmarkBareLoop(b *testing.B) {
	address, ca := startServerProcess(b)
	roots := x509.NewCertPool()
	block, _ := pem.Decode(ca)
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		b.Fatal(err)
	}
	roots.AddCert(certificate)
	conns := make([]*tls.Conn, benchClusters)
	for i := range conns {
		if conns[i], err = tls.Dial("tcp", address, &tls.Config{RootCAs: roots}); err != nil {
			b.Fatal(err)
		}
		defer conns[i].Close()
	}
	buffer := make([]byte, 4096)
	measure(b, func(i int) {
		conn := conns[i%benchClusters]
		if _, err := io.WriteString(conn, bareRequest); err != nil {
			b.Fatal(err)
		}
		for got := 0; got < len(readyAnswer); {
			n, err := conn.Read(buffer)
			if err != nil {
				b.Fatal(err)
			}
			got += n
		}
	})
}

// BenchmarkQuickProbe is a warm quick probe of one cluster after another.
func BenchmarkQuickProbe(b *testing.B) {
	address, ca := startServerProcess(b)
	clients := make([]*cluster.Client, benchClusters)
	for i := range clients {
		client, err := cluster.New(cluster.Definition{
			Name: fmt.Sprintf("c%d", i),
			Config: &rest.Config{
				Host:            "https://" + address,
				BearerToken:     "0123456789abcdef",
				TLSClientConfig: rest.TLSClientConfig{CAData: ca},
			},
		}, cluster.Options{UserAgent: "bench"})
		if err != nil {
			b.Fatal(err)
		}
		defer client.Close()
		clients[i] = client
		probeHealthy(b, client)
	}
	measure(b, func(i int) { probeHealthy(b, clients[i%benchClusters]) })
}

func probeHealthy(b *testing.B, client *cluster.Client) {
	v, err := client.Probe(b.Context(), cluster.Quick, cluster.DefaultProbeTimeout)
	if err != nil || v.State != cluster.Healthy {
		b.Fatal(err, v)
	}
}
