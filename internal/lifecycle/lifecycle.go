// Package lifecycle knows which API versions newer versions of Kubernetes do not serve any more. It has that from the
// methods that are generated into k8s.io/api beside the types themselves, so that it is as complete as the Kubernetes
// version in go.mod. A program of its own reads them into a text, which is embedded: a program that is linked with all types
// of Kubernetes is a third larger, whether it asks them or not. It knows nothing of custom resources.
package lifecycle

import (
	"sync"

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
	t.of = map[schema.GroupVersionKind]Lifecycle{}
	t.add(historical)
	t.add(kubernetes)
}
