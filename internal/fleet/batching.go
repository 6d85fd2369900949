package fleet

import (
	"github.com/clusterfleet/clusterfleet/internal/manifest"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

func (t *reading) addItem(meta manifest.Meta, item manifest.Item) error {
	if err := checkNames(item.Namespace, item.Name, meta.APIVersion, meta.Kind); err != nil {
		return err
	}
	apiVersion, kind := meta.APIVersion, meta.Kind
	if (t.query.Format == cluster.MetadataFormat || kind == "") && t.resource.Kind != "" {
		// The server calls all of them PartialObjectMetadata, or says of what kind a list is behind its items.
		apiVersion, kind = t.resource.APIVersion(), t.resource.Kind
	}
	sent, wanted, err := t.shaped(item, apiVersion, kind)
	if err != nil || !wanted {
		return err
	}
	if t.full() {
		return errEnough
	}
	if !t.grow(entryBytes + len(sent.Namespace) + len(sent.Name) + len(sent.JSON) + len(sent.Projection)) {
		return errLeft
	}
	t.batch.APIVersion, t.batch.Kind = apiVersion, kind
	if sent.JSON != nil {
		sent.JSON = t.keepJSON(sent.JSON)
	}
	t.batch.Items = append(t.batch.Items, sent)
	t.end.Items++
	return nil
}

func (t *reading) addRow(row manifest.Row) error {
	if err := checkNames(row.Namespace, row.Name); err != nil {
		return err
	}
	if t.full() {
		return errEnough
	}
	size := entryBytes + len(row.Namespace) + len(row.Name)
	for _, cell := range row.Cells {
		size += cellBytes + len(cell)
	}
	if !t.grow(size) {
		return errLeft
	}
	t.batch.Rows = append(t.batch.Rows, row)
	t.end.Items++
	return nil
}

// addColumns begins the first batch of a table.
func (t *reading) addColumns(columns []manifest.Column) {
	t.batch.Columns = columns
	for _, c := range columns {
		t.size += entryBytes + len(c.Name) + len(c.Type) + len(c.Format) + len(c.Description)
	}
}

// grow makes room in the batch, for which a batch that would become too large is handed on. It reports whether the caller
// wants more.
func (t *reading) grow(size int) bool {
	if t.size > 0 && t.size+size > t.room && !t.flush() {
		return false
	}
	t.size += size
	return true
}

// checkNames refuses what no API server sends: a name beside the largest object would not fit into a message.
func checkNames(names ...string) error {
	for _, name := range names {
		if len(name) > maxNameBytes {
			return cluster.NewError(cluster.MalformedResponse, cluster.PhaseBody, "the answer holds a name that is longer than any of Kubernetes", nil)
		}
	}
	return nil
}
