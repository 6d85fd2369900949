package manifest

import "strings"

// listSuffix is what the kinds of lists end with.
const listSuffix = "List"

// object is where the members of a Kubernetes object stand that this package looks at: indexes of their values in the
// JSON that holds it, or absent, and where it begins itself.
type object struct {
	start                             int
	apiVersion, kind, metadata, items int
}

func lookAt(json []byte, at int) object {
	o := object{at, absent, absent, absent, absent}
	for w := walk(json, at); ; {
		m, ok := w.member()
		if !ok {
			return o
		}
		switch {
		case m.is("apiVersion"):
			o.apiVersion = m.value
		case m.is("kind"):
			o.kind = m.value
		case m.is("metadata"):
			o.metadata = m.value
		case m.is("items"):
			o.items = m.value
		}
	}
}

// identity returns namespace and name out of the metadata at json[at]; false where they are no strings.
func identity(json []byte, at int) (namespace, name []byte, ok bool) {
	if at == absent || json[at] == 'n' {
		return nil, nil, true
	}
	if json[at] != '{' {
		return nil, nil, false
	}
	for w := walk(json, at); ; {
		m, more := w.member()
		switch {
		case !more:
			return namespace, name, true
		case m.is("namespace"):
			namespace, ok = textAt(json, m.value)
		case m.is("name"):
			name, ok = textAt(json, m.value)
		default:
			continue
		}
		if !ok {
			return nil, nil, false
		}
	}
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

// interned keeps the string it made last: neighbours in a list mostly share their namespace.
type interned struct{ last string }

func (i *interned) string(text []byte) string {
	if i.last != string(text) {
		i.last = string(text)
	}
	return i.last
}
