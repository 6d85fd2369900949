package test_test

import (
	"os"
	"strings"
	"testing"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/internal/realkube"
)

func kubeconfigOfAllSorts(t *testing.T, fleet *realkube.Fleet) {
	one, two, three := fleet.Servers[0], fleet.Servers[1], fleet.Servers[2]
	t.Run("two files and every kind of credential", func(t *testing.T) {
		files := contextOf("certificate-files", one)
		files.user = map[string]any{"client-certificate": one.ClientCertFile, "client-key": one.ClientKeyFile}
		inline := contextOf("certificate-inline", two)
		inline.cluster = map[string]any{"server": two.URL, "certificate-authority-data": readFile(t, two.CAFile)}
		inline.user = map[string]any{"client-certificate-data": readFile(t, two.ClientCertFile), "client-key-data": readFile(t, two.ClientKeyFile)}
		tokenFile := contextOf("arn:aws:eks:eu-1:1:cluster/token-file", three)
		tokenFile.user = map[string]any{"tokenFile": writeFile(t, "token", three.Token+"\n")}
		list := writeKubeconfig(t, files, tokenFile) + string(os.PathListSeparator) + writeKubeconfig(t, inline, contextOf("token", three))
		a := programs.Aggregator(t, list)
		results, _ := probe(t, a, 0)
		for _, name := range []string{"certificate-files", "certificate-inline", "arn:aws:eks:eu-1:1:cluster/token-file", "token"} {
			fullyHealthy(t, results[name])
		}
		expires := false
		for _, e := range results["certificate-inline"].GetObservation().GetVerdict().GetExpiries() {
			expires = expires || e.GetKind() == fleetv1.Expiry_KIND_CLIENT_CERTIFICATE
		}
		if !expires {
			t.Error("the end of the client certificate is not told")
		}
	})
	t.Run("broken contexts among good ones", func(t *testing.T) {
		noCA := contextOf("no-ca", one)
		noCA.cluster["certificate-authority"] = "/missing/ca.crt"
		notPEM := contextOf("not-pem", one)
		notPEM.cluster = map[string]any{"server": one.URL, "certificate-authority-data": []byte("no certificate")}
		noServer := contextOf("no-server", one)
		delete(noServer.cluster, "server")
		proxy := contextOf("behind-proxy", one)
		proxy.cluster["proxy-url"] = "http://127.0.0.1:3128"
		insecure := contextOf("insecure", one)
		insecure.cluster = map[string]any{"server": one.URL, "insecure-skip-tls-verify": true}
		noCluster := contextOf("no-cluster", one)
		noCluster.context = map[string]any{"cluster": "gone"}
		broken := []entry{noCA, notPEM, noServer, proxy, insecure, noCluster}
		notParsed := writeFile(t, "notes.txt", "contexts: [oops\n")
		list := writeKubeconfig(t, append([]entry{contextOf("good", one)}, broken...)...) + ":" + notParsed + ":/missing/kubeconfig"
		a := programs.Aggregator(t, list)
		for _, wanted := range []string{"no-ca", "not-pem", "no-server", "behind-proxy", "insecure", "no-cluster", notParsed, "/missing/kubeconfig"} {
			lines := 0
			for line := range strings.Lines(a.Stderr.String()) {
				if strings.Contains(line, "level=WARN") && (strings.Contains(line, `context \"`+wanted+`\"`) || strings.Contains(line, "problem=\""+wanted)) {
					lines++
				}
			}
			if lines != 1 {
				t.Errorf("%d lines about %s in\n%s", lines, wanted, a.Stderr)
			}
		}
		results, summary := probe(t, a, 0)
		fullyHealthy(t, results["good"])
		if summary.GetExpected() != 1 {
			t.Errorf("got %v", summary)
		}
	})
	t.Run("no verification is accepted where the operator says so", func(t *testing.T) {
		insecure := contextOf("insecure", one)
		insecure.cluster = map[string]any{"server": one.URL, "insecure-skip-tls-verify": true}
		a := programs.Aggregator(t, writeKubeconfig(t, insecure), "--allow-insecure-skip-tls-verify")
		results, _ := probe(t, a, 0)
		fullyHealthy(t, results["insecure"])
	})
	t.Run("labels select clusters", func(t *testing.T) {
		a := programs.Aggregator(t, writeKubeconfig(t,
			contextOf("eu", one).labels(map[string]string{"region": "eu", "env": "prod"}),
			contextOf("us", two).labels(map[string]string{"region": "us", "env": "prod"}), contextOf("lab", three)))
		exits(t, a.Fleetctl(t, "clusters", "-l", "env=prod,region!=us", "-o", "name"), 0, "eu\n", "")
		results, _ := probe(t, a, 0, "-l", "env")
		if len(results) != 2 || results["lab"] != nil {
			t.Errorf("got %v", results)
		}
		exits(t, a.Fleetctl(t, "get", "namespaces", "--clusters", "!env", "-o", "name"), 0, "lab\tnamespace/default\n", "")
	})
	t.Run("none usable", func(t *testing.T) {
		broken := contextOf("broken", one)
		delete(broken.cluster, "server")
		for _, file := range []string{writeKubeconfig(t, broken), writeFile(t, "notes.txt", "no: [kubeconfig"), writeFile(t, "empty", ""), "/missing"} {
			r := programs.Run(t, "aggregator", "--kubeconfig", file, "--grpc-address", "127.0.0.1:0", "--http-address", "")
			exits(t, r, 1, "", "aggregator: no usable cluster in "+file)
			if lines := strings.Count(r.Stderr, "\n"); lines != 2 || strings.Count(r.Stderr, file) < 2 {
				t.Errorf("%d lines, want one that says what is wrong and the last:\n%s", lines, r.Stderr)
			}
		}
	})
	t.Run("a credential plugin that is not allowed is not run", func(t *testing.T) {
		ran := writeFile(t, "ran", "")
		plugin := writeFile(t, "plugin.sh", "#!/bin/sh\necho x >> "+ran+"\n")
		if err := os.Chmod(plugin, 0o700); err != nil {
			t.Fatal(err)
		}
		exec := contextOf("exec", one)
		exec.user = map[string]any{"exec": map[string]any{
			"apiVersion": "client.authentication.k8s.io/v1", "command": plugin, "interactiveMode": "Never",
		}}
		a := programs.Aggregator(t, writeKubeconfig(t, contextOf("good", one), exec))
		probe(t, a, 0)
		if readFile(t, ran) != nil && len(readFile(t, ran)) > 0 {
			t.Error("the plugin was run")
		}
		a = programs.Aggregator(t, writeKubeconfig(t, contextOf("good", one), exec), "--credential-plugin", plugin)
		results, _ := probe(t, a, 3)
		verdict(t, results["exec"], fleetv1.Verdict_STATE_UNAUTHORIZED, fleetv1.Verdict_REASON_CREDENTIAL_PLUGIN_FAILED)
		if len(readFile(t, ran)) == 0 {
			t.Error("the plugin was not run, though it is allowed")
		}
	})
}

func readFile(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
