package test_test

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/clusterfleet/clusterfleet/test/internal/realkube"
)

// documentedManifests offers what docs/operating-clusters.md shows to an API server, which keeps none of it.
func documentedManifests(t *testing.T, fleet *realkube.Fleet) {
	paths := map[string]string{
		"ClusterRole":                "/apis/rbac.authorization.k8s.io/v1/clusterroles",
		"PriorityLevelConfiguration": "/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations",
		"FlowSchema":                 "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas",
	}
	for _, block := range codeBlocks(t, filepath.Join(root(t), "docs", "operating-clusters.md"), "yaml") {
		for text := range strings.SplitSeq(block, "---\n") {
			var o object
			if err := yaml.UnmarshalStrict([]byte(text), &o); err != nil {
				t.Fatal(err)
			}
			kind, _ := o["kind"].(string)
			path, known := paths[kind]
			if !known {
				t.Fatalf("where does a %q go?", kind)
			}
			delete(paths, kind)
			body, err := json.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			if status, answer := fleet.Servers[0].Do(t, http.MethodPost, path+"?dryRun=All&fieldValidation=Strict", string(body)); status != http.StatusCreated {
				t.Errorf("%s: status %d: %s", kind, status, answer)
			}
		}
	}
	if len(paths) > 0 {
		t.Errorf("the document does not show %v", paths)
	}
}
