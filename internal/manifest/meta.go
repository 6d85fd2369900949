package manifest

import (
	"errors"
	"strconv"
	"strings"
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
	list             Meta // of it what stands in metadata
}

// read takes a member if it is one of the header's.
func (h *header) read(name string, value []byte, at int64, names *names) error {
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
		err := h.readMetadata(value, names)
		if errors.Is(err, errDuplicate) {
			return malformed(at, "%v in the metadata of the document", err)
		}
		ok = err == nil
	}
	if !ok {
		return malformed(at, "%s is of another type than Kubernetes gives it", name)
	}
	return nil
}

// readMetadata takes what the metadata of a list says. What that of a single object says by the same names is not used.
func (h *header) readMetadata(value []byte, names *names) error {
	if value[0] != '{' {
		if value[0] == 'n' {
			return nil
		}
		return errOtherType
	}
	names.reset()
	for w := (&scanned{json: value}).walk(0); w.member(); {
		if !names.add(w.name) {
			return errDuplicate
		}
		text, ok := []byte(nil), true
		switch string(w.name) {
		case "resourceVersion":
			text, ok = textAt(value, w.value)
			h.list.ResourceVersion = string(text)
		case "continue":
			text, ok = textAt(value, w.value)
			h.list.Continue = string(text)
		case "remainingItemCount":
			h.list.RemainingItemCount, ok = count(value[w.value:w.end])
		}
		if !ok {
			return errOtherType
		}
	}
	return nil
}

// count returns what a number says; false for anything but an integer, or null.
func count(value []byte) (int64, bool) {
	if value[0] == 'n' {
		return 0, true
	}
	n, err := strconv.ParseInt(string(value), 10, 64)
	return n, err == nil
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
	meta := h.list
	meta.APIVersion, meta.Kind = h.apiVersion, strings.TrimSuffix(h.kind, listSuffix)
	return meta
}
