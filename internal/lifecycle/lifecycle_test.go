package lifecycle_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/clusterfleet/clusterfleet/internal/lifecycle"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTheEndOfAnAPIVersionIsKnown(t *testing.T) {
	t.Parallel()
	var table lifecycle.Table
	for _, c := range []struct {
		group, version, kind string
		want                 lifecycle.Lifecycle
	}{
		{"batch", "v1beta1", "CronJob", lifecycle.Lifecycle{DeprecatedIn: "1.21", RemovedIn: "1.25", Replacement: "batch/v1 CronJob"}},
		{"extensions", "v1beta1", "Ingress", lifecycle.Lifecycle{DeprecatedIn: "1.14", RemovedIn: "1.22", Replacement: "networking.k8s.io/v1 Ingress"}},
		{"policy", "v1beta1", "PodSecurityPolicy", lifecycle.Lifecycle{DeprecatedIn: "1.21", RemovedIn: "1.25"}},
		{"autoscaling", "v2beta2", "HorizontalPodAutoscaler", lifecycle.Lifecycle{DeprecatedIn: "1.23", RemovedIn: "1.26", Replacement: "autoscaling/v2 HorizontalPodAutoscaler"}},
		{"", "v1", "ComponentStatus", lifecycle.Lifecycle{DeprecatedIn: "1.19"}},
		{"", "v1", "Pod", lifecycle.Lifecycle{}},
		{"apps", "v1", "Deployment", lifecycle.Lifecycle{}},
		{"example.com", "v1beta1", "CronJob", lifecycle.Lifecycle{}},
		{"batch", "v1beta1", "cronjob", lifecycle.Lifecycle{}},
	} {
		if diff := cmp.Diff(c.want, table.Of(c.group, c.version, c.kind)); diff != "" {
			t.Errorf("%s/%s %s: -want +got:\n%s", c.group, c.version, c.kind, diff)
		}
	}
}

func TestEveryTypeThatKubernetesRemovesIsKnown(t *testing.T) {
	t.Parallel()
	var table lifecycle.Table
	removed := 0
	for gvk := range scheme.Scheme.AllKnownTypes() {
		object, err := scheme.Scheme.New(gvk)
		if err != nil {
			t.Fatal(err)
		}
		got := table.Of(gvk.Group, gvk.Version, gvk.Kind)
		if _, ok := object.(interface{ APILifecycleRemoved() (int, int) }); ok {
			removed++
			if got.RemovedIn == "" || got.DeprecatedIn == "" {
				t.Errorf("%v: %+v", gvk, got)
			}
		}
		if _, ok := object.(interface{ APILifecycleDeprecated() (int, int) }); ok && got.DeprecatedIn == "" {
			t.Errorf("%v is deprecated: %+v", gvk, got)
		}
		if o, ok := object.(interface {
			APILifecycleReplacement() schema.GroupVersionKind
		}); ok && got.Replacement == "" {
			t.Errorf("%v is replaced by %v: %+v", gvk, o.APILifecycleReplacement(), got)
		}
	}
	if removed < 100 {
		t.Errorf("only %d types have an end", removed)
	}
}

func BenchmarkTableIsMade(b *testing.B) {
	for b.Loop() {
		var table lifecycle.Table
		table.Of("", "v1", "Pod")
	}
}
