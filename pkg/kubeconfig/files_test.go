package kubeconfig_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
	"github.com/clusterfleet/clusterfleet/pkg/kubeconfig"
)

func TestUnusableFilesAreNamedWithTheirLine(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Symlink("loop", filepath.Join(dir, "loop")))
	for name, c := range map[string]struct{ content, want string }{
		"missing":     {"", `missing: the file does not exist; correct the path or the file's permissions`},
		"folder":      {"", `folder: the file is a directory; correct the path or the file's permissions`},
		"loop":        {"", `loop: the file cannot be read: too many levels of symbolic links; correct the path or the file's permissions`},
		"large":       {"", `large: the file is larger than 64 MiB; correct the path or the file's permissions`},
		"tab":         {"kind: Config\nusers:\n\t- name: u\n", `tab:3: it is not valid YAML: found character that cannot start any token; correct the indentation, quotes and colons there`},
		"indentation": {"users:\n- name: a\n- name: b\n   user: {}\n" + canary, `indentation:4: it is not valid YAML: mapping values are not allowed in this context; correct the indentation, quotes and colons there`},
		"dash":        {"users:\n  - name: a\n - name: b\nkind: Config\n", `dash:3: it is not valid YAML: did not find expected key; correct the indentation, quotes and colons there`},
		"first line":  {"{{{" + canary, `first line:1: it is not valid YAML: did not find expected ',' or '}'; correct the indentation, quotes and colons there`},
		"quote":       {"users:\n- name: \"" + canary + "\nkind: Config\n", `quote:3: it is not valid YAML: found unexpected end of stream; correct the indentation, quotes and colons there`},
		"anchor":      {"users: *" + canary, `anchor: it is not valid YAML; correct the indentation, quotes and colons there`},
		"key":         {"? [" + canary + "]\n: " + canary, `key: it is not valid YAML; correct the indentation, quotes and colons there`},
		"tag":         {"kind: !!int " + canary, `tag: it is not valid YAML; correct the indentation, quotes and colons there`},
		"binary":      {"kind: Config\n# \x00\x01\x02" + canary, `binary:2: it is not valid YAML: a byte that is no text; name a kubeconfig in UTF-8`},
		"latin 1":     {"kind: Config\nusers:\n- name: M\xfcller\n", `latin 1:3: it is not valid YAML: a byte that is no text; name a kubeconfig in UTF-8`},
		"text":        {canary, `text: it is not a kubeconfig: its top level is no mapping; name a kubeconfig file`},
		"list":        {"- kind: Config\n", `list: it is not a kubeconfig: its top level is no mapping; name a kubeconfig file`},
		"other kind":  {"apiVersion: v1\nkind: Secret\ndata: {a: " + canary + "}\n", `other kind: it is not a kubeconfig: kind must be Config and apiVersion v1; name a kubeconfig file`},
		"version":     {"apiVersion: v2\nkind: Config\n", `version: it is not a kubeconfig: kind must be Config and apiVersion v1; name a kubeconfig file`},
		"empty":       {"", `empty: there is no context at all; add one under contexts: every context is a cluster`},
		"comment":     {"# nothing\n", `comment: there is no context at all; add one under contexts: every context is a cluster`},
		"no context":  {"apiVersion: v1\nkind: Config\ncontexts: []\nclusters: null\n", `no context: there is no context at all; add one under contexts: every context is a cluster`},
		"no list":     {"contexts: {c: {}}\n", `no list: contexts is no list; begin each of its entries with a dash`},
		"nameless":    {"contexts:\n- context: {}\n", `nameless: contexts[0] has no name; give it a name that is text`},
		"number":      {"contexts:\n- {name: 7, context: {}}\n", `number: contexts[0] has no name; give it a name that is text`},
		"not entries": {"contexts: [" + canary + "]\n", `not entries: contexts[0] has no name; give it a name that is text`},
	} {
		path := filepath.Join(dir, name)
		switch name {
		case "missing", "loop":
		case "folder":
			must(t, os.Mkdir(path, 0o700))
		case "large":
			write(t, dir, name, "")
			must(t, os.Truncate(path, 64<<20+1))
		default:
			write(t, dir, name, c.content)
		}
		definitions, problems := kubeconfig.Load([]string{path}, kubeconfig.Options{})
		if len(definitions) > 0 {
			t.Errorf("%s: %v", name, namesOf(definitions))
		}
		if diff := cmp.Diff(filepath.Join(dir, c.want), lines(problems)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		requireSafe(t, problems)
	}
}

func TestNoFileAtAllIsAProblem(t *testing.T) {
	for _, files := range [][]string{nil, {}, {""}, {"", ""}} {
		definitions, problems := kubeconfig.Load(files, kubeconfig.Options{})
		if len(definitions) > 0 || lines(problems) != "no kubeconfig file is given; name at least one" {
			t.Errorf("%q: %v, %s", files, namesOf(definitions), lines(problems))
		}
	}
}

func TestKubeconfigWithoutEndIsAProblem(t *testing.T) {
	_, problems := kubeconfig.Load([]string{"/dev/zero"}, kubeconfig.Options{})
	if want := "/dev/zero: the file is larger than 64 MiB; correct the path or the file's permissions"; lines(problems) != want {
		t.Error(lines(problems))
	}
}

func TestFileNamedTwiceIsReadOnce(t *testing.T) {
	_, problems := kubeconfig.Load([]string{"gone", "", "gone"}, kubeconfig.Options{})
	if want := "gone: the file does not exist; correct the path or the file's permissions"; lines(problems) != want {
		t.Error(lines(problems))
	}
}

func TestOneBrokenFileLeavesTheOthers(t *testing.T) {
	dir := t.TempDir()
	good := write(t, dir, "good", oneContext(goodContext, goodCluster, goodUser))
	bad := write(t, dir, "bad", "a: b: c")
	gone := filepath.Join(dir, "gone")
	definitions, problems := kubeconfig.Load([]string{bad, good, gone}, kubeconfig.Options{})
	if diff := cmp.Diff([]string{"c"}, namesOf(definitions)); diff != "" {
		t.Error(diff)
	}
	want := bad + ":1: it is not valid YAML: mapping values are not allowed in this context; correct the indentation, quotes and colons there\n" +
		gone + ": the file does not exist; correct the path or the file's permissions"
	if diff := cmp.Diff(want, lines(problems)); diff != "" {
		t.Error(diff)
	}
}

func TestOneBrokenEntryLeavesTheOthers(t *testing.T) {
	file := write(t, t.TempDir(), "config", `
kind: Config
contexts:
- {name: z-good, context: {cluster: k, user: u}}
- {name: bad-ca, context: {cluster: ca, user: u}}
- {name: bad-user, context: {cluster: k, user: broken}}
- {name: bad-user-too, context: {cluster: k, user: broken}}
- {name: twice, context: {cluster: k, user: u}}
- {name: twice, context: {cluster: k, user: u}}
- {name: two-users, context: {cluster: k, user: doubled}}
- {name: a-good, context: {cluster: k}}
- nothing
clusters:
- {name: k, cluster: {server: "https://api.example"}}
- {name: ca, cluster: {server: "https://api.example", certificate-authority-data: "***"}}
- {name: unused, cluster: {server: 7}}
- {name: unused-but-readable, cluster: {}}
users:
- {name: u, user: {token: t}}
- {name: broken, user: {client-key-data: "`+canary+`!"}}
- {name: doubled, user: {token: a}}
- {name: doubled, user: {token: b}}
`)
	definitions, problems := kubeconfig.Load([]string{file}, kubeconfig.Options{})
	if diff := cmp.Diff([]string{"a-good", "z-good"}, namesOf(definitions)); diff != "" {
		t.Error(diff)
	}
	want := []string{
		`contexts[8] has no name; give it a name that is text`,
		`cluster "unused": server must be text; put it in quotes`,
		`context "bad-ca": cluster "ca": certificate-authority-data is not valid base64; encode the file with base64 -w0, or name it in certificate-authority`,
		`context "bad-user": user "broken": client-key-data is not valid base64; encode the file with base64 -w0, or name it in client-key`,
		`context "bad-user-too": user "broken": client-key-data is not valid base64; encode the file with base64 -w0, or name it in client-key`,
		`context "twice": it is defined more than once in this file; remove or rename all but one`,
		`context "two-users": user "doubled": it is defined more than once in this file; remove or rename all but one`,
	}
	if diff := cmp.Diff(want, strings.Split(strings.ReplaceAll(lines(problems), file+": ", ""), "\n")); diff != "" {
		t.Error(diff)
	}
	requireSafe(t, problems)
	if p := problems[3]; p.File != file || p.Context != "bad-user" {
		t.Errorf("%+v", p)
	}
}

func TestFirstFileToDefineANameWinsEvenIfBroken(t *testing.T) {
	dir := t.TempDir()
	first := write(t, dir, "first", `
contexts:
- {name: c, context: {cluster: k, user: u}}
- {name: d, context: {cluster: k, user: v}}
clusters:
- {name: k, cluster: {server: "https://first.example"}}
users:
- {name: u, user: {token: 7}}
`)
	second := write(t, dir, "second", `
contexts:
- {name: c, context: {cluster: k, user: v}}
- {name: d, context: 7}
clusters:
- {name: k, cluster: {server: "https://second.example"}}
users:
- {name: u, user: {token: t}}
- {name: v, user: {token: t}}
`)
	definitions, problems := kubeconfig.Load([]string{first, second}, kubeconfig.Options{})
	if len(definitions) != 1 || definitions[0].Name != "d" || definitions[0].Server() != "https://first.example" {
		t.Errorf("%v", namesOf(definitions))
	}
	want := second + `: context "d": context is no mapping; write its fields below it` + "\n" +
		first + `: context "c": user "u": token must be text; put it in quotes`
	if diff := cmp.Diff(want, lines(problems)); diff != "" {
		t.Error(diff)
	}
}

func TestVirtualClustersNeedNeitherServerNorUser(t *testing.T) {
	for _, context := range []string{
		"{extensions: [{name: clusterfleet, extension: {virtual: true, labels: {a: b}}}], namespace: team}",
		"{cluster: gone, user: gone, extensions: [{name: clusterfleet, extension: {virtual: true, labels: {a: b}}}], namespace: team}",
		"{cluster: k, user: u, extensions: [{name: other}, {name: clusterfleet, extension: {virtual: true, labels: {a: b}}}], namespace: team}",
	} {
		got := load(t, kubeconfig.Options{}, write(t, t.TempDir(), "config", oneContext(context, goodCluster, goodUser)))
		want := []cluster.Definition{{Name: "c", Labels: map[string]string{"a": "b"}, Namespace: "team", Source: "kubeconfig", Virtual: true}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestInsecureAndAuthorityExcludeEachOther(t *testing.T) {
	file := write(t, t.TempDir(), "config", oneContext(goodContext,
		"{server: 'https://a', insecure-skip-tls-verify: true, certificate-authority-data: "+b64(newECDSA(t).cert)+"}", goodUser))
	definitions, problems := kubeconfig.Load([]string{file}, kubeconfig.Options{AllowInsecure: true})
	want := file + `: context "c": cluster "k": it has both insecure-skip-tls-verify and a certificate authority; remove one of them`
	if len(definitions) > 0 || lines(problems) != want {
		t.Errorf("%v, problems:\n%s", namesOf(definitions), lines(problems))
	}
}

func TestLongTextsStayOneLineOfOneKiB(t *testing.T) {
	long := strings.Repeat("x", 5000)
	content := strings.ReplaceAll(oneContext("{cluster: "+long+", user: "+long+"}", goodCluster, goodUser), "name: c\n", "name: "+long[:250]+"\n")
	_, problems := kubeconfig.Load([]string{write(t, t.TempDir(), "config", content), "/" + long, "/a\x1b\n"}, kubeconfig.Options{})
	if len(problems) != 3 {
		t.Errorf("problems:\n%s", lines(problems))
	}
	requireSafe(t, problems)
}

func TestClustersWithOneAuthorityShareItsBytes(t *testing.T) {
	ec := newECDSA(t)
	data := fleetFile(2, tokenUser, func(int) []byte { return ec.cert })
	d := load(t, kubeconfig.Options{}, write(t, t.TempDir(), "config", data))
	if &d[0].Config.CAData[0] != &d[1].Config.CAData[0] {
		t.Error("each cluster has its own copy")
	}
}

func TestPluginsOfContextsThatShareAUserAreTheirOwn(t *testing.T) {
	file := write(t, t.TempDir(), "config", `
contexts:
- {name: a, context: {cluster: a, user: u}}
- {name: b, context: {cluster: b, user: u}}
clusters:
- {name: a, cluster: {server: "https://a", extensions: [{name: client.authentication.k8s.io/exec, extension: {n: 1}}]}}
- {name: b, cluster: {server: "https://b", extensions: [{name: client.authentication.k8s.io/exec, extension: {n: 2}}]}}
users:
- {name: u, user: {exec: {command: aws, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, provideClusterInfo: true}}}
`)
	requireEqual(t, load(t, kubeconfig.Options{}, file), file)
}

func TestTenThousandContextsLoad(t *testing.T) {
	const n = 10_000
	ec := newECDSA(t)
	file := write(t, t.TempDir(), "config", fleetFile(n, certificateUser(ec), commented(ec.cert)))
	definitions := load(t, kubeconfig.Options{}, file)
	if len(definitions) != n {
		t.Fatalf("%d definitions", len(definitions))
	}
	for i, d := range definitions {
		if want := fmt.Sprintf("c%05d", i); d.Name != want || d.Config.ServerName != want+".fleet" || d.Labels["tier"] != "prod" ||
			string(d.Config.CAData) != string(commented(ec.cert)(i)) || string(d.Config.CertData) != string(commented(ec.cert)(i)) {
			t.Fatalf("context %d is %v", i, d)
		}
	}
}

func TestFleetEqualsWhatClientGoBuilds(t *testing.T) {
	rsa := newRSA(t)
	file := write(t, t.TempDir(), "config", fleetFile(50, certificateUser(rsa), commented(rsa.cert)))
	requireEqual(t, load(t, kubeconfig.Options{}, file), file)
}

func TestWhatKubectlRefusesBecauseOfOneEntryStillWorksHere(t *testing.T) {
	content := oneContext(goodContext, goodCluster, goodUser) + "- {name: broken, user: {token: 7}}\n"
	if _, err := clientcmd.Load([]byte(content)); err == nil {
		t.Fatal("client-go takes it: the case is no case")
	}
	definitions, problems := kubeconfig.Load([]string{write(t, t.TempDir(), "config", content)}, kubeconfig.Options{})
	if len(definitions) != 1 || len(problems) != 1 {
		t.Errorf("%v, problems:\n%s", namesOf(definitions), lines(problems))
	}
}
