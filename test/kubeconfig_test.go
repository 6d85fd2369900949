package test_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/clusterfleet/clusterfleet/test/internal/realkube"
)

// entry is a context of a kubeconfig, with a cluster and a user of the same name.
type entry struct {
	name    string
	context map[string]any // besides cluster and user
	cluster map[string]any
	user    map[string]any
}

// contextOf returns a context that reaches the server as its administrator.
func contextOf(name string, server *realkube.Server) entry {
	return entry{
		name:    name,
		context: map[string]any{},
		cluster: map[string]any{"server": server.URL, "certificate-authority": server.CAFile},
		user:    map[string]any{"token": server.Token},
	}
}

// token makes the context authenticate with another token.
func (e entry) token(token string) entry {
	e.user = map[string]any{"token": token}
	return e
}

// namespace makes it the context's.
func (e entry) namespace(namespace string) entry {
	e.context = map[string]any{"namespace": namespace}
	return e
}

// labels are those of the cluster, which a context carries in an extension.
func (e entry) labels(labels map[string]string) entry {
	extension := map[string]any{"name": "clusterfleet", "extension": map[string]any{"labels": labels}}
	e.context = map[string]any{"extensions": []any{extension}}
	return e
}

// writeKubeconfig writes a kubeconfig with these contexts and returns its name.
func writeKubeconfig(t *testing.T, entries ...entry) string {
	t.Helper()
	var clusters, users, contexts []any
	for _, e := range entries {
		clusters = append(clusters, map[string]any{"name": e.name, "cluster": e.cluster})
		users = append(users, map[string]any{"name": e.name, "user": e.user})
		context := map[string]any{"cluster": e.name, "user": e.name}
		maps.Copy(context, e.context)
		contexts = append(contexts, map[string]any{"name": e.name, "context": context})
	}
	content, err := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Config", "clusters": clusters, "users": users, "contexts": contexts,
	})
	if err != nil {
		t.Fatal(err)
	}
	return writeFile(t, "kubeconfig", string(content))
}

// writeFile writes a file that goes with the test.
func writeFile(t *testing.T, name, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// replaceFile gives a file the content of another one.
func replaceFile(t *testing.T, file, by string) {
	t.Helper()
	if err := os.WriteFile(file, readFile(t, by), 0o600); err != nil {
		t.Fatal(err)
	}
}
