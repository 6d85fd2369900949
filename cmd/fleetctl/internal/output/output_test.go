package output_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
	"sigs.k8s.io/yaml"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

func parse(t *testing.T, format string) output.Format {
	t.Helper()
	f, err := output.ParseFormat(format)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestEachKindIsAFormat(t *testing.T) {
	for _, kind := range output.Kinds() {
		text := string(kind)
		switch kind {
		case output.JSONPath:
			text += "=.a"
		case output.CustomColumns:
			text += "=A:.a"
		default:
		}
		if got := parse(t, text).Kind; got != kind {
			t.Errorf("%s is the format %s", text, got)
		}
	}
}

func TestAGridLooksLikeKubectls(t *testing.T) {
	grid := output.Grid{Headings: []string{"A", "NAME", "LAST"}}
	grid.Row("1", "größer als", "x")
	grid.Row("22", "", "")
	var out strings.Builder
	if err := grid.Write(&out); err != nil {
		t.Fatal(err)
	}
	want := "A     NAME         LAST\n" +
		"1     größer als   x\n" +
		"22                 \n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestAGridColoursCellsWithoutMovingThem(t *testing.T) {
	grid := output.Grid{Headings: []string{"RED", "B"}, Colour: func(_ int, cell string) string {
		return map[string]string{"RED": "31", "red": "31"}[cell]
	}}
	grid.Row("red", "b")
	var out strings.Builder
	if err := grid.Write(&out); err != nil {
		t.Fatal(err)
	}
	if want := "RED   B\n\x1b[31mred\x1b[0m   b\n"; out.String() != want {
		t.Errorf("table %q, want %q", out.String(), want)
	}
}

func TestAListIsReadAsItWasWritten(t *testing.T) {
	objects := []string{
		`{"apiVersion":"v1","kind":"ConfigMap","data":{"text":" two\n  lines\n\n and spaces \n","tabs":"\t","number":"1e3","long":"` + strings.Repeat("word ", 60) + `"},"n":9007199254740993}`,
		`{}`,
		`{"list":[[1,2],[{"a":null}],"- x: y"]}`,
		`{"emoji":"\ud83d\ude00","control":"\u0000\u001b","raw":"` + "\x7f\u009b\u202e\u2028\ufeff" + `","float":0.1,"negative":-1,"yes":"yes","null":null}`,
	}
	for _, kind := range []output.Kind{output.JSON, output.YAML} {
		for count := range len(objects) + 1 {
			var out bytes.Buffer
			list := output.NewList(&out, kind)
			for _, o := range objects[:count] {
				if err := list.Add([]byte(o), ""); err != nil {
					t.Fatal(err)
				}
			}
			if err := list.Close(); err != nil {
				t.Fatal(err)
			}
			raw := out.Bytes()
			if kind == output.YAML {
				var err error
				if raw, err = yaml.YAMLToJSON(raw); err != nil {
					t.Fatalf("%d items: %v\n%s", count, err, out.String())
				}
			}
			want := `{"apiVersion":"v1","kind":"List","metadata":{"resourceVersion":""},"items":[` + strings.Join(objects[:count], ",") + `]}`
			if diff := cmp.Diff(decode(t, []byte(want)), decode(t, raw)); diff != "" {
				t.Errorf("%s of %d (-want +got):\n%s", kind, count, diff)
			}
		}
	}
}

func TestAListKeepsTheBytesOfItsItemsInJSON(t *testing.T) {
	const object = `{"n": 1.0,  "s":"\u0041"}`
	var out strings.Builder
	list := output.NewList(&out, output.JSON)
	if err := list.Add([]byte(object), ""); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), object) {
		t.Errorf("%s is not in\n%s", object, out.String())
	}
}

func TestJSONPathIsKubectls(t *testing.T) {
	document, err := output.Decode([]byte(`{"items":[{"name":"a","n":1500000,"f":0.5},{"name":"b"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for template, want := range map[string]string{
		`{.items[*].name}`: "a b",
		`.items[0].n`:      "1500000",
		`items[0].f`:       "0.5",
		`{range .items[*]}{.name}{"\t"}{.n}{"\n"}{end}`: "a\t1500000\nb\t\n",
		`{.items[?(@.name=="b")].name}`:                 "b",
		`{.nothing.there}`:                              "",
	} {
		var out strings.Builder
		if err := parse(t, "jsonpath="+template).Execute(&out, document); err != nil {
			t.Errorf("%s: %v", template, err)
		}
		if out.String() != want {
			t.Errorf("%s prints %q, want %q", template, out.String(), want)
		}
	}
}

func TestATemplateThatTheLibraryPanicsOnIsAnError(t *testing.T) {
	document, err := output.Decode([]byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := parse(t, "jsonpath={range.}{range}").Execute(&strings.Builder{}, document); err == nil {
		t.Error("no error")
	}
}

func TestCustomColumnsAreTheirPathsValues(t *testing.T) {
	f := parse(t, `custom-columns=NAME:.name,ALL:{.list[*].n},ESCAPED:labels.a\.b/c,NONE:.x.y`)
	got, err := f.Cells([]byte(`{"name":"x","list":[{"n":1},{"n":2}],"labels":{"a.b/c":true}}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"x", "1,2", "true", "<none>"}, got); diff != "" {
		t.Errorf("cells (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"NAME", "ALL", "ESCAPED", "NONE"}, f.Headings()); diff != "" {
		t.Errorf("headings (-want +got):\n%s", diff)
	}
}

func TestAMessageWithDetailsOfANewerServerIsPrintedWithoutThem(t *testing.T) {
	knownDetail, err := anypb.New(wrapperspb.String("known"))
	if err != nil {
		t.Fatal(err)
	}
	m := &fleetv1.ProbeResult{Cluster: "c1", Error: &spb.Status{Code: 14, Details: []*anypb.Any{
		{TypeUrl: "type.googleapis.com/fleet.v9.Unknown", Value: []byte{1}}, knownDetail,
	}}}
	got, err := output.Message(m)
	want := `{"cluster":"c1","error":{"code":14,"details":[{"@type":"type.googleapis.com/google.protobuf.StringValue","value":"known"}]}}`
	if err != nil || string(got) != want {
		t.Errorf("message %s, error %v", got, err)
	}
	if len(m.GetError().GetDetails()) != 2 {
		t.Error("the caller's message was changed")
	}
}

func TestTextForATerminalIsEscapedWhereverItIsCut(t *testing.T) {
	const text = "a\tß€😀\n\x1b[31m\u202e\x7f\r\xff�é"
	const want = "a\tß€😀\n" + `\x1b[31m\u202e\x7f\r\xff` + "�é"
	for cut := range len(text) + 1 {
		var out strings.Builder
		w := output.Escaped(&out)
		for _, part := range []string{text[:cut], text[cut:]} {
			if n, err := w.Write([]byte(part)); err != nil || n != len(part) {
				t.Fatalf("wrote %d bytes, error %v", n, err)
			}
		}
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("cut at %d (-want +got):\n%s", cut, diff)
		}
	}
}

func decode(t *testing.T, raw []byte) any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var document any
	if err := decoder.Decode(&document); err != nil {
		t.Fatal(err)
	}
	return document
}
