// Package lifecycle knows which API versions newer versions of Kubernetes do not serve any more. It has that from the
// methods that are generated into k8s.io/api beside the types themselves, so that it is as complete as the Kubernetes
// version it is built with. It knows nothing of custom resources.
package lifecycle

import (
	"strconv"
	"sync"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Lifecycle is what is known of the end of one API version of a type. Versions of Kubernetes are such as `1.25`; what is
// not known is empty.
type Lifecycle struct {
	// DeprecatedIn is the version that advises against it, RemovedIn the first one that does not serve it, which may be one
	// that is still to come.
	DeprecatedIn, RemovedIn string
	// Replacement is what to use instead, as `group/version kind`.
	Replacement string
}

// Table holds the lifecycles of Kubernetes' own types. It is made when it is first asked. The zero value is ready, and safe
// for concurrent use.
type Table struct {
	once sync.Once
	of   map[schema.GroupVersionKind]Lifecycle
}

// Of returns the lifecycle of a kind, nothing for those of which nothing is known.
func (t *Table) Of(group, version, kind string) Lifecycle {
	t.once.Do(t.make)
	return t.of[schema.GroupVersionKind{Group: group, Version: version, Kind: kind}]
}

func (t *Table) make() {
	t.of = historical()
	scheme := runtime.NewScheme()
	register := builder()
	if err := register.AddToScheme(scheme); err != nil {
		return // it fails for conflicts between packages only, and a test makes it
	}
	for gvk := range scheme.AllKnownTypes() {
		if object, err := scheme.New(gvk); err == nil {
			if l := lifecycleOf(object); l != (Lifecycle{}) {
				t.of[gvk] = l
			}
		}
	}
}

// lifecycleOf asks the methods that prerelease-lifecycle-gen generates.
func lifecycleOf(object runtime.Object) (l Lifecycle) {
	if o, ok := object.(interface{ APILifecycleDeprecated() (major, minor int) }); ok {
		l.DeprecatedIn = kubernetes(o.APILifecycleDeprecated())
	}
	if o, ok := object.(interface{ APILifecycleRemoved() (major, minor int) }); ok {
		l.RemovedIn = kubernetes(o.APILifecycleRemoved())
	}
	if o, ok := object.(interface {
		APILifecycleReplacement() schema.GroupVersionKind
	}); ok {
		r := o.APILifecycleReplacement()
		l.Replacement = r.GroupVersion().String() + " " + r.Kind
	}
	return l
}

func kubernetes(major, minor int) string { return strconv.Itoa(major) + "." + strconv.Itoa(minor) }
