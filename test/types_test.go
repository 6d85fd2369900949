package test_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/clusterfleet/clusterfleet/test/internal/realkube"
)

func brokenAPIService(t *testing.T, fleet *realkube.Fleet) {
	broken := fleet.Servers[2]
	const services = "/apis/apiregistration.k8s.io/v1/apiservices"
	create(t, broken, services, object{
		"metadata": object{"name": "v1beta1.broken.example.org"},
		"spec": object{
			"group": "broken.example.org", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100,
			"insecureSkipTLSVerify": true, "service": object{"namespace": "default", "name": "nobody"},
		},
	})
	defer func() {
		if status, answer := broken.Do(t, http.MethodDelete, services+"/v1beta1.broken.example.org", ""); status != http.StatusOK {
			t.Errorf("status %d: %s", status, answer)
		}
	}()
	broken.Await(t, broken.Token, "/apis/broken.example.org/v1beta1", http.StatusServiceUnavailable)

	a := programs.Aggregator(t, fleet.Kubeconfig)
	r := a.Fleetctl(t, "api-resources")
	t.Run("is a warning", func(t *testing.T) {
		exits(t, r, 0, "", "warning: broken.example.org/v1beta1 is announced and not served in real-3: ")
	})
	t.Run("leaves the types of its cluster alone", func(t *testing.T) {
		for _, line := range []string{"pods po v1 true Pod 3/3", "deployments deploy apps/v1 true Deployment 3/3"} {
			if !strings.Contains(strings.Join(strings.Fields(r.Stdout), " "), line) {
				t.Errorf("no %q in\n%s", line, r.Stdout)
			}
		}
		exits(t, a.Fleetctl(t, "get", "deploy", "-A", "--require-complete"), 0, "", "")
	})
}
