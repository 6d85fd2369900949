package manifest_test

import (
	"errors"
	"io"
	"testing"

	"go.uber.org/goleak"

	"github.com/clusterfleet/clusterfleet/internal/manifest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// item is a manifest.Item that outlives the next call.
type item struct{ Namespace, Name, JSON string }

// readAll reads a body to its end or its error.
func readAll(body io.Reader, opts manifest.Options) ([]item, manifest.Meta, error) {
	r := manifest.NewReader(body, opts)
	defer r.Close()
	var items []item
	for {
		i, err := r.Next()
		if errors.Is(err, io.EOF) {
			return items, r.Meta(), nil
		}
		if err != nil {
			return items, r.Meta(), err
		}
		items = append(items, item{i.Namespace, i.Name, string(i.JSON)})
	}
}

// jsons returns the JSON of items.
func jsons(items []item) []string {
	var all []string
	for _, i := range items {
		all = append(all, i.JSON)
	}
	return all
}
