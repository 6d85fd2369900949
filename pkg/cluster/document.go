package cluster

import (
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// errShape is the cause of a failure at JSON that is not of the expected form.
var errShape = errors.New("a JSON value of another kind than expected")

// document reads a JSON document as it comes in and holds no more of it than one token. A null is as nothing.
type document struct {
	body    *Body
	decoder *jsontext.Decoder
}

func newDocument(body *Body) *document {
	return &document{body, jsontext.NewDecoder(body, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
}

// object calls member, which reads the value, for each member of an object.
func (d *document) object(member func(name string) error) error {
	return d.each(jsontext.KindBeginObject, jsontext.KindEndObject, func() error {
		name, err := d.decoder.ReadToken()
		if err != nil {
			return err
		}
		return member(name.String())
	})
}

// array calls element, which reads it, for each element of an array.
func (d *document) array(element func() error) error {
	return d.each(jsontext.KindBeginArray, jsontext.KindEndArray, element)
}

func (d *document) each(begin, end jsontext.Kind, read func() error) error {
	if isNull, err := d.open(begin); isNull || err != nil {
		return err
	}
	for d.decoder.PeekKind() != end {
		if err := d.body.ctx.Err(); err != nil {
			return err
		}
		if err := read(); err != nil {
			return err
		}
	}
	_, err := d.decoder.ReadToken()
	return err
}

func (d *document) open(begin jsontext.Kind) (isNull bool, err error) {
	token, err := d.decoder.ReadToken()
	switch {
	case err != nil:
		return false, err
	case token.Kind() == jsontext.KindNull:
		return true, nil
	case token.Kind() != begin:
		return false, errShape
	}
	return false, nil
}

// text reads a string.
func (d *document) text(to *string) error {
	token, err := d.decoder.ReadToken()
	switch {
	case err != nil:
		return err
	case token.Kind() == jsontext.KindNull:
		return nil
	case token.Kind() != jsontext.KindString:
		return errShape
	}
	*to = token.String()
	return nil
}

// textOf reads a string if it is that of the wanted member.
func (d *document) textOf(wanted, name string, to *string) error {
	if name != wanted {
		return d.skip()
	}
	return d.text(to)
}

// appendText adds a string, after a comma, to a list that is not too long already.
func (d *document) appendText(to *string) error {
	var more string
	if err := d.text(&more); err != nil || len(*to) > maxNameBytes {
		return err
	}
	if *to != "" {
		more = *to + "," + more
	}
	*to = more
	return nil
}

// truth reads a boolean.
func (d *document) truth(to *bool) error {
	token, err := d.decoder.ReadToken()
	switch {
	case err != nil:
		return err
	case token.Kind() == jsontext.KindNull:
		return nil
	case token.Kind() != jsontext.KindTrue && token.Kind() != jsontext.KindFalse:
		return errShape
	}
	*to = token.Bool()
	return nil
}

// skip reads past a value.
func (d *document) skip() error { return d.decoder.SkipValue() }

// end makes sure that nothing follows the document. Reading on to the end also lets the connection be used again.
func (d *document) end() error {
	_, err := d.decoder.ReadToken()
	switch {
	case err == nil:
		return errShape
	case errors.Is(err, io.EOF):
		return nil
	}
	return err
}
