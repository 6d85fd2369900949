package kubeconfig_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/internal/safetext"
	"github.com/clusterfleet/clusterfleet/pkg/kubeconfig"
)

// canary stands where a credential stands. No text may hold it, plain or in base64.
const canary = "CANARY0d9f2c71b3"

// TestProblemsAreOneClearLine holds each mistake against its line, without the file's name and `context "c": `.
func TestProblemsAreOneClearLine(t *testing.T) {
	dir := t.TempDir()
	own, other, rsa, otherRSA := newECDSA(t), newECDSA(t), newRSA(t), newRSA(t)
	write(t, dir, "own.crt", own.cert)
	write(t, dir, "own.key", own.key)
	write(t, dir, "other.key", other.key)
	write(t, dir, "secret.txt", canary)
	write(t, dir, "empty", "\n")
	write(t, dir, "folder/file", "")
	encrypted := "-----BEGIN ENCRYPTED PRIVATE KEY-----\n" + b64(canary) + "\n-----END ENCRYPTED PRIVATE KEY-----\n"
	plugin := func(fields string) string {
		return "{exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, env: [{name: A, value: " + canary + "}], args: [" + canary + "], " + fields + "}}"
	}
	for _, c := range []struct{ name, context, cluster, user, want string }{
		// Contexts.
		{"no cluster named", "{user: u}", "", "", `it names no cluster; name its cluster`},
		{"unknown cluster", "{cluster: x, user: u}", "", "", `cluster "x" is not defined; add it under clusters, or correct the context`},
		{"unknown user", "{cluster: k, user: x}", "", "", `user "x" is not defined; add it under users, or correct the context`},
		{"context is text", "c1", "", "", `context is no mapping; write its fields below it`},
		{"namespace is a number", "{cluster: k, user: u, namespace: 7}", "", "", `namespace must be text; put it in quotes`},
		{"namespace is yes", "{cluster: k, user: u, namespace: yes}", "", "", `namespace must be text; put it in quotes`},
		{"bad namespace", "{cluster: k, user: u, namespace: a/../b}", "", "", `namespace "a/../b" is no valid namespace name; correct or remove it`},

		// Our extension.
		{"unknown field", ext("{labels: {a: b}, label: {}}"), "", "", `its clusterfleet extension has labels, virtual and maintenance, but no field "label"; remove it, or correct its spelling`},
		{"extension is text", ext("x"), "", "", `its clusterfleet extension is no mapping; write labels, virtual and maintenance below it`},
		{"labels is a list", ext("{labels: [a]}"), "", "", `labels in its clusterfleet extension is no mapping; write KEY: VALUE below it`},
		{"label is a number", ext("{labels: {tier: 1}}"), "", "", `the value of label "tier" must be text; put it in quotes`},
		{"label is true", ext("{labels: {prod: true}}"), "", "", `the value of label "prod" must be text; put it in quotes`},
		{"virtual is text", ext("{virtual: 'true'}"), "", "", `virtual in its clusterfleet extension must be true or false; write it without quotes`},
		{"maintenance is text", ext("{maintenance: soon}"), "", "", `maintenance in its clusterfleet extension must be true or false; write it without quotes`},
		{"two extensions", "{cluster: k, user: u, extensions: [{name: clusterfleet}, {name: clusterfleet}]}", "", "", `it has more than one clusterfleet extension; keep one`},

		// Servers.
		{"no server", "", "{}", "", `cluster "k": it has no server; write it as https://HOST:PORT`},
		{"no cluster content", "", "", "null", ""},
		{"server without scheme", "", "{server: 'api.example:6443'}", "", `cluster "k": its server is no URL; write it as https://HOST:PORT`},
		{"address without scheme", "", "{server: '10.0.0.1:6443'}", "", `cluster "k": its server is no URL; write it as https://HOST:PORT`},
		{"host alone", "", "{server: api.example}", "", `cluster "k": its server is no URL; write it as https://HOST:PORT`},
		{"no host", "", "{server: 'https://:6443'}", "", `cluster "k": its server is no URL; write it as https://HOST:PORT`},
		{"space in host", "", "{server: 'https://a b'}", "", `cluster "k": its server is no URL; write it as https://HOST:PORT`},
		{"control character", "", `{server: "https://a\u001b"}`, "", `cluster "k": its server is no URL; write it as https://HOST:PORT`},
		{"http elsewhere", "", "{server: 'http://10.0.0.1'}", "", `cluster "k": its server is no https:// URL; write it as https://HOST:PORT`},
		{"http on a name", "", "{server: 'http://localhost.example'}", "", `cluster "k": its server is no https:// URL; write it as https://HOST:PORT`},
		{"other scheme", "", "{server: 'file:///etc/passwd'}", "", `cluster "k": its server is no URL; write it as https://HOST:PORT`},
		{"socket", "", "{server: 'unix://a/b'}", "", `cluster "k": its server is no https:// URL; write it as https://HOST:PORT`},
		{"user info", "", "{server: 'https://admin:" + canary + "@api.example'}", "", `cluster "k": its server holds a user name or a password; move them to its user`},
		{"query", "", "{server: 'https://api.example/?token=" + canary + "'}", "", `cluster "k": its server has a query or a fragment; remove it`},
		{"fragment", "", "{server: 'https://api.example/#" + canary + "'}", "", `cluster "k": its server has a query or a fragment; remove it`},
		{"empty query", "", "{server: 'https://api.example?'}", "", `cluster "k": its server has a query or a fragment; remove it`},
		{"port", "", "{server: 'https://api.example:70000'}", "", `cluster "k": the port of its server is not between 1 and 65535; write it as https://HOST:PORT`},
		{"port that is none", "", "{server: 'https://api.example:" + canary + "'}", "", `cluster "k": its server is no URL; write it as https://HOST:PORT`},
		{"server is a list", "", "{server: [" + canary + "]}", "", `cluster "k": server must be text; put it in quotes`},
		{"cluster is text", "", "https://api.example", "", `cluster "k": cluster is no mapping; write its fields below it`},
		{"proxy", "", "{server: 'https://api.example', proxy-url: 'http://u:" + canary + "@proxy'}", "", `cluster "k": proxy-url is set, but proxies are not used; remove it and make the API server reachable directly`},
		{"insecure", "", "{server: 'https://api.example', insecure-skip-tls-verify: true}", "", `cluster "k": insecure-skip-tls-verify would give its credentials to anyone on the way; give its certificate-authority-data, or start the aggregator with --allow-insecure-skip-tls-verify`},
		{"insecure is text", "", "{server: 'https://api.example', insecure-skip-tls-verify: 'true'}", "", `cluster "k": insecure-skip-tls-verify must be true or false; correct its value`},

		// Authorities.
		{"CA is no base64", "", "{server: 'https://a', certificate-authority-data: '" + canary + "!'}", "", `cluster "k": certificate-authority-data is not valid base64; encode the file with base64 -w0, or name it in certificate-authority`},
		{"long CA is no base64", "", "{server: 'https://a', certificate-authority-data: \"" + strings.Repeat("A", 99) + "\"}", "", `cluster "k": certificate-authority-data is not valid base64; encode the file with base64 -w0, or name it in certificate-authority`},
		{"CA is no PEM", "", "{server: 'https://a', certificate-authority-data: " + b64(canary) + "}", "", `cluster "k": certificate-authority-data holds no certificate that can be read; give a certificate in PEM`},
		{"CA is a key", "", "{server: 'https://a', certificate-authority-data: " + b64(own.key) + "}", "", `cluster "k": certificate-authority-data holds no certificate that can be read; give a certificate in PEM`},
		{"CA is cut off", "", "{server: 'https://a', certificate-authority-data: " + b64(own.cert[:200]) + "}", "", `cluster "k": certificate-authority-data holds no certificate that can be read; give a certificate in PEM`},
		{"CA twice", "", "{server: 'https://a', certificate-authority: own.crt, certificate-authority-data: " + b64(own.cert) + "}", "", `cluster "k": it has both certificate-authority and certificate-authority-data; keep one of them`},
		{"CA file missing", "", "{server: 'https://a', certificate-authority: gone/ca.crt}", "", `cluster "k": certificate-authority "DIR/gone/ca.crt" does not exist; correct the path or the file`},
		{"CA file is a folder", "", "{server: 'https://a', certificate-authority: folder}", "", `cluster "k": certificate-authority "DIR/folder" is a directory; correct the path or the file`},
		{"CA file below a file", "", "{server: 'https://a', certificate-authority: own.crt/x}", "", `cluster "k": certificate-authority "DIR/own.crt/x" cannot be read: not a directory; correct the path or the file`},
		{"CA file is a device", "", "{server: 'https://a', certificate-authority: /dev/zero}", "", `cluster "k": certificate-authority "/dev/zero" is no regular file; correct the path or the file`},
		{"CA file is no PEM", "", "{server: 'https://a', certificate-authority: secret.txt}", "", `cluster "k": certificate-authority holds no certificate that can be read; give a certificate in PEM`},

		// Tokens and names.
		{"token and basic", "", "", "{token: " + canary + ", username: a, password: " + canary + "}", `user "u": it has both a token and a user name or password; keep one of them`},
		{"token on two lines", "", "", `{token: "` + canary + `\n"}`, `user "u": its token holds a line break or a control character; put it on one line`},
		{"token is a number", "", "", "{token: 123456}", `user "u": token must be text; put it in quotes`},
		{"password is a mapping", "", "", "{username: a, password: {" + canary + ": 1}}", `user "u": password must be text; put it in quotes`},
		{"token file missing", "", "", "{tokenFile: gone}", `user "u": tokenFile "DIR/gone" does not exist; correct the path or the file`},
		{"token file empty", "", "", "{tokenFile: empty}", `user "u": tokenFile "DIR/empty" holds no token; put a token on one line into it`},
		{"token file is a certificate", "", "", "{tokenFile: own.crt}", `user "u": tokenFile "DIR/own.crt" holds no token; put a token on one line into it`},
		{"token instead of a file", "", "", "{tokenFile: eyJ." + canary + ".sig}", `user "u": tokenFile holds data, not a path; name a file there, or use the field for inline data`},
		{"uid without as", "", "", "{token: t, as-uid: x}", `user "u": it has as-uid, as-groups or as-user-extra without as; add as, the user to impersonate`},
		{"as with a line break", "", "", `{token: t, as: "a\r\nX: y"}`, `user "u": whom it impersonates holds a line break or a control character; correct it`},
		{"group with a line break", "", "", `{token: t, as: a, as-groups: ["a\nb"]}`, `user "u": whom it impersonates holds a line break or a control character; correct it`},
		{"groups is text", "", "", `{token: t, as: a, as-groups: b}`, `user "u": as-groups must be a list; correct its value`},
		{"auth provider", "", "", "{auth-provider: {name: gcp, config: {access-token: " + canary + "}}}", `user "u": auth-provider is no longer supported; use a credential plugin under exec, such as gke-gcloud-auth-plugin or kubelogin`},
		{"user is text", "", "", canary, `user "u": user is no mapping; write its fields below it`},

		// Client certificates.
		{"no key", "", "", "{client-certificate-data: " + b64(own.cert) + "}", `user "u": it has a client certificate but no key; add client-key or client-key-data`},
		{"certificate twice", "", "", "{client-certificate: own.crt, client-certificate-data: " + b64(own.cert) + ", client-key: own.key}", `user "u": it has both client-certificate and client-certificate-data; keep one of them`},
		{"key twice", "", "", "{client-certificate: own.crt, client-key-data: " + b64(own.key) + ", client-key: own.key}", `user "u": it has both client-key and client-key-data; keep one of them`},
		{"certificate missing", "", "", "{client-certificate: gone.crt, client-key: own.key}", `user "u": client-certificate "DIR/gone.crt" does not exist; correct the path or the file`},
		{"key missing", "", "", "{client-certificate: own.crt, client-key: ../gone.key}", `user "u": client-key "PARENT/gone.key" does not exist; correct the path or the file`},
		{"key data in client-key", "", "", "{client-certificate: own.crt, client-key: " + b64(own.key) + "}", `user "u": client-key holds data, not a path; name a file there, or use the field for inline data`},
		{"key data cut off", "", "", "{client-certificate: own.crt, client-key: LS0tLS1CRUdJTi" + canary + "}", `user "u": client-key holds data, not a path; name a file there, or use the field for inline data`},
		{"wrong key", "", "", "{client-certificate-data: " + b64(own.cert) + ", client-key-data: " + b64(other.key) + "}", `user "u": its client key does not belong to its client certificate; give a certificate and its own key in PEM`},
		{"wrong RSA key", "", "", "{client-certificate-data: " + b64(rsa.cert) + ", client-key-data: " + b64(otherRSA.key) + "}", `user "u": its client key does not belong to its client certificate; give a certificate and its own key in PEM`},
		{"wrong wrapped RSA key", "", "", "{client-certificate-data: " + b64(rsa.cert) + ", client-key-data: " + b64(inPEM("PRIVATE KEY", inPKCS8(t, otherRSA.signer))) + "}", `user "u": its client key does not belong to its client certificate; give a certificate and its own key in PEM`},
		{"RSA key, ECDSA certificate", "", "", "{client-certificate-data: " + b64(own.cert) + ", client-key-data: " + b64(rsa.key) + "}", `user "u": its client key does not belong to its client certificate; give a certificate and its own key in PEM`},
		{"ECDSA key, RSA certificate", "", "", "{client-certificate-data: " + b64(rsa.cert) + ", client-key-data: " + b64(own.key) + "}", `user "u": its client key does not belong to its client certificate; give a certificate and its own key in PEM`},
		{"wrong key file", "", "", "{client-certificate: own.crt, client-key: other.key}", `user "u": its client key does not belong to its client certificate; give a certificate and its own key in PEM`},
		{"key is no PEM", "", "", "{client-certificate: own.crt, client-key-data: " + b64(canary) + "}", `user "u": its client key cannot be read; give a certificate and its own key in PEM`},
		{"key is PEM of nothing", "", "", "{client-certificate: own.crt, client-key-data: " + b64(inPEM("PRIVATE KEY", []byte(canary))) + "}", `user "u": its client key cannot be read; give a certificate and its own key in PEM`},
		{"key encrypted", "", "", "{client-certificate: own.crt, client-key-data: " + b64(encrypted) + "}", `user "u": its client key is encrypted, and there is nobody to ask for the password; give a certificate and its own key in PEM`},
		{"certificate is a key", "", "", "{client-certificate-data: " + b64(own.key) + ", client-key-data: " + b64(own.key) + "}", `user "u": its client certificate cannot be read; give a certificate and its own key in PEM`},
		{"key is no base64", "", "", "{client-certificate: own.crt, client-key-data: '" + canary + "!'}", `user "u": client-key-data is not valid base64; encode the file with base64 -w0, or name it in client-key`},

		// Credential plugins.
		{"plugin not allowed", "", "", plugin("command: vault-login"), `user "u": credential plugin "vault-login" is not allowed; start the aggregator with --credential-plugin vault-login`},
		{"plugin path not allowed", "", "", plugin("command: ./vault-login"), `user "u": credential plugin "DIR/vault-login" is not allowed; start the aggregator with --credential-plugin DIR/vault-login`},
		{"arguments in the command", "", "", plugin("command: vault-login --token " + canary), `user "u": the command of its credential plugin holds spaces and is not allowed; put arguments under args; if it is a path, start the aggregator with --credential-plugin and the path`},
		{"plugin without command", "", "", plugin("command: ''"), `user "u": its credential plugin has no command; name the program under exec`},
		{"plugin wants a terminal", "", "", "{exec: {command: aws, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Always}}", `user "u": its credential plugin wants a terminal, and a server has none; use a way to authenticate that asks nothing, then set interactiveMode: Never`},
		{"plugin without mode", "", "", "{exec: {command: aws, apiVersion: client.authentication.k8s.io/v1}}", `user "u": its credential plugin has no interactiveMode; add interactiveMode: Never`},
		{"plugin with an unknown mode", "", "", "{exec: {command: aws, apiVersion: client.authentication.k8s.io/v1, interactiveMode: " + canary + "}}", `user "u": its credential plugin has an interactiveMode that is not valid; set interactiveMode: Never`},
		{"plugin of an old version", "", "", "{exec: {command: aws, apiVersion: client.authentication.k8s.io/v1alpha1}}", `user "u": its credential plugin has an apiVersion that is not supported; write the kubeconfig anew with a current release of the program that made it`},
		{"plugin without version", "", "", "{exec: {command: aws}}", `user "u": its credential plugin has no apiVersion; add client.authentication.k8s.io/v1 or v1beta1, whichever it speaks`},
		{"plugin variable without name", "", "", "{exec: {command: aws, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, env: [{value: " + canary + "}]}}", `user "u": its credential plugin has a variable without a name under env; name it`},
		{"plugin arguments are text", "", "", "{exec: {command: aws, args: " + canary + "}}", `user "u": exec.args must be a list; correct its value`},
	} {
		t.Run(c.name, func(t *testing.T) {
			content := oneContext(or(c.context, goodContext), or(c.cluster, goodCluster), or(c.user, goodUser))
			file := write(t, dir, "config", content)
			definitions, problems := kubeconfig.Load([]string{file}, kubeconfig.Options{})
			if c.want == "" {
				if len(definitions) != 1 || len(problems) > 0 {
					t.Fatalf("%d definitions, problems:\n%s", len(definitions), lines(problems))
				}
				return
			}
			want := file + `: context "c": ` + strings.NewReplacer("DIR", dir, "PARENT", parentOf(dir)).Replace(c.want)
			if diff := cmp.Diff(want, lines(problems)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(definitions) > 0 {
				t.Error("the context is used all the same")
			}
			requireSafe(t, problems)
		})
	}
}

// ext is a context with our extension.
func ext(content string) string {
	return "{cluster: k, user: u, extensions: [{name: clusterfleet, extension: " + content + "}]}"
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func parentOf(dir string) string { return dir[:strings.LastIndexByte(dir, '/')] }

// requireSafe fails if a problem's text holds a canary, or is not fit for a terminal.
func requireSafe(t testing.TB, problems []*kubeconfig.Problem) {
	t.Helper()
	for _, p := range problems {
		for _, text := range []string{p.Error(), p.File, p.Context, p.What, p.Fix} {
			if strings.Contains(text, canary) || strings.Contains(text, b64(canary)[:16]) {
				t.Errorf("a credential in %q", text)
			}
			if safetext.Line(text) != text {
				t.Errorf("not fit for a terminal: %q", text)
			}
		}
		if len(p.Error()) > safetext.MaxBytes {
			t.Errorf("%d bytes: %q", len(p.Error()), p.Error())
		}
	}
}

func TestLabelsFollowTheRulesOfKubernetes(t *testing.T) {
	dir := t.TempDir()
	for _, labels := range []string{
		"{'a b': c}", "{a: 'b c'}", "{'-a': b}", "{a/b/c: d}", "{'': x}", "{a: " + strings.Repeat("x", 64) + "}",
		"{a: \"\u202e\"}", "{\"\\e[1m\": x}",
	} {
		file := write(t, dir, "config", oneContext(ext("{labels: "+labels+"}"), goodCluster, goodUser))
		definitions, problems := kubeconfig.Load([]string{file}, kubeconfig.Options{})
		if len(definitions) > 0 || len(problems) != 1 || !strings.Contains(lines(problems), "is not valid: ") {
			t.Errorf("%s: %d definitions, problems:\n%s", labels, len(definitions), lines(problems))
		}
		requireSafe(t, problems)
	}
	file := write(t, dir, "config", oneContext(ext("{labels: {example.com/tier: prod, region: '', '1': '1'}}"), goodCluster, goodUser))
	want := map[string]string{"example.com/tier": "prod", "region": "", "1": "1"}
	if diff := cmp.Diff(want, load(t, kubeconfig.Options{}, file)[0].Labels); diff != "" {
		t.Error(diff)
	}
}

func TestNamesAreThoseOfTheContextsOrAProblem(t *testing.T) {
	for name, good := range map[string]bool{
		"arn:aws:eks:eu-central-1:123456789012:cluster/prod": true,
		"admin@kind":             true,
		"Zürich 集群":              true,
		strings.Repeat("n", 253): true,
		strings.Repeat("n", 254): false,
		"a\tb":                   false,
		"a\x1b[31mb":             false,
		"a\u202eb":               false,
		"a\u200bb":               false,
		"a\nb":                   false,
	} {
		content := strings.Replace(oneContext(goodContext, goodCluster, goodUser), "- name: c\n", "- name: "+yamlText(name)+"\n", 1)
		definitions, problems := kubeconfig.Load([]string{write(t, t.TempDir(), "config", content)}, kubeconfig.Options{})
		requireSafe(t, problems)
		switch {
		case good && (len(definitions) != 1 || definitions[0].Name != name):
			t.Errorf("%q: %v, problems:\n%s", name, namesOf(definitions), lines(problems))
		case !good && (len(definitions) > 0 || !strings.Contains(lines(problems), "its name is longer than 253 bytes or not printable; rename the context")):
			t.Errorf("%q: %v, problems:\n%s", name, namesOf(definitions), lines(problems))
		}
	}
}
