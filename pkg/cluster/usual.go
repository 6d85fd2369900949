package cluster

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
)

// appendRequest appends a request as it goes over the wire. The body, if there is one, is read; its length is known.
func appendRequest(b []byte, req *http.Request) ([]byte, error) {
	b = appendStart(b, req.Method, req.URL)
	for name, values := range req.Header {
		for _, value := range values {
			if !isFieldValue(value) {
				return b, errFieldValue
			}
			b = appendField(b, name, value)
		}
	}
	if req.Body == nil {
		return append(b, '\r', '\n'), nil
	}
	b = append(b, "Content-Length: "...)
	b = strconv.AppendInt(b, req.ContentLength, 10)
	b = append(b, "\r\n\r\n"...)
	content, err := io.ReadAll(req.Body)
	return append(b, content...), err
}

// appendStart appends the line of the request and the Host.
func appendStart(b []byte, method string, u *url.URL) []byte {
	b = append(b, method...)
	b = append(b, ' ')
	b = append(b, u.EscapedPath()...)
	if u.RawQuery != "" {
		b = append(b, '?')
		b = append(b, u.RawQuery...)
	}
	b = append(b, " HTTP/1.1\r\n"...)
	return appendField(b, "Host", u.Host)
}

func appendField(b []byte, name, value string) []byte {
	b = append(b, name...)
	b = append(b, ": "...)
	b = append(b, value...)
	return append(b, "\r\n"...)
}

// errFieldValue does not say which value: it may be the credential.
var errFieldValue = errors.New("a header's value has characters that no header may have")

// isFieldValue reports whether a string can be the value of a header.
func isFieldValue[T string | []byte](s T) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// usualAnswer returns the answer if it is what a healthy server sends: a 200 with a short plain body that has all arrived.
// To a lean call it may be the same one as to many others. It returns nil, and takes nothing from the reader, for any other;
// http.ReadResponse then reads it. The response has no header.
func usualAnswer(r *bufio.Reader, o outgoing) *http.Response {
	arrived, err := r.Peek(r.Buffered())
	if err != nil {
		return nil
	}
	rest, found := bytes.CutPrefix(arrived, []byte("HTTP/1.1 200 "))
	if !found {
		return nil
	}
	_, rest, _ = bytes.Cut(rest, []byte{'\n'})
	length := -1
	for {
		line, after, found := bytes.Cut(rest, []byte{'\n'})
		if !found || len(line) == 0 || line[len(line)-1] != '\r' {
			return nil
		}
		line, rest = line[:len(line)-1], after
		if len(line) == 0 {
			break
		}
		if !isUsualField(line, &length) {
			return nil
		}
	}
	if length < 0 || length != len(rest) {
		return nil
	}
	resp := answerOK
	if !o.lean() || string(rest) != "ok" {
		resp = &http.Response{StatusCode: http.StatusOK, Body: wholeBody(bytes.Clone(rest)), Request: o.request()}
	}
	if _, err := r.Discard(len(arrived)); err != nil {
		return nil
	}
	return resp
}

// answerOK is what a server answers that is ready. It is for those only who do not write into it.
var answerOK = &http.Response{StatusCode: http.StatusOK, Body: wholeBody("ok")} //nolint:gochecknoglobals // a constant

// isUsualField reports whether a header's line changes nothing about how the body is read, and sets length from the one
// that says it.
func isUsualField(line []byte, length *int) bool {
	name, value, found := bytes.Cut(line, []byte{':'})
	if !found || len(name) == 0 || !isFieldValue(value) {
		return false
	}
	for _, c := range name {
		if (c|0x20) < 'a' || (c|0x20) > 'z' {
			if (c < '0' || c > '9') && c != '-' {
				return false
			}
		}
	}
	switch name[0] | 0x20 {
	case 'c':
		if equalFold(name, "content-length") {
			return *length < 0 && parseLength(value, length)
		}
		return !equalFold(name, "connection") && !equalFold(name, "content-encoding")
	case 't':
		return !equalFold(name, "transfer-encoding") && !equalFold(name, "trailer")
	}
	return true
}

func equalFold(name []byte, lower string) bool {
	return len(name) == len(lower) && bytes.EqualFold(name, []byte(lower))
}

// parseLength takes up to four digits after one space.
func parseLength(value []byte, length *int) bool {
	if len(value) < 2 || len(value) > 5 || value[0] != ' ' {
		return false
	}
	n := 0
	for _, c := range value[1:] {
		if c < '0' || c > '9' {
			return false
		}
		n = n*10 + int(c-'0')
	}
	*length = n
	return true
}
