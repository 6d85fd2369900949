package hibernation

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"k8s.io/apimachinery/pkg/api/validate/content"
)

// maxKeptBytes bounds the buffer that a judge keeps from one object to the next.
const maxKeptBytes = 64 << 10

// Judge judges objects. It is for one goroutine.
type Judge struct {
	annotation string
	text       bytes.Reader
	decoder    *jsontext.Decoder // nil until an object is judged
	lenient    jsontext.Options
	found      found
}

// found is what has been read of an object so far. Of members of the same name the last one counts, as for API servers.
type found struct {
	replicas   string // JSON; empty if there is none
	annotation string
	annotated  bool
	controlled bool
}

// NewJudge returns a judge that knows hibernated workloads by the annotation of that name, empty for DefaultAnnotation. An
// error says why the name is none that an annotation can have.
func NewJudge(annotation string) (*Judge, error) {
	annotation = cmp.Or(annotation, DefaultAnnotation)
	if wrong := content.IsLabelKey(strings.ToLower(annotation)); len(wrong) > 0 { // as API servers check it
		return nil, errors.New("no annotation can have this name: " + wrong[0])
	}
	return &Judge{
		annotation: annotation,
		lenient:    json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)),
	}, nil
}

// Judge looks at the JSON of an object. What is no object, or broken, is no workload: the zero value.
func (j *Judge) Judge(object []byte) Workload {
	j.text.Reset(object)
	if j.decoder == nil {
		j.decoder = jsontext.NewDecoder(&j.text, j.lenient)
	}
	j.decoder.Reset(&j.text, j.lenient)
	j.found = found{}
	if len(object) > maxKeptBytes {
		defer func() { j.decoder = nil }()
	}
	if err := j.members(j.topLevel); err != nil {
		return Workload{}
	}
	if _, err := j.decoder.ReadToken(); !errors.Is(err, io.EOF) { // something follows, or the text ends too early
		return Workload{}
	}
	return j.found.workload()
}

func (j *Judge) topLevel(name []byte) error {
	switch string(name) {
	case "metadata":
		j.found.annotated, j.found.controlled = false, false
		return j.members(j.metadata)
	case "spec":
		j.found.replicas = ""
		return j.members(j.spec)
	}
	return j.skip()
}

func (j *Judge) metadata(name []byte) error {
	switch string(name) {
	case "annotations":
		j.found.annotated = false
		return j.members(j.annotations)
	case "ownerReferences":
		j.found.controlled = false
		return j.owners()
	}
	return j.skip()
}

func (j *Judge) annotations(name []byte) error {
	if string(name) != j.annotation {
		return j.skip()
	}
	value, err := j.decoder.ReadValue()
	if err != nil {
		return err
	}
	j.found.annotated = value.Kind() == jsontext.KindString
	j.found.annotation = string(unquoted(value))
	return nil
}

func (j *Judge) spec(name []byte) error {
	if string(name) != "replicas" {
		return j.skip()
	}
	value, err := j.decoder.ReadValue()
	j.found.replicas = ""
	if value.Kind() == jsontext.KindNumber {
		j.found.replicas = string(value)
	}
	return err
}

func (j *Judge) owners() error {
	if j.decoder.PeekKind() != jsontext.KindBeginArray {
		return j.skip()
	}
	if _, err := j.decoder.ReadToken(); err != nil {
		return err
	}
	for j.decoder.PeekKind() != jsontext.KindEndArray {
		if err := j.owner(); err != nil {
			return err
		}
	}
	_, err := j.decoder.ReadToken()
	return err
}

func (j *Judge) owner() error {
	controller := false
	err := j.members(func(name []byte) error {
		if string(name) != "controller" {
			return j.skip()
		}
		value, err := j.decoder.ReadValue()
		controller = value.Kind() == jsontext.KindTrue
		return err
	})
	j.found.controlled = j.found.controlled || controller
	return err
}

// members calls visit for each member of the object that comes next; visit reads the member's value. The name is valid
// until then. What is no object is skipped.
func (j *Judge) members(visit func(name []byte) error) error {
	if j.decoder.PeekKind() != jsontext.KindBeginObject {
		return j.skip()
	}
	if _, err := j.decoder.ReadToken(); err != nil {
		return err
	}
	for j.decoder.PeekKind() != jsontext.KindEndObject {
		name, err := j.decoder.ReadValue()
		if err != nil {
			return err
		}
		if err := visit(unquoted(name)); err != nil {
			return err
		}
	}
	_, err := j.decoder.ReadToken()
	return err
}

// unquoted returns what a JSON string says, nothing for another value.
func unquoted(value jsontext.Value) []byte {
	if value.Kind() != jsontext.KindString {
		return nil
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return value[1 : len(value)-1]
	}
	text, _ := jsontext.AppendUnquote(nil, value) // characters that are none become U+FFFD
	return text
}

// skip passes over the value that comes next. It is read as one, which is faster than token by token.
func (j *Judge) skip() error {
	_, err := j.decoder.ReadValue()
	return err
}
