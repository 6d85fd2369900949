package compare

import (
	"bytes"
	"errors"

	"github.com/rogpeppe/go-internal/diff"
	"go.yaml.in/yaml/v2"
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

var errLarge = errors.New("the object is too large for a diff")

// YAML returns a content as it is shown in diffs. It refuses what would become too large.
func YAML(content []byte) ([]byte, error) {
	if len(content) > MaxContent {
		return nil, errLarge
	}
	if lines, size := measure(content); lines > maxLines || size > maxYAML {
		return nil, errLarge
	}
	var document any
	if err := json.UnmarshalCaseSensitivePreserveInts(content, &document); err != nil {
		return nil, err
	}
	return yaml.Marshal(document)
}

// measure estimates how much a JSON document is as YAML: a line for each member and element, and for each line of a text,
// with its indentation.
func measure(content []byte) (lines, size int) {
	depth, quoted := 0, false
	for i := 0; i < len(content); i++ {
		switch b := content[i]; {
		case quoted && b == '\\':
			i++
			if content[i] == 'n' {
				lines++
				size += 2 * depth
			}
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '{' || b == '[':
			depth++
			lines++
			size += 2 * depth
		case b == '}' || b == ']':
			depth--
		case b == ',':
			lines++
			size += 2 * depth
		}
	}
	return lines, size + len(content)
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
