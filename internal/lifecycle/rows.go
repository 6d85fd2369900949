package lifecycle

import (
	_ "embed"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

//go:generate go run ./internal/generate kubernetes.txt

// The rows, a type each: apiVersion, kind, the versions that deprecate and remove it, `-` where none does, and what replaces
// it, as apiVersion and kind, where something does. A line that begins with # is a comment.
var (
	//go:embed kubernetes.txt
	kubernetes string
	//go:embed historical.txt
	historical string
)

// add reads rows. What it keeps are pieces of their text, not copies.
func (t *Table) add(rows string) {
	for row := range strings.Lines(rows) {
		if strings.HasPrefix(row, "#") {
			continue
		}
		var field [5]string
		copy(field[:], strings.SplitN(strings.TrimSpace(row), " ", len(field)))
		t.of[schema.FromAPIVersionAndKind(field[0], field[1])] = Lifecycle{
			DeprecatedIn: known(field[2]), RemovedIn: known(field[3]), Replacement: field[4],
		}
	}
}

func known(version string) string {
	if version == "-" {
		return ""
	}
	return version
}
