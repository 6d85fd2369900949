package output

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// ClusterAnnotation is the annotation that says from which cluster a printed object comes.
const ClusterAnnotation = "clusterfleet.io/cluster"

// Object returns a Kubernetes object as one line of JSON that tells where it comes from and what it is: with the
// annotation ClusterAnnotation, and with apiVersion and kind in front where the object lacks them. The rest keeps its
// bytes, save line breaks between its tokens. An annotation of that name which the object has already is replaced.
func Object(raw, apiVersion, kind, cluster string) ([]byte, error) {
	s := scan{
		decoder: jsontext.NewDecoder(bytes.NewBufferString(raw), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true)),
		owner:   quote(cluster),
	}
	if err := s.object(apiVersion, kind); err != nil {
		return nil, err
	}
	line := s.apply(raw)
	if bytes.IndexByte(line, '\n') >= 0 || bytes.IndexByte(line, '\r') >= 0 {
		err := (*jsontext.Value)(&line).Compact(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true), jsontext.PreserveRawStrings(true))
		if err != nil {
			return nil, err
		}
	}
	return line, nil
}

// edit replaces the bytes from one offset to another.
type edit struct {
	from, to int64
	text     string
}

// scan walks over an object and notes what to change.
type scan struct {
	decoder *jsontext.Decoder
	owner   string // The cluster's name as JSON.
	edits   []edit
}

// ErrUnprintable says that an object cannot be printed in the form that was asked for, such as one with a number that no
// float64 holds. The others can.
var ErrUnprintable = errors.New("it cannot be printed in this form")

var (
	errNotObject = errors.New("not a JSON object")
	errTwice     = errors.New("it is there twice") // Readers differ in which one counts.
)

func (s *scan) object(apiVersion, kind string) error {
	missing := map[string]string{"apiVersion": apiVersion, "kind": kind}
	annotated := false
	start, empty, err := s.members(func(name string) error {
		delete(missing, name)
		if name != "metadata" {
			return s.skip()
		}
		if annotated {
			return errTwice
		}
		annotated = true
		return s.metadata()
	})
	if err != nil {
		return err
	}
	if _, err := s.decoder.ReadToken(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON object")
	}
	var front []string
	for _, name := range []string{"apiVersion", "kind"} {
		if value := missing[name]; value != "" {
			front = append(front, quote(name)+":"+quote(value))
		}
	}
	if !annotated {
		front = append(front, `"metadata":{"annotations":{`+s.annotation()+`}}`)
	}
	s.insert(start, empty, strings.Join(front, ","))
	return nil
}

func (s *scan) metadata() error {
	annotated := false
	start, empty, err := s.members(func(name string) error {
		if name != "annotations" {
			return s.skip()
		}
		if annotated {
			return errTwice
		}
		annotated = true
		return s.annotations()
	})
	if err == nil && !annotated {
		s.insert(start, empty, `"annotations":{`+s.annotation()+`}`)
	}
	return err
}

func (s *scan) annotations() error {
	if s.decoder.PeekKind() == 'n' {
		from, to, err := s.value()
		s.edits = append(s.edits, edit{from, to, "{" + s.annotation() + "}"})
		return err
	}
	replaced := false
	start, empty, err := s.members(func(name string) error {
		if name != ClusterAnnotation {
			return s.skip()
		}
		if replaced {
			return errTwice
		}
		replaced = true
		from, to, err := s.value()
		s.edits = append(s.edits, edit{from, to, s.owner})
		return err
	})
	if err == nil && !replaced {
		s.insert(start, empty, s.annotation())
	}
	return err
}

func (s *scan) annotation() string { return quote(ClusterAnnotation) + ":" + s.owner }

// insert puts members behind the opening brace at start.
func (s *scan) insert(start int64, empty bool, members string) {
	if members == "" {
		return
	}
	if !empty {
		members += ","
	}
	s.edits = append(s.edits, edit{start, start, members})
}

// skip reads over a value at once: the decoder's SkipValue goes token by token, which is slower.
func (s *scan) skip() error {
	_, err := s.decoder.ReadValue()
	return err
}

// value skips one value and returns where it stands.
func (s *scan) value() (from, to int64, err error) {
	value, err := s.decoder.ReadValue()
	to = s.decoder.InputOffset()
	return to - int64(len(value)), to, err
}

// members calls each with the name of each member of an object; each reads the value. It returns the offset behind the
// opening brace and whether the object has no member.
func (s *scan) members(each func(name string) error) (start int64, empty bool, err error) {
	if s.decoder.PeekKind() != '{' {
		if err := s.skip(); err != nil {
			return 0, false, err
		}
		return 0, false, errNotObject
	}
	if _, err := s.decoder.ReadToken(); err != nil {
		return 0, false, err
	}
	start, empty = s.decoder.InputOffset(), true
	for s.decoder.PeekKind() == '"' {
		name, err := s.decoder.ReadToken()
		if err != nil {
			return 0, false, err
		}
		empty = false
		if err := each(name.String()); err != nil {
			return 0, false, fmt.Errorf("%s: %w", name, err)
		}
	}
	_, err = s.decoder.ReadToken()
	return start, empty, err
}

// apply makes the edits; those of an inner object are noted before the outer one's.
func (s *scan) apply(raw string) []byte {
	slices.SortFunc(s.edits, func(a, b edit) int { return cmp.Compare(a.from, b.from) })
	size := len(raw)
	for _, e := range s.edits {
		size += len(e.text)
	}
	out := make([]byte, 0, size)
	at := int64(0)
	for _, e := range s.edits {
		out = append(append(out, raw[at:e.from]...), e.text...)
		at = e.to
	}
	return append(out, raw[at:]...)
}

// quote returns s as a JSON string.
func quote(s string) string {
	quoted, _ := jsontext.AppendQuote(nil, s) // It fails on invalid UTF-8 only, and still returns a string then.
	return string(quoted)
}
