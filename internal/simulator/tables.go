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

var (
	partialHead = []byte(`{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":`)
	objectTail  = []byte(`}`)
)

// lister writes a list whose items are assembled. It buffers, and remembers the first error, as bufio.Writer does.
type lister struct {
	out   *bufio.Writer
	items int
}

func (x *exchange) startList(head, metadata string) *lister {
	x.head(http.StatusOK, jsonType)
	l := &lister{out: bufio.NewWriterSize(x.w, 32<<10)}
	l.write([]byte(head), []byte(metadata))
	return l
}

func (l *lister) write(pieces ...[]byte) {
	for _, piece := range pieces {
		_, _ = l.out.Write(piece) // Flush tells
	}
}

func (l *lister) item(pieces ...[]byte) {
	if l.items > 0 {
		l.write(comma)
	}
	l.items++
	l.write(pieces...)
}

func (l *lister) finish(tail string) error {
	l.write([]byte(tail))
	return l.out.Flush()
}

func (x *exchange) metadataList(t target, p page) error {
	if err := x.ctx().Err(); err != nil {
		return err
	}
	l := x.startList(`{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":`, p.metadata())
	l.write([]byte(`,"items":[`))
	for _, r := range p.spans {
		for i := r.from; i < r.to; i++ {
			l.item(partialHead, t.shelf.metadata(i), objectTail)
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
	if err := x.ctx().Err(); err != nil {
		return err
	}
	l := x.startList(`{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":`, p.metadata())
	l.write([]byte(`,"columnDefinitions":`), columns, []byte(`,"rows":[`))
	for _, r := range p.spans {
		for i := r.from; i < r.to; i++ {
			l.item([]byte(`{"cells":`), t.shelf.items[i].cells)
			switch include {
			case "Object":
				l.write([]byte(`,"object":`))
				l.write(t.shelf.object(i)...)
			case "", "Metadata":
				l.write([]byte(`,"object":`), partialHead, t.shelf.metadata(i), objectTail)
			case "None":
				l.write([]byte(`,"object":null`))
			}
			l.write(objectTail)
		}
	}
	return l.finish("]}\n")
}
