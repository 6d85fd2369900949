package manifest

import (
	"strings"

	"github.com/go-json-experiment/json"
)

// Meta is what a body says beside its items.
type Meta struct {
	// APIVersion is that of the items, or of the single object. For a v1 List, whose items say their own, it is v1.
	APIVersion string
	// Kind is the items' kind: Pod for a PodList, empty for a v1 List. For a single object it is its own, for a Table
	// it is Table.
	Kind string
	// ResourceVersion is the list's; empty for single objects.
	ResourceVersion string
	// Continue is the token of the next page; empty on the last one.
	Continue string
	// RemainingItemCount is how many items come after this page, by the server's estimate; 0 where it does not say.
	RemainingItemCount int64
}

// header collects the members that stand beside the items.
type header struct {
	apiVersion, kind string
	list             struct {
		ResourceVersion    string `json:"resourceVersion"`
		Continue           string `json:"continue"`
		RemainingItemCount int64  `json:"remainingItemCount"`
	}
}

// read takes a member if it is one of the header's.
func (h *header) read(name string, value []byte, at int64) error {
	ok := true
	switch name {
	case "apiVersion":
		var version []byte
		version, ok = textAt(value, 0)
		h.apiVersion = string(version)
	case "kind":
		var kind []byte
		kind, ok = textAt(value, 0)
		h.kind = string(kind)
	case "metadata":
		ok = json.Unmarshal(value, &h.list) == nil
	}
	if !ok {
		return malformed(at, "%s is of another type than Kubernetes gives it", name)
	}
	return nil
}

// check makes sure that a document that was read to its end is a Kubernetes object at all.
func (h *header) check(at int64) error {
	if h.kind == "" || h.apiVersion == "" {
		return malformed(at, "not a Kubernetes object: it has no kind or no apiVersion")
	}
	return nil
}

func (h *header) isStatus() bool {
	return h.kind == "Status" && (h.apiVersion == "v1" || h.apiVersion == "meta.k8s.io/v1")
}

func (h *header) listMeta() Meta {
	return Meta{
		APIVersion:         h.apiVersion,
		Kind:               strings.TrimSuffix(h.kind, listSuffix),
		ResourceVersion:    h.list.ResourceVersion,
		Continue:           h.list.Continue,
		RemainingItemCount: h.list.RemainingItemCount,
	}
}
