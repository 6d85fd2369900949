package kubeconfig_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
	"github.com/clusterfleet/clusterfleet/pkg/kubeconfig"
)

// dialects are kubeconfigs as the tools in use write them, by tool. The files that they name are in the same folder, and hold the
// given pair.
func dialects(t testing.TB, own pair) map[string]string {
	t.Helper()
	ec, rsa, ed := newECDSA(t), newRSA(t), newEd25519(t)
	ca := b64(rsa.cert)
	eks := "arn:aws:eks:eu-central-1:123456789012:cluster/prod"
	gke := "gke_project_europe-west3_prod"
	return map[string]string{
		"eks": fmt.Sprintf(`apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: %s
    server: https://ABCDEF0123456789.gr7.eu-central-1.eks.amazonaws.com
  name: %[2]s
contexts:
- context:
    cluster: %[2]s
    user: %[2]s
  name: %[2]s
current-context: %[2]s
kind: Config
preferences: {}
users:
- name: %[2]s
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      args:
      - --region
      - eu-central-1
      - eks
      - get-token
      - --cluster-name
      - prod
      command: aws
      env:
      - name: AWS_PROFILE
        value: prod
`, ca, eks),
		"gke": fmt.Sprintf(`apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: %s
    server: https://203.0.113.7
    extensions:
    - name: client.authentication.k8s.io/exec
      extension:
        audience: 06e3fbd18de8
        nested: {list: [1, 2, true, null, "x"]}
  name: %[2]s
contexts:
- context: {cluster: %[2]s, user: %[2]s, namespace: team-a}
  name: %[2]s
kind: Config
users:
- name: %[2]s
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: gke-gcloud-auth-plugin
      installHint: |-
        Install gke-gcloud-auth-plugin for use with kubectl by following
        https://cloud.google.com/blog/ `+"\"\\e[1m\""+`
      provideClusterInfo: true
      interactiveMode: IfAvailable
`, ca, gke),
		"aks": fmt.Sprintf(`apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: %s
    server: https://prod-dns-1a2b3c4d.hcp.westeurope.azmk8s.io:443
  name: prod
contexts:
- context:
    cluster: prod
    user: clusterUser_rg_prod
  name: prod
- context:
    cluster: prod
    user: clusterAdmin_rg_prod
  name: prod-admin
kind: Config
users:
- name: clusterUser_rg_prod
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      args: [get-token, --environment, AzurePublicCloud, --server-id, 6dae42f8, -l, azurecli]
      command: kubelogin
      env: null
      provideClusterInfo: false
- name: clusterAdmin_rg_prod
  user:
    client-certificate-data: %s
    client-key-data: %s
    token: abcdef0123456789
`, ca, b64(rsa.cert), b64(rsa.key)),
		"kind": fmt.Sprintf("apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: %s\n"+
			"    server: https://127.0.0.1:36443\n  name: kind-kind\ncontexts:\n- context:\n    cluster: kind-kind\n"+
			"    user: kind-kind\n  name: kind-kind\ncurrent-context: kind-kind\nkind: Config\nusers:\n- name: kind-kind\n"+
			"  user:\n    client-certificate-data: %s\n    client-key-data: %s\n", ca, b64(rsa.cert),
			b64(inPEM("PRIVATE KEY", inPKCS8(t, rsa.signer)))),
		"k3s": fmt.Sprintf("apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: %s\n"+
			"    server: https://127.0.0.1:6443\n  name: default\ncontexts:\n- context:\n    cluster: default\n"+
			"    user: default\n  name: default\ncurrent-context: default\nkind: Config\npreferences: {}\nusers:\n"+
			"- name: default\n  user:\n    client-certificate-data: %s\n    client-key-data: %s\n",
			b64(ec.cert), b64(ec.cert), b64(ec.key)),
		"minikube": `apiVersion: v1
clusters:
- cluster:
    certificate-authority: tls/ca.crt
    extensions:
    - extension:
        last-update: Mon, 02 Jan 2006 15:04:05 UTC
        provider: minikube.sigs.k8s.io
        version: v1.37.0
      name: cluster_info
    server: https://192.168.49.2:8443
  name: minikube
contexts:
- context:
    cluster: minikube
    extensions:
    - extension: {provider: minikube.sigs.k8s.io}
      name: context_info
    namespace: default
    user: minikube
  name: minikube
kind: Config
users:
- name: minikube
  user:
    client-certificate: tls/client.crt
    client-key: ./tls/client.key
`,
		"rancher": oneContext(goodContext, `{server: "https://rancher.example/k8s/clusters/c-m-abc def"}`, `{token: "kubeconfig-user-abc:xyz"}`),
		"json": fmt.Sprintf("{\n \"kind\": \"Config\",\n \"apiVersion\": \"v1\",\n \"clusters\": [{\"name\": \"k\", \"cluster\": {\n"+
			"  \"server\": \"https://api.example/\",\n  \"certificate-authority-data\": \"%s\"\n }}],\n"+
			" \"users\": [{\"name\":\"u\",\"user\":{\"token\":\"%080d\"}}],\n"+
			" \"contexts\": [{\"name\":\"c\",\"context\":{\"cluster\":\"k\",\"user\":\"u\"}}]\n}\n", ca, 7),
		"flow": "\n{kind: Config, clusters: [{name: k, cluster: {server: https://api.example}}], users: [{name: u, user: {token: t}}]," +
			" contexts: [{name: c, context: {cluster: k, user: u}}]}",
		"quoted and folded": oneContext(goodContext, "{server: 'https://api.example', certificate-authority-data: \""+ca+"\"}",
			"\n    client-certificate-data: >-\n      "+b64(ed.cert)+"\n    client-key-data: '"+b64(ed.key)+"'"),
		"long words everywhere": oneContext(goodContext, goodCluster, fmt.Sprintf("\n    token: eyJ%080d\n    as: user-%080d\n"+
			"    as-groups: [\"g-%080d\"]\n    as-user-extra:\n      \"k\": [\"e-%080d\"]\n    as-uid: uid-%080d\n", 1, 2, 3, 4, 5)),
		"token":        oneContext("{cluster: k, user: u, namespace: team-a}", goodCluster, goodUser),
		"token file":   oneContext(goodContext, goodCluster, "{tokenFile: token}"),
		"both tokens":  oneContext(goodContext, goodCluster, "{token: t0ken, tokenFile: not-there-yet}"),
		"basic":        oneContext(goodContext, goodCluster, "{username: admin, password: s3cret}"),
		"anonymous":    oneContext("{cluster: k}", goodCluster, "{}"),
		"key alone":    oneContext(goodContext, goodCluster, "{client-key-data: "+b64(ec.key)+"}"),
		"impersonate":  oneContext(goodContext, goodCluster, "{token: t, as: jane, as-uid: u1, as-groups: [a, b], as-user-extra: {scopes: [read, write]}}"),
		"server name":  oneContext(goodContext, "{server: 'https://10.0.0.1:6443', tls-server-name: api.example, disable-compression: true}", goodUser),
		"path":         oneContext(goodContext, "{server: 'https://proxy.example/clusters/a%20b/'}", goodUser),
		"plain http":   oneContext(goodContext, "{server: 'http://127.0.0.1:8001', certificate-authority-data: "+ca+"}", "{token: t, as: jane}"),
		"localhost":    oneContext(goodContext, "{server: 'http://localhost:8001'}", "{}"),
		"insecure":     oneContext(goodContext, "{server: 'https://10.0.0.1', insecure-skip-tls-verify: true}", goodUser),
		"mixed pair":   oneContext(goodContext, goodCluster, "{client-certificate: tls/client.crt, client-key-data: "+b64(own.key)+"}"),
		"bundle":       oneContext(goodContext, "{server: 'https://10.0.0.1', certificate-authority-data: "+b64(append(rsa.cert, ec.cert...))+"}", goodUser),
		"plugin path":  oneContext(goodContext, goodCluster, "{exec: {command: ./bin/plugin, args: [a], apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never}}"),
		"merge keys":   "x-common: &common {server: 'https://api.example'}\n" + oneContext(goodContext, "{<<: *common, tls-server-name: a}", goodUser),
		"unknown keys": "colour: blue\n" + oneContext("{cluster: k, user: u, colour: blue}", goodCluster, "{token: t, colour: blue}"),
	}
}

func TestConfigEqualsWhatClientGoBuilds(t *testing.T) {
	ec := newECDSA(t)
	for name, content := range dialects(t, ec) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "tls/ca.crt", ec.cert)
			write(t, dir, "tls/client.crt", ec.cert)
			write(t, dir, "tls/client.key", ec.key)
			write(t, dir, "token", "t0ken\n")
			file := write(t, dir, "config", content)
			opts := kubeconfig.Options{CredentialPlugins: []string{"*"}, AllowInsecure: true}
			requireEqual(t, load(t, opts, file), file)
		})
	}
}

func TestConfigsOfSeveralFilesEqualWhatClientGoBuilds(t *testing.T) {
	dir, ec := t.TempDir(), newECDSA(t)
	write(t, dir, "a/ca.crt", ec.cert)
	write(t, dir, "b/token", "of b")
	a := write(t, dir, "a/config", `
contexts:
- {name: one, context: {cluster: k, user: u}}
- {name: both, context: {cluster: k, user: u, namespace: from-a}}
clusters:
- {name: k, cluster: {server: "https://a.example", certificate-authority: ca.crt}}
`)
	b := write(t, dir, "b/config", `
contexts:
- {name: two, context: {cluster: k2, user: u}}
- {name: both, context: {cluster: k2, user: u, namespace: from-b}}
clusters:
- {name: k, cluster: {server: "https://b.example", tls-server-name: lost}}
- {name: k2, cluster: {server: "https://b2.example"}}
users:
- {name: u, user: {tokenFile: token}}
`)
	empty := write(t, dir, "empty", "")
	t.Chdir(dir)
	for _, files := range [][]string{{a, b}, {b, a}, {"a/config", "", empty, "b/config", "a/config"}} {
		definitions := load(t, kubeconfig.Options{}, files...)
		if diff := cmp.Diff([]string{"both", "one", "two"}, namesOf(definitions)); diff != "" {
			t.Fatal(diff)
		}
		requireEqual(t, definitions, files...)
	}
}

// requireEqual holds the definitions against what client-go builds for the same contexts, except that no credential
// plugin may use the terminal.
func requireEqual(t testing.TB, definitions []cluster.Definition, files ...string) {
	t.Helper()
	config, err := (&clientcmd.ClientConfigLoadingRules{Precedence: files}).Load()
	must(t, err)
	if len(definitions) != len(config.Contexts) {
		t.Errorf("%d definitions for %d contexts", len(definitions), len(config.Contexts))
	}
	for _, d := range definitions {
		want, err := clientcmd.NewNonInteractiveClientConfig(*config, d.Name, &clientcmd.ConfigOverrides{}, nil).ClientConfig()
		must(t, err)
		if want.ExecProvider != nil {
			plugin := *want.ExecProvider
			plugin.InteractiveMode = api.NeverExecInteractiveMode
			plugin.StdinUnavailable, plugin.StdinUnavailableMessage = true, "a server has no terminal"
			want.ExecProvider = &plugin
		}
		if diff := cmp.Diff(exposed(want), exposed(d.Config), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: what client-go builds and what is built (-want +got):\n%s", d.Name, diff)
		}
		if got, want := d.Namespace, config.Contexts[d.Name].Namespace; got != want {
			t.Errorf("%s: namespace %q, want %q", d.Name, got, want)
		}
		if _, err := rest.TLSConfigFor(d.Config); err != nil {
			t.Errorf("%s: no TLS from its config: %v", d.Name, err)
		}
	}
}

// exposed returns a configuration as plain values: some of client-go's types hide their content from comparison.
func exposed(c *rest.Config) any {
	type plain rest.Config
	p := plain(*c)
	return &p
}

func TestEveryCredentialIsOfItsKind(t *testing.T) {
	ec := newECDSA(t)
	for user, want := range map[string]cluster.Credential{
		"{}":         cluster.Anonymous,
		"{token: t}": cluster.Token,
		"{client-certificate-data: " + b64(ec.cert) + ", client-key-data: " + b64(ec.key) + "}":       cluster.ClientCertificate,
		"{username: admin, password: s3cret}":                                                         cluster.Basic,
		"{exec: {command: aws, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never}}": cluster.Plugin,
	} {
		d := load(t, kubeconfig.Options{}, write(t, t.TempDir(), "config", oneContext(goodContext, goodCluster, user)))[0]
		if got := d.Credential(); got != want {
			t.Errorf("%s: credential %d, want %d", user, got, want)
		}
		if d.Source != "kubeconfig" || d.Server() != "https://api.example:6443" {
			t.Errorf("%s: source %q, server %q", user, d.Source, d.Server())
		}
	}
}

func TestPluginIsAllowedByNameOnlyWherePathFindsIt(t *testing.T) {
	dir := t.TempDir()
	installed := write(t, dir, "bin/plugin", "#!/bin/sh\n")
	must(t, os.Chmod(installed, 0o700))
	impostor := write(t, dir, "elsewhere/plugin", "#!/bin/sh\n")
	must(t, os.Chmod(impostor, 0o700))
	t.Setenv("PATH", filepath.Dir(installed))
	if found, err := exec.LookPath("plugin"); err != nil || found != installed {
		t.Fatal(found, err)
	}
	for _, c := range []struct {
		allowed []string
		command string
		runs    bool
	}{
		{nil, "aws", true},
		{nil, "gke-gcloud-auth-plugin", true},
		{nil, "kubelogin", true},
		{nil, "sh", false},
		{nil, "/tmp/aws", false},
		{[]string{}, "aws", false},
		{[]string{"plugin"}, "plugin", true},
		{[]string{"plugin"}, "aws", false},
		{[]string{"plugin"}, installed, true},
		{[]string{"plugin"}, "bin/plugin", true},
		{[]string{"plugin"}, "bin/../bin/plugin", true},
		{[]string{"plugin"}, impostor, false},
		{[]string{"plugin"}, "./elsewhere/plugin", false},
		{[]string{impostor}, impostor, true},
		{[]string{impostor}, "elsewhere/plugin", true},
		{[]string{impostor}, installed, false},
		{[]string{installed}, "plugin", false},
		{[]string{"*"}, "anything", true},
		{[]string{"*"}, "/any path/thing", true},
	} {
		user := fmt.Sprintf("{exec: {command: %q, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never}}", c.command)
		file := write(t, dir, "config", oneContext(goodContext, goodCluster, user))
		definitions, problems := kubeconfig.Load([]string{file}, kubeconfig.Options{CredentialPlugins: c.allowed})
		if got := len(definitions) == 1; got != c.runs || len(definitions)+len(problems) != 1 {
			t.Errorf("%q allows %q: %v, want %v\n%s", c.allowed, c.command, got, c.runs, lines(problems))
		}
	}
}
