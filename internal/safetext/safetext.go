// Package safetext makes text that a stranger sent fit to be logged, put into an error and shown on a terminal.
//
// It bounds and escapes; it does not look for credentials: text that may carry one must not get here.
package safetext

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxBytes bounds what Clean returns.
const MaxBytes = 1024

const ellipsis = "…"

// Clean returns s with control, formatting (bidirectional among them), surrogate, private-use and unassigned
// characters and invalid UTF-8 escaped as Go escapes them in strings, cut to at most MaxBytes bytes. Text without any of
// those, most of it, is returned as it is.
func Clean(s string) string { return Truncate(s, MaxBytes) }

// Line is Clean without a bound: for text that is bounded already, such as a cell of a table.
func Line(s string) string {
	if isClean(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		b.WriteString(escape(r, s[i:i+n]))
		i += n
	}
	return b.String()
}

// Truncate is Clean with another bound in bytes, at least 3; what is cut off is marked by an ellipsis.
func Truncate(s string, limit int) string {
	if len(s) <= limit {
		if whole := Line(s); len(whole) <= limit {
			return whole
		}
	}
	var b strings.Builder
	b.Grow(limit)
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		e := escape(r, s[i:i+n])
		if b.Len()+len(e)+len(ellipsis) > limit {
			break
		}
		b.WriteString(e)
		i += n
	}
	b.WriteString(ellipsis)
	return b.String()
}

func isClean(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f {
			return isCleanUnicode(s[i:])
		}
	}
	return true
}

func isCleanUnicode(s string) bool {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if !printable(r, n) {
			return false
		}
		i += n
	}
	return true
}

// printable is unicode.IsPrint, with the replacement character only where it was really sent.
func printable(r rune, width int) bool {
	return unicode.IsPrint(r) && (r != utf8.RuneError || width > 1)
}

func escape(r rune, raw string) string {
	if printable(r, len(raw)) {
		return raw
	}
	q := strconv.QuoteToASCII(raw)
	return q[1 : len(q)-1]
}
