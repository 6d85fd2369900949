package output

import (
	"io"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/clusterfleet/clusterfleet/internal/safetext"
)

// IsTerminal tells whether what is written to w is shown to a person.
func IsTerminal(w io.Writer) bool {
	file, ok := w.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(file.Fd()))
}

// Escaped returns a writer for text that strangers wrote and a terminal shows: every character that could change the
// terminal's state or the order of what is read is escaped, line breaks and tabs stay.
func Escaped(w io.Writer) io.Writer { return &escaped{w: w} }

type escaped struct {
	w    io.Writer
	rest []byte // The start of a character whose end is still to come.
}

func (e *escaped) Write(p []byte) (int, error) {
	text := append(e.rest, p...)
	out := make([]byte, 0, len(text)+16)
	for len(text) > 0 && utf8.FullRune(text) {
		_, n := utf8.DecodeRune(text)
		if c := text[0]; c == '\n' || c == '\t' {
			out = append(out, c)
		} else {
			out = append(out, safetext.Line(string(text[:n]))...)
		}
		text = text[n:]
	}
	e.rest = append([]byte(nil), text...)
	if _, err := e.w.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}
