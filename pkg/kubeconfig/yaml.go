package kubeconfig

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// YAML parsers look at each character several times. A kubeconfig is nine tenths base64, so most of the time to load
// one would go into characters that mean nothing to YAML. They are taken out before it is parsed and put back after.

// minElided is the shortest word that is worth taking out.
const minElided = 64

// elision is what was taken out of a text. Where a word stood stands a token of the same kind: the mark and the word's
// number. It is base64 too, so that a field of bytes that had a word decodes.
type elision struct {
	mark  string
	words [][]byte
}

// A token is the mark and so many digits, together a multiple of four characters as base64 wants it.
const (
	markBytes   = len("elided") + 26
	numberBytes = 8 // enough for each word of the largest file
	tokenBytes  = markBytes + numberBytes
)

// elide takes long words out of a YAML text, such that parsing what is left and putting the words back into its strings
// gives what parsing the text itself gives. For that,
//   - a word is a value to its line's end, or the whole of a quoted string behind a colon;
//   - it has only characters that mean nothing to YAML at that place, within comments, keys or texts either;
//   - it begins with a letter, as does what replaces it: neither can be read as a number or a date;
//   - the mark is random: the text does not hold it.
func elide(text []byte) ([]byte, elision) {
	e := elision{mark: "elided" + rand.Text()}
	short := make([]byte, 0, len(text)/4)
	done := 0
	for i := 0; i < len(text); i++ {
		if !isWordChar(text[i]) {
			continue
		}
		start := i
		for i < len(text) && isWordChar(text[i]) {
			i++
		}
		if i-start < minElided || !isElidable(text, start, i) {
			continue
		}
		short = append(short, text[done:start]...)
		short = fmt.Appendf(short, "%s%0*d", e.mark, numberBytes, len(e.words))
		e.words = append(e.words, text[start:i])
		done = i
	}
	if done == 0 {
		return text, e
	}
	return append(short, text[done:]...), e
}

// count returns how many tokens a text holds.
func (e elision) count(short []byte) int { return bytes.Count(short, []byte(e.mark)) }

// word returns the word that a token stands for, nil if the text is no token.
func (e elision) word(token string) []byte {
	if len(token) != tokenBytes || !strings.HasPrefix(token, e.mark) {
		return nil
	}
	n, err := strconv.Atoi(token[markBytes:])
	if err != nil || n >= len(e.words) {
		return nil
	}
	return e.words[n]
}

// expand puts the words back into JSON, where they need no escapes.
func (e elision) expand(short []byte) []byte {
	var full []byte
	for {
		at := bytes.Index(short, []byte(e.mark))
		if at < 0 || len(short) < at+tokenBytes {
			return append(full, short...)
		}
		full = append(full, short[:at]...)
		full = append(full, e.word(string(short[at:at+tokenBytes]))...)
		short = short[at+tokenBytes:]
	}
}

// restoreText puts a word back where it was all of a text, and tells whether it did.
func (e elision) restoreText(s *string) bool {
	word := e.word(*s)
	if word == nil {
		return false
	}
	*s = string(word)
	return true
}

// restoreBytes puts a word back where it was all of a base64 text that has been decoded, and tells whether it could.
func (e elision) restoreBytes(data *[]byte) bool {
	if base64.StdEncoding.EncodedLen(len(*data)) != tokenBytes {
		return false
	}
	word := e.word(base64.StdEncoding.EncodeToString(*data))
	if word == nil {
		return false
	}
	decoded, err := base64.StdEncoding.AppendDecode(nil, word)
	if err != nil {
		return false
	}
	*data = decoded
	return true
}

// isWordChar tells the characters of base64 and of tokens.
func isWordChar(c byte) bool {
	return isLetter(c) || '.' <= c && c <= '9' || c == '+' || c == '-' || c == '_' || c == '='
}

// isElidable tells whether the word at text[start:end] may be taken out.
func isElidable(text []byte, start, end int) bool {
	if !isLetter(text[start]) {
		return false
	}
	before, after := text[:start], text[end:]
	if n := len(before); n > 0 && (before[n-1] == '"' || before[n-1] == '\'') {
		if len(after) == 0 || after[0] != before[n-1] {
			return false
		}
		return bytes.HasSuffix(before[:n-1], []byte(":")) || bytes.HasSuffix(before[:n-1], []byte(": "))
	}
	return bytes.HasSuffix(before, []byte(": ")) &&
		(len(after) == 0 || after[0] == '\n' || bytes.HasPrefix(after, []byte("\r\n")))
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

// yamlProblem says where a file is no YAML. The parser's words are shown only if they are known to hold nothing of the
// file: others name what they stumbled over, which may be a credential.
func yamlProblem(file string, data []byte, err error) *Problem {
	what, fix := "it is not valid YAML", "correct the indentation, quotes and colons there"
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if position, rest, found := strings.Cut(message, ": "); found && strings.HasPrefix(position, "line ") {
		if n, err := strconv.Atoi(strings.TrimPrefix(position, "line ")); err == nil {
			line, message = n, rest
		}
	}
	if isParserWords(message) {
		what += ": " + message
		line = max(line, 1) // the scanner is silent about the first line
		if strings.HasPrefix(message, "did not find expected") {
			line++ // the parser counts from 0
		}
		line = min(line, 1+bytes.Count(bytes.TrimSpace(data), []byte{'\n'}))
	} else if n := binaryLine(data); n > 0 {
		what, line = "it is not valid YAML: a byte that is no text", n
		fix = "name a kubeconfig in UTF-8"
	}
	return newProblem(file, what, fix).at(line)
}

// isParserWords tells the parser's commonest errors, those about the form.
func isParserWords(message string) bool {
	switch message {
	case "did not find expected key",
		"did not find expected '-' indicator",
		"did not find expected node content",
		"did not find expected ',' or '}'",
		"did not find expected ',' or ']'",
		"did not find expected <document start>",
		"could not find expected ':'",
		"mapping values are not allowed in this context",
		"block sequence entries are not allowed in this context",
		"found character that cannot start any token",
		"found a tab character that violates indentation",
		"found a tab character where an indentation space is expected",
		"found unexpected end of stream",
		"found unknown escape character":
		return true
	}
	return false
}

// binaryLine returns the first line with a byte that YAML does not allow, 0 if there is none.
func binaryLine(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 || r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f {
			return 1 + bytes.Count(data[:i], []byte{'\n'})
		}
		i += n
	}
	return 0
}
