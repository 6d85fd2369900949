package manifest

import (
	"bytes"
	"slices"
)

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// maxNestedLists is how deep lists may stand in the items of lists. kubectl and API servers nest none.
const maxNestedLists = 4

// span is a part of an item, from a byte up to another one.
type span struct{ from, to int }

// redactor cuts out of objects what is not wanted. What stays is not touched, not even its whitespace.
type redactor struct {
	managedFields bool // keep them
	secretData    bool // keep it
	buf           *buffers
}

// redact returns json, in which o stands, without what is not wanted: json itself where nothing of that kind is there, else a
// copy valid until the next call. It returns false where lists are nested too deep in the object.
func (r redactor) redact(json []byte, o object, secret bool) ([]byte, bool) {
	r.buf.cuts = r.buf.cuts[:0]
	if r.managedFields && r.secretData {
		return json, true
	}
	if !r.find(json, o, secret, 0) {
		return nil, false
	}
	if len(r.buf.cuts) == 0 {
		return json, true
	}
	slices.SortFunc(r.buf.cuts, func(a, b span) int { return a.from - b.from })
	out, from := r.buf.out[:0], 0
	for _, cut := range r.buf.cuts {
		out = append(out, json[from:cut.from]...)
		from = cut.to
	}
	r.buf.out = append(out, json[from:]...)
	return r.buf.out, true
}

// find notes what is to be cut out of the object o and, if that is a list, out of its items: no Secret hides
// in a list inside a list.
func (r redactor) find(json []byte, o object, secret bool, nested int) bool {
	kind, _ := textAt(json, o.kind)
	apiVersion, _ := textAt(json, o.apiVersion)
	secret = secret || isSecret(string(apiVersion), string(kind))
	if secret && !r.secretData {
		r.cut(json, o.start, "data", "stringData")
	}
	r.findInMetadata(json, o.metadata, secret)
	element, isList := bytes.CutSuffix(kind, []byte(listSuffix))
	if !isList || o.items == absent || json[o.items] != '[' {
		return true
	}
	if nested == maxNestedLists {
		return false
	}
	secret = secret || isSecret(string(apiVersion), string(element))
	for w := walk(json, o.items); ; {
		start, _, ok := w.element()
		if !ok {
			return true
		}
		if json[start] == '{' && !r.find(json, lookAt(json, start), secret, nested+1) {
			return false
		}
	}
}

func (r redactor) findInMetadata(json []byte, at int, secret bool) {
	if at == absent || json[at] != '{' {
		return
	}
	if !r.managedFields {
		r.cut(json, at, "managedFields")
	}
	if !secret || r.secretData {
		return
	}
	for w := walk(json, at); ; {
		m, ok := w.member()
		if !ok {
			return
		}
		if m.is("annotations") && json[m.value] == '{' {
			r.cut(json, m.value, lastApplied)
		}
	}
}

// cut notes the members of the object at json[at] that bear one of the names, each with one of the commas around it.
func (r redactor) cut(json []byte, at int, names ...string) {
	staysUntil := at + 1 // the end of the last member that stays, or of the brace
	run := absent        // the start of the members to cut since then
	last := absent       // the end of the last member to cut
	for w := walk(json, at); ; {
		m, ok := w.member()
		switch {
		case !ok && run != absent:
			r.buf.cuts = append(r.buf.cuts, span{staysUntil, last})
			return
		case !ok:
			return
		case slices.ContainsFunc(names, m.is):
			if run == absent {
				run = m.start
			}
			last = m.end
			continue
		case run != absent:
			r.buf.cuts = append(r.buf.cuts, span{run, m.start})
			run = absent
		}
		staysUntil = m.end
	}
}
