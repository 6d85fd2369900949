package output_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
)

// FuzzObject: an object is one line that says what it said before, and where it comes from.
func FuzzObject(f *testing.F) {
	for _, raw := range []string{
		`{"metadata":{"annotations":{"clusterfleet.io/cluster":"x"}},"a":[1,{"b":null}]}`, `{ }`, `{"metadata":{},"kind":"","apiVersion":null}`,
		"{\n\"a\" : \"\\u000a\\ud800\",\r\n \"metadata\" : { \"name\" : 1e400 , \"annotations\" : null } }\n", `{"metadata":{"annotations":{"clusterfleet\u002eio\/cluster":1,"b":"c"},"annotations2":{}}}`,
		`{"a":{"metadata":{"annotations":[]}},"metadata":{"annotations":{"":"\xff"}}}`, `{"metadata":[]}`, `{"metadata":{},"metadata":{}}`,
	} {
		f.Add(raw, "prod")
		f.Add(raw, "\x00\"\u202e\xff")
	}
	f.Fuzz(func(t *testing.T, raw, cluster string) {
		got, err := output.Object(raw, "v1", "Pod", cluster)
		if err != nil {
			return
		}
		if bytes.ContainsAny(got, "\r\n") {
			t.Errorf("%q is not one line", got)
		}
		want, object := decoded(t, raw), decoded(t, string(got))
		for name, value := range map[string]string{"apiVersion": "v1", "kind": "Pod"} {
			if _, ok := want[name]; !ok {
				want[name] = value
			}
		}
		setCluster(want, member(member(object, "metadata"), "annotations")[output.ClusterAnnotation])
		if diff := cmp.Diff(want, object); diff != "" {
			t.Errorf("%q (-want +got):\n%s", got, diff)
		}
		if owner := member(member(object, "metadata"), "annotations")[output.ClusterAnnotation]; utf8.ValidString(cluster) && owner != cluster {
			t.Errorf("%q is not of cluster %q", got, cluster)
		}
	})
}

func decoded(t *testing.T, text string) map[string]any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var object map[string]any
	if err := d.Decode(&object); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return object
}

func member(object map[string]any, name string) map[string]any {
	m, _ := object[name].(map[string]any)
	return m
}

func setCluster(object map[string]any, cluster any) {
	for _, name := range []string{"metadata", "annotations"} {
		if member(object, name) == nil {
			object[name] = map[string]any{}
		}
		object = member(object, name)
	}
	object[output.ClusterAnnotation] = cluster
}

// FuzzList: an object that is printed in a list, as JSON or as YAML, is the same object for who reads the list.
func FuzzList(f *testing.F) {
	for _, raw := range []string{
		`{"a":"yes","b":"1e3","c":"0x1f","d":"2001-01-01","e":"~","f":"null","g":"=","h":"<<","i":"0o7","j":"1_000","k":"12:30:45"}`, `{"yes":{"no":[]},"":{},"- ":"? ","#":": "}`,
		`{"a":"x\n  y\n\n","b":"  x\ny","c":"\tx\n","d":"\n","e":"x\r\ny","f":"a: b\n- c","g":"long ` + strings.Repeat("word ", 40) + `"}`,
		`{"a":1,"b":-0,"c":1.0,"d":1e21,"e":9223372036854775807,"f":9223372036854775808,"g":0.1,"h":-1e-300,"i":123456789012345678}`,
		`{"a":"\u0085\u2028\u2029\ufeff\u0000\u001b\u007f\u00a0","\ufffe":"\ud800","b":"🚀é","c":"'\"\\"}`, `{"a":[[],[[{}]],{"b":[1,[2,{"c":null}]]}]}`, "{\n}", `[]`, `{"a":1e400}`, `{"<<":0}`, `{"a":[{"<<":{"a":1},"~":[{"<<":"<<"}],"b":2}]}`,
		`{"a":9.01e15,"b":9007199254740993,"c":-9.3e18,"d":1e19,"e":1.2345678901234567e18}`, `{"a":"\"b\u2028c\n","d":{"e":["f\u0085g\n","h\u2029\ni"]}}`,
	} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		object, err := output.Object(raw, "v1", "Pod", "prod")
		if err != nil {
			return
		}
		want, err := output.Decode(object)
		if err != nil {
			return // a number that no float64 holds
		}
		for _, kind := range []output.Kind{output.JSON, output.YAML} {
			var text bytes.Buffer
			list := output.NewList(&text, kind)
			for range 2 {
				if err := list.Add(object, "prod"); err != nil {
					t.Fatalf("%s as %s: %v", object, kind, err)
				}
			}
			if err := list.Close(); err != nil {
				t.Fatal(err)
			}
			read, err := yaml.YAMLToJSON(text.Bytes())
			if kind == output.JSON {
				read, err = text.Bytes(), nil
			}
			if err != nil {
				t.Fatalf("%s\n%v", text.String(), err)
			}
			whole, err := output.Decode(read)
			if err != nil {
				t.Fatalf("%s\n%v", text.String(), err)
			}
			wanted := map[string]any{"apiVersion": "v1", "kind": "List", "metadata": map[string]any{"resourceVersion": ""}, "items": []any{want, want}}
			if diff := cmp.Diff(any(wanted), whole, sameNumbers()); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", text.String(), diff)
			}
		}
	})
}

// sameNumbers takes a whole number and one with an exponent or a fraction for the same where they are the same float64:
// 9.01e15 is 9010000000000000, in JSON and in YAML. Two whole numbers are the same to the last digit.
func sameNumbers() cmp.Option {
	return cmp.FilterValues(func(a, b any) bool {
		_, aWhole := a.(int64)
		_, bWhole := b.(int64)
		return isNumber(a) && isNumber(b) && (!aWhole || !bWhole)
	}, cmp.Comparer(func(a, b any) bool { return float(a) == float(b) }))
}

func isNumber(value any) bool {
	switch value.(type) {
	case int64, float64:
		return true
	}
	return false
}

func float(value any) float64 {
	if whole, ok := value.(int64); ok {
		return float64(whole)
	}
	return value.(float64) //nolint:forcetypeassert // it is a number
}

// FuzzColumns: whatever the paths of custom columns and the objects, there is a cell for each column, and a table of a line
// for each object that no object can break out of.
func FuzzColumns(f *testing.F) {
	const object = `{"a":[{"b":"x\ny"},{"b":"\u001b[2J\u202e"}],"l":[1,2.5,null,{"":[]}],"s":"t"}`
	for _, spec := range []string{
		"NAME:.metadata.name", "A:a,B:{.l[*]}", "A:.a[*].b", "A:.a[?(@.b)].b", "A:.l[-1:]", "A:.l[::2],\x1b:..b", "A:['a','l']", "A:{range .a[*]}{.b}{end}", "A:.a[0:99]", "A:.a[?(@.b==\"x\")]",
		"A:}", ":", "A:.l[0].x,B", "A:.s.x[0]", `A:.a\.b`, "A:{.a}{.l}", "A:{end}",
	} {
		f.Add(spec, []byte(object))
	}
	f.Fuzz(func(t *testing.T, spec string, object []byte) {
		if len(spec) > 64 || len(object) > 256 || strings.Count(spec, "..")+strings.Count(spec, "*") > 3 { // they multiply what is printed
			return
		}
		format, err := output.ParseFormat("custom-columns=" + spec)
		if err != nil {
			return
		}
		cells, err := format.Cells(object)
		if err != nil {
			return
		}
		if len(cells) != len(format.Headings()) || len(cells) == 0 {
			t.Fatalf("%d cells of %d columns", len(cells), len(format.Headings()))
		}
		var text strings.Builder
		grid := output.Grid{Headings: format.Headings()}
		grid.Row(cells...)
		grid.Row(cells...)
		if err := grid.Write(&text); err != nil {
			t.Fatal(err)
		}
		if lines := strings.Split(text.String(), "\n"); len(lines) != 4 || lines[1] != lines[2] {
			t.Errorf("%q", lines)
		}
		for _, r := range text.String() {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Errorf("%U in %q", r, text.String())
			}
		}
	})
}
