package compare

import (
	"bytes"
	"errors"

	"github.com/rogpeppe/go-internal/diff"
	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/json"
)

const (
	// MaxContent is the largest object that a diff is made of: API servers store none that is larger.
	MaxContent = 1536 << 10
	// MaxDiff bounds a diff, in bytes.
	MaxDiff = 256 << 10
	// maxYAML bounds what is compared line by line, in bytes: indentation can make much of little.
	maxYAML = 4 << 20
	// maxLines bounds it in lines: it is them that take time.
	maxLines = 100_000
)

// ErrLarge means that an object is too large for a diff.
var ErrLarge = errors.New("the object is too large for a diff")

// YAML returns a content as it is shown in diffs, each text without line breaks of its own on one line. The error is ErrLarge
// for what would become too large; others say that it cannot be shown as YAML.
func YAML(content []byte) ([]byte, error) {
	if len(content) > MaxContent || lines(content) > maxLines {
		return nil, ErrLarge
	}
	var document any
	if err := json.UnmarshalCaseSensitivePreserveInts(content, &document); err != nil {
		return nil, err
	}
	var text boundedText
	encoder := yaml.NewEncoder(&text) // it folds no lines, and so repeats no indentation but for them
	encoder.SetIndent(2)
	encoder.CompactSeqIndent()
	err := encoder.Encode(document)
	if err == nil {
		err = encoder.Close()
	}
	if text.full { // the encoder has an error of its own for it
		return nil, ErrLarge
	}
	return text.text, err
}

// boundedText takes what is written to it, up to maxYAML.
type boundedText struct {
	text []byte
	full bool
}

// Write ends the writing by ErrLarge where there is no room.
func (t *boundedText) Write(p []byte) (int, error) {
	if len(t.text)+len(p) > maxYAML {
		t.full = true
		return 0, ErrLarge
	}
	t.text = append(t.text, p...)
	return len(p), nil
}

// lines estimates how many lines a JSON document is as YAML, before it is decoded: one for each member and element, and one for
// each line of a text.
func lines(content []byte) (n int) {
	quoted, escaped := false, false
	for _, b := range content {
		switch {
		case escaped:
			escaped = false
			if b == 'n' {
				n++
			}
		case quoted && b == '\\':
			escaped = true
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '{' || b == '[' || b == ',':
			n++
		}
	}
	return n
}

// Unified returns the unified diff of two YAML documents, with the names in its first two lines. One that would be too long
// for limit bytes, or MaxDiff, ends with a whole line before; omitted then says so, and in other cases why there is none.
// It takes O(n log n) time for n lines.
func Unified(fromName string, from []byte, toName string, to []byte, limit int) (text, omitted string) {
	whole := diff.Diff(fromName, from, toName, to)
	if whole == nil {
		return "", "they differ only in the digits of a number, which YAML does not show"
	}
	_, whole, _ = bytes.Cut(whole, []byte("\n")) // "diff FROM TO", which is no part of the format
	if limit = min(limit, MaxDiff); len(whole) <= limit {
		return string(whole), ""
	}
	end := bytes.LastIndexByte(whole[:max(0, limit)], '\n') + 1
	return string(whole[:end]), "the diff is too long: this is its beginning"
}
