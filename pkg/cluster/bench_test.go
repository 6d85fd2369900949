//go:build unix

package cluster_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// benchClusters is how many connections the benchmarks go over in turn: as in a fleet, none of them is in the cache.
const benchClusters = 1000

const bareRequest = "GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nAccept: application/json\r\n" +
	"Authorization: Bearer 0123456789abcdef\r\n\r\n"

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

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func heap() float64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapInuse + stats.StackInuse)
}

// bareConns are kept TLS connections and nothing else.
func bareConns(b *testing.B, address string, ca []byte) []*tls.Conn {
	b.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		b.Fatal("no certificate")
	}
	conns := make([]*tls.Conn, benchClusters)
	for i := range conns {
		conn, err := tls.Dial("tcp", address, &tls.Config{RootCAs: roots})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = conn.Close() })
		conns[i] = conn
	}
	return conns
}

func warmClients(b *testing.B, address string, ca []byte) []*cluster.Client {
	b.Helper()
	clients := make([]*cluster.Client, benchClusters)
	for i := range clients {
		clients[i] = newClient(b, &rest.Config{
			Host: "https://" + address, BearerToken: "0123456789abcdef", TLSClientConfig: rest.TLSClientConfig{CAData: ca},
		})
		probeHealthy(b, clients[i])
	}
	return clients
}

func probeHealthy(b *testing.B, client *cluster.Client) {
	b.Helper()
	v, err := client.Probe(b.Context(), cluster.Quick, cluster.DefaultProbeTimeout)
	if err != nil || v.State != cluster.Healthy {
		b.Fatal(err, v)
	}
}

func bareExchange(b *testing.B, conn *tls.Conn, buffer []byte) {
	b.Helper()
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
}

// BenchmarkQuickProbe is a warm quick probe of one cluster after another, and in turn with it its floor: a Write and a Read
// on a kept TLS connection. Both are measured in CPU time of this process; the server is another one.
func BenchmarkQuickProbe(b *testing.B) {
	address, ca := startServerProcess(b)
	empty := heap()
	conns := bareConns(b, address, ca)
	bare := heap()
	clients := warmClients(b, address, ca)
	warm := heap()
	buffer := make([]byte, 4096)
	var floor, probes time.Duration
	b.ResetTimer()
	for done := 0; done < b.N; {
		batch := min(benchClusters, b.N-done)
		start := cpuTime(b)
		for i := range batch {
			bareExchange(b, conns[i], buffer)
		}
		between := cpuTime(b)
		for i := range batch {
			probeHealthy(b, clients[i])
		}
		floor += between - start
		probes += cpuTime(b) - between
		done += batch
	}
	b.ReportMetric(float64(floor.Nanoseconds())/1e3/float64(b.N), "floor-cpu-us/op")
	b.ReportMetric(float64(probes.Nanoseconds())/1e3/float64(b.N), "cpu-us/op")
	b.ReportMetric(float64(probes)/float64(floor), "ratio")
	b.ReportMetric((bare-empty)/benchClusters, "floor-B/conn")
	b.ReportMetric((warm-bare)/benchClusters, "B/cluster")
}
