package simulator

import (
	"bufio"
	"encoding/json"
	"mime"
	"net/http"
	"strings"
)

// form is how a client wants objects.
type form int

const (
	asObject form = iota
	asTable
	asMetadata
)

// negotiate takes the first media type of an Accept header that is served here.
func negotiate(accept []string) (form, bool) {
	header := strings.Join(accept, ",")
	if header == "" || header == "application/json" {
		return asObject, true
	}
	for part := range strings.SplitSeq(header, ",") {
		media, parameters, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		if media != "application/json" && media != "application/*" && media != "*/*" {
			continue
		}
		if parameters["as"] == "" {
			return asObject, true
		}
		if parameters["g"] != "meta.k8s.io" || parameters["v"] != "v1" {
			continue
		}
		switch parameters["as"] {
		case "Table":
			return asTable, true
		case "PartialObjectMetadata", "PartialObjectMetadataList":
			return asMetadata, true
		}
	}
	return asObject, false
}

// partialHead stands before the metadata in a PartialObjectMetadata; a brace stands after it.
const partialHead = `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":`

// lister writes a list whose items are assembled. It buffers, and remembers the first error, as bufio.Writer does.
type lister struct {
	out   *bufio.Writer
	items int
}

func (x *exchange) startList(head, metadata string) *lister {
	x.head(http.StatusOK, jsonType)
	l := &lister{out: bufio.NewWriterSize(x.w, 32<<10)}
	l.say(head)
	l.say(metadata)
	return l
}

func (l *lister) say(text string) { _, _ = l.out.WriteString(text) } // Flush tells what went wrong

func (l *lister) write(pieces ...[]byte) {
	for _, piece := range pieces {
		_, _ = l.out.Write(piece)
	}
}

// next separates items.
func (l *lister) next() {
	if l.items > 0 {
		l.say(",")
	}
	l.items++
}

func (l *lister) partial(metadata []byte) {
	l.say(partialHead)
	l.write(metadata)
	l.say("}")
}

func (l *lister) finish(tail string) error {
	l.say(tail)
	return l.out.Flush()
}

func (x *exchange) metadataList(t target, p page) error {
	l := x.startList(`{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":`, p.metadata())
	l.say(`,"items":[`)
	for _, r := range p.spans {
		for i := r.from; i < r.to; i++ {
			l.next()
			l.partial(t.shelf.metadata(i))
		}
	}
	return l.finish("]}\n")
}

// table answers with the rows that kubectl prints, as the server-side printer of kube-apiserver does.
func (x *exchange) table(t target, p page) error {
	include := t.query.Get("includeObject")
	switch include {
	case "", "None", "Metadata", "Object":
	default:
		return x.status(badRequest("unrecognized includeObject value %q", include))
	}
	columns, err := json.Marshal(t.shelf.columns)
	if err != nil {
		return x.status(badRequest("%v", err))
	}
	l := x.startList(`{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":`, p.metadata())
	l.say(`,"columnDefinitions":`)
	l.write(columns)
	l.say(`,"rows":[`)
	for _, r := range p.spans {
		for i := r.from; i < r.to; i++ {
			l.next()
			l.say(`{"cells":`)
			l.write(t.shelf.items[i].cells)
			l.say(`,"object":`)
			switch include {
			case "Object":
				l.write(t.shelf.object(i)...)
			case "None":
				l.say("null")
			default:
				l.partial(t.shelf.metadata(i))
			}
			l.say("}")
		}
	}
	return l.finish("]}\n")
}
