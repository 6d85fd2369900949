package manifest_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/clusterfleet/clusterfleet/internal/manifest"
)

const (
	columns = `"columnDefinitions":[{"name":"Name","type":"string","format":"name","description":"the name","priority":0},` +
		`{"name":"Restarts","type":"integer","format":"","priority":0},{"name":"Node","type":"string","priority":1}]`
	rowA = `{"cells":["a",3,"n1"],"object":{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"a","namespace":"x"}}}`
)

func tableOf(members string) string {
	return `{"kind":"Table","apiVersion":"meta.k8s.io/v1",` + members + `}`
}

func readTable(body io.Reader, opts manifest.Options) ([]manifest.Row, *manifest.TableReader, error) {
	table := manifest.NewTableReader(body, opts)
	defer table.Close()
	var rows []manifest.Row
	for {
		row, err := table.Next()
		if errors.Is(err, io.EOF) {
			return rows, table, nil
		}
		if err != nil {
			return rows, table, err
		}
		rows = append(rows, row)
	}
}

func TestTableReaderReadsTables(t *testing.T) {
	t.Parallel()
	wantColumns := []manifest.Column{
		{Name: "Name", Type: "string", Format: "name", Description: "the name"},
		{Name: "Restarts", Type: "integer"},
		{Name: "Node", Type: "string", Priority: 1},
	}
	a := manifest.Row{Cells: []string{"a", "3", "n1"}, Namespace: "x", Name: "a"}
	for name, tt := range map[string]struct {
		members string
		rows    []manifest.Row
		meta    manifest.Meta
	}{
		"as API servers send it": {
			`"metadata":{"resourceVersion":"7","continue":"t","remainingItemCount":3},` + columns + `,"rows":[` + rowA + `,` + rowA + `]`,
			[]manifest.Row{a, a},
			manifest.Meta{ResourceVersion: "7", Continue: "t", RemainingItemCount: 3},
		},
		"everything after the rows": {
			`"rows":[` + rowA + `],` + columns + `,"metadata":{"continue":"t"}`,
			[]manifest.Row{a},
			manifest.Meta{Continue: "t"},
		},
		"no rows":               {columns + `,"rows":[]`, nil, manifest.Meta{}},
		"rows null":             {`"rows":null,` + columns, nil, manifest.Meta{}},
		"no member called rows": {columns, nil, manifest.Meta{}},
		"rows without an object, or of a nameless one": {
			columns + `,"rows":[{"cells":["a"]},{"object":null,"cells":null},{"object":{},"conditions":[{"type":"Completed"}],"cells":[]}]`,
			[]manifest.Row{{Cells: []string{"a"}}, {}, {Cells: []string{}}},
			manifest.Meta{},
		},
		"rows of several namespaces and of none": {
			columns + `,"rows":[{"object":{"metadata":{"namespace":"x"}}},{"object":{"metadata":{"namespace":"y"}}},{"object":{"metadata":{}}}]`,
			[]manifest.Row{{Namespace: "x"}, {Namespace: "y"}, {}},
			manifest.Meta{},
		},
		"more cells than columns": {
			columns + `,"rows":[{"cells":["a",1,"b","c",["d"]]}]`,
			[]manifest.Row{{Cells: []string{"a", "1", "b"}}},
			manifest.Meta{},
		},
		"escaped names and names of other objects": {
			columns + `,"rows":[{"\u0063ells":["\u0061\n"],"\u006fbject":{"spec":{"name":"no"},"m\u0065tadata":{"n\u0061me":"\u0062"}}}]`,
			[]manifest.Row{{Cells: []string{"a\n"}, Name: "b"}},
			manifest.Meta{},
		},
	} {
		for how, deliver := range deliveries() {
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				body := tableOf(tt.members)
				rows, table, err := readTable(deliver(strings.NewReader(body)), manifest.Options{})
				if err != nil {
					t.Fatal(err)
				}
				meta := tt.meta
				meta.Kind, meta.APIVersion = "Table", "meta.k8s.io/v1"
				if diff := cmp.Diff(tt.rows, rows); diff != "" {
					t.Errorf("rows (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(wantColumns, table.Columns()); diff != "" {
					t.Errorf("columns (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(meta, table.Meta()); diff != "" {
					t.Errorf("meta (-want +got):\n%s", diff)
				}
				if table.Bytes() != int64(len(body)) {
					t.Errorf("Bytes() = %d for %d bytes", table.Bytes(), len(body))
				}
			})
		}
	}
}

func TestTableReaderReadsTheKindAfterTheRows(t *testing.T) {
	t.Parallel()
	rows, _, err := readTable(strings.NewReader(`{"rows":[`+rowA+`],"kind":"Table","apiVersion":"meta.k8s.io/v1"}`), manifest.Options{})
	if err != nil || len(rows) != 1 {
		t.Errorf("%v, %v", rows, err)
	}
}

func TestTableReaderPrintsCellsAsKubectlDoes(t *testing.T) {
	t.Parallel()
	for _, cell := range []string{
		`null`, `true`, `false`, `"text"`, `""`, `"a\tb\u00e9\ud83d\ude00\""`, `0`, `-0`, `-7`, `42`, `9223372036854775807`,
		`9223372036854775808`, `-9223372036854775809`, `1.0`, `1.50`, `-0.0`, `1e3`, `1E+2`, `1e20`, `1e21`, `1.5e300`, `0.0001`, `0.00001`, `1e-7`,
		`123456789.125`, `0.1`, `3e-400`,
	} {
		rows, _, err := readTable(strings.NewReader(tableOf(`"rows":[{"cells":[`+cell+`]}]`)), manifest.Options{})
		if err != nil {
			t.Fatalf("%s: %v", cell, err)
		}
		var decoded []any
		if err := utiljson.Unmarshal([]byte("["+cell+"]"), &decoded); err != nil {
			t.Fatalf("%s: %v", cell, err)
		}
		want := ""
		if decoded[0] != nil { // kubectl prints nothing for null
			want = fmt.Sprint(decoded[0])
		}
		if got := rows[0].Cells[0]; got != want {
			t.Errorf("%s printed %q, kubectl prints %q", cell, got, want)
		}
	}
}

func TestTableReaderPrintsNestedCellsAsCompactJSON(t *testing.T) {
	t.Parallel()
	rows, _, err := readTable(strings.NewReader(tableOf(
		`"rows":[{"cells":[{ "b" : [ 1.0 , "\u0061" ] , "a" : null }, [ ], { }, 1e999]}]`)), manifest.Options{})
	want := []manifest.Row{{Cells: []string{`{"b":[1.0,"\u0061"],"a":null}`, `[]`, `{}`, `1e999`}}}
	if diff := cmp.Diff(want, rows); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestTableReaderRefusesWhatIsNoTable(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"nothing":                        "",
		"HTML":                           "<html>",
		"a PodList":                      podList,
		"a PodList, its kind last":       `{"rows":[],"apiVersion":"v1","kind":"PodList"}`,
		"a Table of another group":       `{"kind":"Table","apiVersion":"g/v1","rows":[]}`,
		"a Table without an apiVersion":  `{"kind":"Table","rows":[]}`,
		"a Status of success":            `{"kind":"Status","apiVersion":"v1","status":"Success"}`,
		"no kind":                        `{"rows":[]}`,
		"rows that are an object":        tableOf(`"rows":{}`),
		"a row that is an array":         tableOf(`"rows":[[]]`),
		"cells that are an object":       tableOf(`"rows":[{"cells":{}}]`),
		"an object that is a string":     tableOf(`"rows":[{"object":"a"}]`),
		"metadata that is a string":      tableOf(`"rows":[{"object":{"metadata":"a"}}]`),
		"a name that is a number":        tableOf(`"rows":[{"object":{"metadata":{"name":1}}}]`),
		"cells twice":                    tableOf(`"rows":[{"cells":[],"c\u0065lls":[]}]`),
		"rows twice":                     tableOf(`"rows":[],"rows":[]`),
		"columns that are no array":      tableOf(`"columnDefinitions":{}`),
		"a column that is a string":      tableOf(`"columnDefinitions":["a"]`),
		"a column with an odd name":      tableOf(`"columnDefinitions":[{"name":1}]`),
		"a million columns":              tableOf(`"columnDefinitions":[{}` + strings.Repeat(",{}", 1e6) + `]`),
		"a million cells":                tableOf(`"rows":[{"cells":[0` + strings.Repeat(",0", 1e6) + `]}]`),
		"rows nested 10^6 deep":          tableOf(`"rows":[{"cells":` + strings.Repeat("[", 1e6)),
		"a Table cut off":                strings.TrimSuffix(tableOf(`"rows":[`+rowA+`]`), "}"),
		"a Table and something after it": tableOf(`"rows":[]`) + "{}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := readTable(strings.NewReader(body), manifest.Options{})
			checkError(t, err, manifest.ErrMalformed)
		})
	}
}

func TestTableReaderBoundsRows(t *testing.T) {
	t.Parallel()
	body := &endless{begin: tableOf(``)[:len(tableOf(``))-1] + `"rows":[{"cells":["`, piece: "x"}
	_, _, err := readTable(body, manifest.Options{MaxItemBytes: 64 << 10})
	checkError(t, err, manifest.ErrTooLarge)
	if body.read > 128<<10 {
		t.Errorf("read %d bytes", body.read)
	}
}

func TestTableReaderReadsNoFurtherThanAKindThatIsNoTable(t *testing.T) {
	t.Parallel()
	body := &endless{begin: pods, piece: onePod + ","}
	_, _, err := readTable(body, manifest.Options{})
	checkError(t, err, manifest.ErrMalformed)
	if body.read > 64<<10 {
		t.Errorf("read %d bytes", body.read)
	}
}

func TestTableReaderReturnsTheBodysErrorAsItIs(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	body := io.MultiReader(strings.NewReader(strings.TrimSuffix(tableOf(`"rows":[`+rowA), "}")), iotest.ErrReader(broken))
	rows, _, err := readTable(body, manifest.Options{})
	if !errors.Is(err, broken) || len(rows) != 1 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

func TestTableReaderKeepsRowsAfterClose(t *testing.T) {
	t.Parallel()
	opts := manifest.Options{Pool: new(manifest.Pool)}
	first, _, err := readTable(strings.NewReader(tableOf(columns+`,"rows":[`+rowA+`]`)), opts)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = readTable(strings.NewReader(tableOf(columns+`,"rows":[`+strings.ReplaceAll(rowA, `"a"`, `"b"`)+`]`)), opts)
	if err != nil {
		t.Fatal(err)
	}
	want := []manifest.Row{{Cells: []string{"a", "3", "n1"}, Namespace: "x", Name: "a"}}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("the first table's rows (-want +got):\n%s", diff)
	}
}
