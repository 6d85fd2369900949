package kubeconfig

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.yaml.in/yaml/v2"
	kyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterfleet/clusterfleet/internal/safetext"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// longWord is long enough to be taken out before YAML is parsed.
const longWord = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJlekNDQVNHZ0F3SUJBZ0lRCg=="

func addKubeconfigs(f *testing.F) {
	f.Helper()
	for _, seed := range []string{
		"",
		"kind: Config\napiVersion: v1\ncontexts:\n- name: c\n  context: {cluster: k, user: u, namespace: n}\n" +
			"clusters:\n- name: k\n  cluster:\n    server: https://api.example:6443/a b\n    tls-server-name: x\n" +
			"users:\n- name: u\n  user:\n    token: eyJ" + longWord + "\n",
		"contexts: [{name: c, context: {cluster: k, user: u}}]\nclusters: [{name: k, cluster: {server: 'https://a', certificate-authority: ca.crt}}]\n" +
			"users: [{name: u, user: {tokenFile: ../token, client-certificate: /etc/x, client-key: y, as: j, as-groups: [a]}}]",
		"contexts: [{name: c, context: {cluster: k, user: u}}]\nclusters: [{name: k, cluster: {server: 'http://localhost:1', proxy-url: x}}]\n" +
			"users: [{name: u, user: {exec: {command: ./aws, args: [a], env: [{name: a, value: b}], apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never}}}]",
		"contexts: [{name: c, context: {cluster: k, user: u}}]\nclusters: [{name: k, cluster: {server: 'https://a', extensions: [{name: client.authentication.k8s.io/exec, extension: {a: 1}}]}}]\n" +
			"users: [{name: u, user: {exec: {command: aws, apiVersion: client.authentication.k8s.io/v1beta1, installHint: \"a\\e[1m\\n\"}}}]",
		"contexts:\n- name: v\n  context:\n    extensions:\n    - name: clusterfleet\n      extension: {labels: {region: eu, tier: '1'}, virtual: true}\n",
		"{\"contexts\": [{\"name\": \"c\", \"context\": {\"cluster\": \"k\", \"cluster\": \"l\"}}], \"clusters\":\n[{\"name\":\"l\",\"cluster\":{\"server\":\"https://l\",\"certificate-authority-data\":\"" + longWord + "\"}}]}",
		"contexts: [{name: c, context: {cluster: k, user: u}}, {name: c}, 7]\nclusters: {}\nusers: [{name: 7}, {user: {}}, {name: u, user: {password: [a]}}]",
		"users:\n- name: u\n  user: {client-certificate-data: \"" + longWord + "\", client-key-data: '" + longWord + "'}\ncontexts:\n- name: c\n  context: {user: u, cluster: k}\n" +
			"clusters:\n- name: k\n  cluster: {server: https://a, insecure-skip-tls-verify: true}\n",
		"a: &a {b: *a}\n", "a: b: c", "\xff\xfe{\x00", "- \x1b\n", "? [" + longWord + "]\n: x",
	} {
		f.Add([]byte(seed))
	}
}

// FuzzLoad loads what a stranger might write. Nothing panics; what comes back is in order; no text has an
// escape in it; no file is opened that the kubeconfig does not name; and what client-go can build too, it builds alike.
func FuzzLoad(f *testing.F) {
	addKubeconfigs(f)
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := t.TempDir()
		file := filepath.Join(dir, "config")
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		var opened []string
		k := newMerged(Options{AllowInsecure: true}, func(path string) ([]byte, error) {
			opened = append(opened, path)
			return nil, fs.ErrNotExist
		})
		definitions, problems := k.load([]string{file})
		if len(definitions) == 0 && len(problems) == 0 {
			t.Error("neither a cluster nor a problem")
		}
		for _, p := range problems {
			if text := p.Error(); safetext.Clean(text) != text || p.File != file {
				t.Errorf("%q of %q", text, p.File)
			}
		}
		if !slices.IsSortedFunc(definitions, func(a, b cluster.Definition) int { return strings.Compare(a.Name, b.Name) }) {
			t.Errorf("not in order: %v", definitions)
		}
		requireNamed(t, content, dir, opened)
		requireAlike(t, file, definitions)
	})
}

// requireNamed fails if a file was opened whose path, or path within dir, is no text of the kubeconfig.
func requireNamed(t *testing.T, content []byte, dir string, opened []string) {
	t.Helper()
	named := map[string]bool{}
	if text, err := yamlToJSON(content); err == nil {
		var all any
		if err := json.Unmarshal(text, &all); err != nil {
			t.Fatal(err)
		}
		collect(all, named)
	}
	for _, path := range opened {
		within := func(name string) bool { return !filepath.IsAbs(name) && filepath.Join(dir, name) == path }
		if !named[path] && !slices.ContainsFunc(keysOf(named), within) {
			t.Errorf("opened %q, which the kubeconfig does not name", path)
		}
	}
}

func collect(value any, texts map[string]bool) {
	switch v := value.(type) {
	case string:
		texts[v] = true
	case []any:
		for _, e := range v {
			collect(e, texts)
		}
	case map[string]any:
		for _, e := range v {
			collect(e, texts)
		}
	}
}

func keysOf(m map[string]bool) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	return keys
}

// requireAlike holds definitions against client-go, if it takes the file. Those that name files are left out: it would
// open them.
func requireAlike(t *testing.T, file string, definitions []cluster.Definition) {
	t.Helper()
	config, err := (&clientcmd.ClientConfigLoadingRules{Precedence: []string{file}}).Load()
	if err != nil {
		return
	}
	for _, d := range definitions {
		if d.Virtual || d.Config.CAFile+d.Config.CertFile+d.Config.KeyFile+d.Config.BearerTokenFile != "" {
			continue
		}
		want, err := clientcmd.NewNonInteractiveClientConfig(*config, d.Name, nil, nil).ClientConfig()
		if err != nil {
			t.Errorf("%q: client-go refuses it: %v", d.Name, err)
			continue
		}
		if want.ExecProvider != nil && d.Config.ExecProvider != nil {
			want.ExecProvider.InteractiveMode = d.Config.ExecProvider.InteractiveMode
			want.ExecProvider.StdinUnavailable = true
			want.ExecProvider.StdinUnavailableMessage = d.Config.ExecProvider.StdinUnavailableMessage
		}
		type plain rest.Config
		if diff := cmp.Diff((*plain)(want), (*plain)(d.Config), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%q (-client-go +got):\n%s", d.Name, diff)
		}
	}
}

// FuzzElide holds the way around the YAML parser against the parser: with long words taken out and put back, a text
// means what it means without.
func FuzzElide(f *testing.F) {
	addKubeconfigs(f)
	for _, seed := range []string{
		"a: WORD", "a: WORD\r\nb: WORD # c\n", "a: |\n  b: WORD\n  WORD\n", "a: \"WORD\"\nb: 'WORD'", "{\"a\":\"WORD\",\"b\": [\"c\": \"WORD\"]}",
		"a: \"x: \\\nWORD\"", "'WORD': WORD\nb:\n  WORD", "a: !!binary WORD\nb: &x WORD\nc: *x", "a: 'b: ''WORD'''", "a: \\x41WORD", "# a: WORD\n%b: WORD",
		"a: 0WORD", "? a: WORD\n: b: WORD", "a: {b: WORD\n}", "WORD: WORD\nWORD: b", "a:\n  b: WORD\n   c: d", "a: \"WORD\": b", "{a: \"WORD\": b}", "a: b: WORD\n",
	} {
		f.Add([]byte(strings.ReplaceAll(seed, "WORD", longWord)))
	}
	f.Add([]byte("0: a\n! 0: b\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var document any
		if err := yaml.Unmarshal(text, &document); err == nil && ambiguous(document) {
			return
		}
		want, wantErr := yamlToJSON(slices.Clone(text))
		short, e := elide(text)
		got, err := yamlToJSON(short)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("error %v, want %v", err, wantErr)
		}
		if err == nil && string(e.expand(got)) != string(want) {
			t.Errorf("%s\nwant %s", e.expand(got), want)
		}
		if kyaml.IsJSONBuffer(text) != kyaml.IsJSONBuffer(short) {
			t.Error("it begins otherwise")
		}
	})
}

// ambiguous reports whether keys of YAML are one in JSON, such as 0 and "0": any of their values may then be taken.
func ambiguous(value any) bool {
	switch v := value.(type) {
	case []any:
		return slices.ContainsFunc(v, ambiguous)
	case map[any]any:
		names := map[string]bool{}
		for key, element := range v {
			name := fmt.Sprint(key)
			if names[name] || ambiguous(element) {
				return true
			}
			names[name] = true
		}
	}
	return false
}

// TestElisionTakesOutWhatTakesLong keeps the way around the YAML parser open for the texts that it is for.
func TestElisionTakesOutWhatTakesLong(t *testing.T) {
	for _, text := range []string{
		"ca: WORD\n", "ca: WORD", "ca: WORD\r\n", "- ca: \"WORD\"\n", "ca: 'WORD' # why\n", "{\"ca\":\"WORD\"}", "{\"ca\": \"WORD\",\n", "token: eyJWORD.WORD.a-b_c\n",
	} {
		text = strings.ReplaceAll(text, "WORD", longWord)
		short, e := elide([]byte(text))
		if len(e.words) != 1 || strings.Contains(string(short), longWord) || string(e.expand(short)) != text {
			t.Errorf("%s: %d words, %s", text, len(e.words), short)
		}
	}
	for _, text := range []string{"ca: 0WORD\n", "ca: WORD x\n", "WORD\n", "- WORD\n", "ca: \"WORD x\"\n", "ca: x WORD\n", "ca:\n  WORD\n", "ca: short\n"} {
		text = strings.ReplaceAll(text, "WORD", longWord)
		if _, e := elide([]byte(text)); len(e.words) != 0 {
			t.Errorf("%s: %q taken out", text, e.words)
		}
	}
}
