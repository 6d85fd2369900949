package manifest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/clusterfleet/clusterfleet/internal/manifest"
)

// FuzzTableReader holds the TableReader against a decoder that has the whole table in hand: the same rows, and the same
// cells as far as they are no objects or arrays.
func FuzzTableReader(f *testing.F) {
	for _, body := range []string{
		tableOf(columns + `,"rows":[` + rowA + `,` + rowA + `]`),
		tableOf(`"rows":[{"cells":[1,-0.5,1e30,true,null,"\u0061\"]",{"a":[ 1 ]},[]],"object":{"metadata":{"namespace":null}}}]`),
		tableOf(`"rows":null`), tableOf(`"columnDefinitions":null,"rows":[{"cells":null,"object":null}]`),
		`{"rows":[{"cells":["a"]}],"columnDefinitions":[],"metadata":null,"kind":"Table","apiVersion":"meta.k8s.io/v1beta1"}`,
		podList, `<html>`, ``,
	} {
		f.Add(body, uint8(2))
	}
	f.Fuzz(func(t *testing.T, body string, size uint8) {
		rows, table, err := readTable(&pieces{body, 1 + int(size)}, manifest.Options{})
		if err != nil {
			return
		}
		if !jsontext.Value(body).IsValid(jsontext.AllowDuplicateNames(true)) {
			t.Fatal("a table out of what is no JSON")
		}
		var whole struct {
			metav1.TypeMeta   `json:",inline"`
			metav1.ListMeta   `json:"metadata"`
			ColumnDefinitions []manifest.Column `json:"columnDefinitions"`
			Rows              []struct {
				Cells []json.RawMessage `json:"cells"`
			} `json:"rows"`
		}
		if err := utiljson.Unmarshal([]byte(body), &whole); err != nil {
			t.Fatalf("a table that does not decode: %v", err)
		}
		if whole.Kind != "Table" || !strings.HasPrefix(whole.APIVersion, "meta.k8s.io/") {
			t.Fatalf("a table out of a %s of %s", whole.Kind, whole.APIVersion)
		}
		var left int64
		if whole.RemainingItemCount != nil {
			left = *whole.RemainingItemCount
		}
		if m := table.Meta(); m.Continue != whole.Continue || m.ResourceVersion != whole.ResourceVersion || m.RemainingItemCount != left {
			t.Errorf("%+v, want %+v", m, whole.ListMeta)
		}
		if diff := cmp.Diff(whole.ColumnDefinitions, table.Columns(), cmpopts.EquateEmpty()); diff != "" && len(whole.Rows) > 0 {
			t.Errorf("columns (-want +got):\n%s", diff)
		}
		if len(rows) != len(whole.Rows) {
			t.Fatalf("%d rows of %d", len(rows), len(whole.Rows))
		}
		for n, row := range whole.Rows {
			if len(row.Cells) < len(rows[n].Cells) || len(row.Cells) > len(rows[n].Cells) && len(table.Columns()) != len(rows[n].Cells) {
				t.Fatalf("%d cells of %d for %d columns", len(rows[n].Cells), len(row.Cells), len(table.Columns()))
			}
			for c, got := range rows[n].Cells {
				if want, ok := printed(row.Cells[c]); ok && got != want {
					t.Errorf("cell %s is %q, want %q", row.Cells[c], got, want)
				}
			}
		}
	})
}

// printed is what kubectl prints for a cell; false where it prints Go maps and slices, or nothing at all of the table.
func printed(cell json.RawMessage) (string, bool) {
	if cell == nil {
		return "", true
	}
	var decoded []any
	if err := utiljson.Unmarshal([]byte("["+string(cell)+"]"), &decoded); err != nil {
		return "", false
	}
	switch value := decoded[0].(type) {
	case nil:
		return "", true
	case map[string]any, []any:
		return "", false
	default:
		return fmt.Sprint(value), true
	}
}
