package manifest

import (
	"bytes"
	"errors"
	"slices"
)

// maxNestedLists is how deep lists may stand in the items of lists. kubectl and API servers nest none.
const maxNestedLists = 4

var (
	errNestedLists = errors.New("lists nested more than 4 times in an item")
	errNoKind      = errors.New("an object without a kind in a List of any kind, in an item")
)

// span is a part of an item, from a byte up to another one.
type span struct{ from, to int }

// redactor cuts out of objects what is not wanted. What stays is not touched, not even its whitespace.
type redactor struct {
	*scanned
	managedFields bool // keep them
	secretData    bool // keep it
	buf           *buffers
}

// redact returns the JSON of the object o without what is not wanted. It moves what stays together where it stands: the
// JSON before is lost.
func (r *redactor) redact(o object, m metadata, secret bool) ([]byte, error) {
	r.buf.cuts = r.buf.cuts[:0]
	if r.managedFields && r.secretData {
		return r.json, nil
	}
	if err := r.find(o, m, secret, 0); err != nil {
		return nil, err
	}
	if len(r.buf.cuts) > 1 {
		slices.SortFunc(r.buf.cuts, func(a, b span) int { return a.from - b.from })
	}
	// What is cut out stands near the beginning, so what stays before it moves.
	end := len(r.json)
	for i, cut := range slices.Backward(r.buf.cuts) {
		if i == len(r.buf.cuts)-1 {
			end = cut.to
		}
		from := 0
		if i > 0 {
			from = r.buf.cuts[i-1].to
		}
		end -= copy(r.json[end-(cut.from-from):end], r.json[from:cut.from])
	}
	if len(r.buf.cuts) == 0 {
		return r.json, nil
	}
	return r.json[end:], nil
}

// find notes what is to be cut out of the object o and, if that is a list, out of its items: no Secret hides in a list
// inside a list.
func (r *redactor) find(o object, m metadata, secret bool, nested int) error {
	kind, _ := textAt(r.json, o.kind)
	apiVersion, _ := textAt(r.json, o.apiVersion)
	secret = secret || isSecret(string(apiVersion), string(kind))
	if m.managedFields.to > 0 && !r.managedFields {
		r.buf.cuts = append(r.buf.cuts, m.managedFields)
	}
	if secret && !r.secretData {
		if err := r.findSecret(o, m); err != nil {
			return err
		}
	}
	element, isList := bytes.CutSuffix(kind, []byte(listSuffix))
	if !isList || o.items == absent || r.json[o.items] != '[' {
		return nil
	}
	if nested == maxNestedLists {
		return errNestedLists
	}
	secret = secret || isSecret(string(apiVersion), string(element))
	for w := r.walk(o.items); ; {
		start, _, ok := w.element()
		switch {
		case !ok:
			return nil
		case r.json[start] != '{':
			continue
		}
		o, err := r.lookAt(start, &r.buf.names)
		if err != nil {
			return err
		}
		if kind, _ := textAt(r.json, o.kind); len(kind) == 0 && len(element) == 0 && !secret && !r.secretData {
			return errNoKind // it could be a Secret
		}
		m, err := r.lookAtMetadata(o.metadata, &r.buf.names)
		if err != nil {
			return err
		}
		if err := r.find(o, m, secret, nested+1); err != nil {
			return err
		}
	}
}

func (r *redactor) findSecret(o object, m metadata) error {
	if o.hasData {
		r.cut(o.start, "data", "stringData")
	}
	if m.annotations == absent || r.json[m.annotations] != '{' {
		return nil
	}
	r.buf.names.reset()
	for w := r.walk(m.annotations); w.member(); {
		if !r.buf.names.add(w.name) {
			return errDuplicate
		}
	}
	r.cut(m.annotations, appliedCopies[:]...)
	return nil
}

// cut notes the members of the object at json[at] that bear one of the names, each with one of the commas around it.
func (r *redactor) cut(at int, names ...string) {
	staysUntil := at + 1 // the end of the last member that stays, or of the brace
	run := absent        // the start of the members to cut since then
	for w := r.walk(at); w.member(); staysUntil = w.end {
		for slices.Contains(names, string(w.name)) {
			if run == absent {
				run = w.start
			}
			last := w.end
			if !w.member() {
				r.buf.cuts = append(r.buf.cuts, span{staysUntil, last})
				return
			}
		}
		if run != absent {
			r.buf.cuts = append(r.buf.cuts, span{run, w.start})
			run = absent
		}
	}
}
