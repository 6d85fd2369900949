package lifecycle_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
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
		{"autoscaling", "v2beta1", "HorizontalPodAutoscaler", lifecycle.Lifecycle{DeprecatedIn: "1.22", RemovedIn: "1.25", Replacement: "autoscaling/v2 HorizontalPodAutoscaler"}},
		{"apiextensions.k8s.io", "v1beta1", "CustomResourceDefinition", lifecycle.Lifecycle{DeprecatedIn: "1.16", RemovedIn: "1.22", Replacement: "apiextensions.k8s.io/v1 CustomResourceDefinition"}},
		{"apiregistration.k8s.io", "v1beta1", "APIService", lifecycle.Lifecycle{DeprecatedIn: "1.19", RemovedIn: "1.22", Replacement: "apiregistration.k8s.io/v1 APIService"}},
		{"", "v1", "ComponentStatus", lifecycle.Lifecycle{DeprecatedIn: "1.19"}},
		{"", "v1", "Endpoints", lifecycle.Lifecycle{DeprecatedIn: "1.33", Replacement: "discovery.k8s.io/v1 EndpointSlice"}},
		{"", "v1", "Pod", lifecycle.Lifecycle{}},
		{"apps", "v1", "Deployment", lifecycle.Lifecycle{}},
		{"example.com", "v1beta1", "CronJob", lifecycle.Lifecycle{}},
		{"batch", "v1beta1", "cronjob", lifecycle.Lifecycle{}},
		{"", "", "", lifecycle.Lifecycle{}},
	} {
		if diff := cmp.Diff(c.want, table.Of(c.group, c.version, c.kind)); diff != "" {
			t.Errorf("%s/%s %s: -want +got:\n%s", c.group, c.version, c.kind, diff)
		}
	}
}

func TestWhatKubernetesSaysOfItsTypesIsKnownAndNoMore(t *testing.T) {
	t.Parallel()
	var table lifecycle.Table
	removed := 0
	for gvk := range scheme.Scheme.AllKnownTypes() {
		object, err := scheme.Scheme.New(gvk)
		if err != nil {
			t.Fatal(err)
		}
		var want lifecycle.Lifecycle
		if o, ok := object.(interface{ APILifecycleDeprecated() (int, int) }); ok {
			major, minor := o.APILifecycleDeprecated()
			want.DeprecatedIn = fmt.Sprintf("%d.%d", major, minor)
		}
		if o, ok := object.(interface{ APILifecycleRemoved() (int, int) }); ok {
			removed++
			major, minor := o.APILifecycleRemoved()
			want.RemovedIn = fmt.Sprintf("%d.%d", major, minor)
		}
		if o, ok := object.(interface {
			APILifecycleReplacement() schema.GroupVersionKind
		}); ok {
			r := o.APILifecycleReplacement()
			want.Replacement = r.GroupVersion().String() + " " + r.Kind
		}
		if diff := cmp.Diff(want, table.Of(gvk.Group, gvk.Version, gvk.Kind)); diff != "" {
			t.Errorf("%v: go generate ./internal/lifecycle: -want +got:\n%s", gvk, diff)
		}
	}
	if removed < 100 {
		t.Errorf("only %d types have an end", removed)
	}
}

// A row by hand that is not one would be read as something else, or as nothing.
func TestRowsByHandAreRows(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("historical.txt")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		rows++
		if !regexp.MustCompile(`^[a-z0-9./]+ [A-Z]\w+ (1\.\d+|-) (1\.\d+|-)( [a-z0-9./]+ [A-Z]\w+)?\n$`).MatchString(line) {
			t.Errorf("%q is no row", line)
		}
	}
	if rows == 0 {
		t.Error("no rows")
	}
}

func BenchmarkTableIsMade(b *testing.B) {
	for b.Loop() {
		var table lifecycle.Table
		table.Of("", "v1", "Pod")
	}
}
