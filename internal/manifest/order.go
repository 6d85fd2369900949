package manifest

import (
	"cmp"
	"strings"
)

// key is where an object stands in a list. API servers list in the order of the keys in etcd: of NAMESPACE/NAME as one
// text, in which the slash counts, or of the name alone.
type key struct{ namespace, name string }

func itemKey(i Item) key { return key{i.Namespace, i.Name} }

func rowKey(r Row) key { return key{r.Namespace, r.Name} }

func (k key) compare(other key) int {
	if k.namespace == other.namespace {
		return strings.Compare(k.name, other.name)
	}
	n := min(len(k.namespace), len(other.namespace))
	return cmp.Or(
		strings.Compare(k.namespace[:n], other.namespace[:n]),
		cmp.Compare(after(k.namespace, n), after(other.namespace, n)),
	)
}

// after returns what stands in a key behind the first n bytes of the namespace.
func after(namespace string, n int) byte {
	if n == len(namespace) {
		return '/'
	}
	return namespace[n]
}
