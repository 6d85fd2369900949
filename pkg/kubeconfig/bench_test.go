package kubeconfig_test

import (
	"bytes"
	"fmt"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterfleet/clusterfleet/pkg/kubeconfig"
)

// fleetFile returns a kubeconfig as kubectl writes it: a cluster and a user of its own for each context. Texts of
// certificates differ from context to context, as they do where each cluster has its own authority.
func fleetFile(n int, user func(i int) string, ca func(i int) []byte) []byte {
	var w bytes.Buffer
	w.WriteString("apiVersion: v1\nclusters:\n")
	for i := range n {
		fmt.Fprintf(&w, "- cluster:\n    certificate-authority-data: %s\n    server: https://127.%d.%d.%d:6443\n"+
			"    tls-server-name: c%05d.fleet\n  name: c%05d\n", b64(ca(i)), i>>16, i>>8&255, i&255, i, i)
	}
	w.WriteString("contexts:\n")
	for i := range n {
		fmt.Fprintf(&w, "- context:\n    cluster: c%05d\n    extensions:\n    - extension:\n        labels:\n"+
			"          region: eu-%d\n          tier: prod\n      name: clusterfleet\n    user: u%05d\n  name: c%05d\n",
			i, i%7, i, i)
	}
	w.WriteString("current-context: c00000\nkind: Config\npreferences: {}\nusers:\n")
	for i := range n {
		fmt.Fprintf(&w, "- name: u%05d\n  user:\n    %s\n", i, user(i))
	}
	return w.Bytes()
}

// commented returns a PEM text that differs from others with the same block.
func commented(data []byte) func(i int) []byte {
	return func(i int) []byte { return fmt.Appendf(nil, "# %d\n%s", i, data) }
}

func certificateUser(p pair) func(i int) string {
	cert, key := commented(p.cert), b64(p.key)
	return func(i int) string {
		return fmt.Sprintf("client-certificate-data: %s\n    client-key-data: %s", b64(cert(i)), key)
	}
}

func tokenUser(i int) string {
	return fmt.Sprintf("token: eyJhbGciOiJSUzI1NiJ9.%0300d.signature-%d", i, i)
}

// BenchmarkLoad loads 1,000 contexts; beside it what client-go alone takes for the same, without the checks.
func BenchmarkLoad(b *testing.B) {
	ec, rsa := newECDSA(b), newRSA(b)
	for _, c := range []struct {
		name string
		data []byte
	}{
		{"token", fleetFile(1000, tokenUser, commented(rsa.cert))},
		{"ecdsa", fleetFile(1000, certificateUser(ec), commented(ec.cert))},
		{"rsa", fleetFile(1000, certificateUser(rsa), commented(rsa.cert))},
	} {
		file := write(b, b.TempDir(), "config", c.data)
		b.Run(c.name, func(b *testing.B) {
			measureCPU(b, func() {
				if definitions, problems := kubeconfig.Load([]string{file}, kubeconfig.Options{}); len(definitions) != 1000 {
					b.Fatalf("%d definitions, problems:\n%s", len(definitions), lines(problems))
				}
			})
		})
		b.Run(c.name+"/client-go", func(b *testing.B) {
			measureCPU(b, func() {
				config, err := clientcmd.LoadFromFile(file)
				must(b, err)
				for name := range config.Contexts {
					_, err := clientcmd.NewNonInteractiveClientConfig(*config, name, nil, nil).ClientConfig()
					must(b, err)
				}
			})
		})
	}
}

// measureCPU reports the user CPU of an operation beside its wall time, which other work on the machine prolongs.
func measureCPU(b *testing.B, operation func()) {
	b.Helper()
	b.ReportAllocs()
	start := userCPU(b)
	for b.Loop() {
		operation()
	}
	b.ReportMetric(float64(userCPU(b)-start)/float64(time.Millisecond)/float64(b.N), "cpu-ms/op")
}

func userCPU(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano())
}
