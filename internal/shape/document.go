package shape

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth is how deep values may stand in one another in an object. Those of Kubernetes stay below a hundred.
const maxDepth = 512

// partialKind is what API servers call objects of which only the metadata was asked for.
const partialKind = "PartialObjectMetadata"

var (
	errTooDeep   = fmt.Errorf("its values stand in one another more than %d deep", maxDepth)
	errNotObject = errors.New("it is no JSON object")
)

// members are names of an object's members.
type members map[string]struct{}

// decode returns those of an object's members that are wanted, all where wanted is nil: as maps, []any,
// strings, booleans, nil, and numbers as int64 where they are whole and fit, else as float64. What is not wanted is read
// over, not decoded. Its errors quote nothing of the object.
func decode(raw []byte, wanted members) (map[string]any, error) {
	// The names were compared when the body was split: none is there twice.
	d := jsontext.NewDecoder(bytes.NewBuffer(raw), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if d.PeekKind() != jsontext.KindBeginObject {
		return nil, errNotObject
	}
	_, err := d.ReadToken()
	object := map[string]any{}
	if err == nil {
		err = decodeMembers(d, object, wanted)
	}
	if err == nil {
		_, err = d.ReadToken()
	}
	switch {
	case errors.Is(err, io.EOF):
		return object, nil
	case errors.Is(err, errTooDeep):
		return nil, errTooDeep
	}
	return nil, errNotObject
}

func decodeValue(d *jsontext.Decoder) (any, error) {
	token, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case jsontext.KindBeginObject:
		object := map[string]any{}
		return object, decodeMembers(d, object, nil)
	case jsontext.KindBeginArray:
		return decodeElements(d)
	case jsontext.KindString:
		return token.String(), nil
	case jsontext.KindNumber:
		return number(token), nil
	case jsontext.KindTrue, jsontext.KindFalse:
		return token.Bool(), nil
	default:
		return nil, nil
	}
}

// decodeMembers reads from behind the opening brace of an object up to its end.
func decodeMembers(d *jsontext.Decoder, object map[string]any, wanted members) error {
	if d.StackDepth() > maxDepth {
		return errTooDeep
	}
	for d.PeekKind() == jsontext.KindString {
		token, err := d.ReadToken()
		if err != nil {
			return err
		}
		name := token.String()
		if !wanted.has(name) {
			if err := d.SkipValue(); err != nil {
				return err
			}
			continue
		}
		if object[name], err = decodeValue(d); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

func (m members) has(name string) bool {
	if m == nil || name == "apiVersion" || name == "kind" {
		return true
	}
	_, ok := m[name]
	return ok
}

func decodeElements(d *jsontext.Decoder) (any, error) {
	if d.StackDepth() > maxDepth {
		return nil, errTooDeep
	}
	list := []any{}
	for kind := d.PeekKind(); kind != jsontext.KindEndArray && kind != jsontext.KindInvalid; kind = d.PeekKind() {
		element, err := decodeValue(d)
		if err != nil {
			return nil, err
		}
		list = append(list, element)
	}
	_, err := d.ReadToken()
	return list, err
}

// number keeps whole numbers whole: as a float64, 9007199254740993 would be another one.
func number(token jsontext.Token) any {
	text := token.String()
	if whole, err := strconv.ParseInt(text, 10, 64); err == nil {
		return whole
	}
	float, _ := token.Float() // of a number too large, the largest there is
	if whole := int64(float); -1<<53 < float && float < 1<<53 && float64(whole) == float {
		return whole
	}
	return float
}
