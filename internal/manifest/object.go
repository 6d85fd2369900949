package manifest

import (
	"errors"
	"strings"
)

// listSuffix is what the kinds of lists end with.
const listSuffix = "List"

var (
	errDuplicate = errors.New("duplicate object member name")
	errOtherType = errors.New("of another type than Kubernetes gives it")
)

// object is where the members of a Kubernetes object stand that this package looks at: indexes of their values in the
// JSON that holds it, or absent, and where it begins itself.
type object struct {
	start                             int
	apiVersion, kind, metadata, items int
	hasData                           bool // data or stringData
}

// lookAt looks at the object at s.json[at]. It fails for a name that comes twice.
func (s *scanned) lookAt(at int, names *names) (object, error) {
	o := object{at, absent, absent, absent, absent, false}
	names.reset()
	for w := s.walk(at); w.member(); {
		if !names.add(w.name) {
			return o, errDuplicate
		}
		switch string(w.name) {
		case "apiVersion":
			o.apiVersion = w.value
		case "kind":
			o.kind = w.value
		case "metadata":
			o.metadata = w.value
		case "items":
			o.items = w.value
		case "data", "stringData":
			o.hasData = true
		}
	}
	return o, nil
}

// metadata is where the members of an object's metadata stand that this package looks at, as in object.
type metadata struct {
	start                        int
	namespace, name, annotations int
	// managedFields is what to cut out: the member with one of the commas around it.
	managedFields span
}

// lookAtMetadata looks at the metadata at s.json[at], as lookAt does; at what is no object it finds nothing.
func (s *scanned) lookAtMetadata(at int, names *names) (metadata, error) {
	found := metadata{start: at, namespace: absent, name: absent, annotations: absent}
	if at == absent || s.json[at] != '{' {
		return found, nil
	}
	names.reset()
	previous, before, isLast := at+1, 0, false
	for w := s.walk(at); w.member(); previous = w.end {
		if !names.add(w.name) {
			return found, errDuplicate
		}
		if isLast {
			found.managedFields, isLast = span{found.managedFields.from, w.start}, false
		}
		switch string(w.name) {
		case "namespace":
			found.namespace = w.value
		case "name":
			found.name = w.value
		case "annotations":
			found.annotations = w.value
		case "managedFields":
			found.managedFields, isLast = span{w.start, w.end}, true
			before = previous
		}
	}
	if isLast {
		found.managedFields.from = before
	}
	return found, nil
}

// identity returns what namespace and name say; false where they, or the metadata itself, are of another type.
func (s *scanned) identity(m metadata) (namespace, name []byte, ok bool) {
	if m.start != absent && s.json[m.start] != '{' && s.json[m.start] != 'n' {
		return nil, nil, false
	}
	namespace, namespaceOK := textAt(s.json, m.namespace)
	name, nameOK := textAt(s.json, m.name)
	return namespace, name, namespaceOK && nameOK
}

// textAt returns what the string at json[at] says, nothing for null or an absent value; false for anything else.
func textAt(json []byte, at int) ([]byte, bool) {
	switch {
	case at == absent || json[at] == 'n':
		return nil, true
	case json[at] != '"':
		return nil, false
	}
	return text(json[at:skipString(json, at)]), true
}

func isListKind(kind string) bool { return strings.HasSuffix(kind, listSuffix) }

// isSecret tells whether objects of a kind are Secrets. Without an apiVersion they are held to be.
func isSecret(apiVersion, kind string) bool {
	return kind == "Secret" && (apiVersion == "v1" || apiVersion == "")
}
