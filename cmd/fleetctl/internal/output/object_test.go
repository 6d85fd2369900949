package output_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
)

func TestObjectTellsTypeAndClusterAndKeepsTheOtherBytes(t *testing.T) {
	for name, test := range map[string]struct{ raw, want string }{
		"an item of a typed list": {
			`{"metadata":{"name":"a","annotations":{"x":"y"}},"spec":{"n":1.50,"s":"\u00e9\/"}}`,
			`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","annotations":{"clusterfleet.io/cluster":"prod","x":"y"}},"spec":{"n":1.50,"s":"\u00e9\/"}}`,
		},
		"an object that tells its type": {
			`{"kind":"Node","apiVersion":"v2","metadata":{"annotations":{}}}`,
			`{"kind":"Node","apiVersion":"v2","metadata":{"annotations":{"clusterfleet.io/cluster":"prod"}}}`,
		},
		"an object that tells its kind only": {
			`{"kind":"Node","metadata":{"name":"n"}}`,
			`{"apiVersion":"v1","kind":"Node","metadata":{"annotations":{"clusterfleet.io/cluster":"prod"},"name":"n"}}`,
		},
		"spaces":            {`{ "metadata" : { "name" : "a" } }`, `{"apiVersion":"v1","kind":"Pod", "metadata" : {"annotations":{"clusterfleet.io/cluster":"prod"}, "name" : "a" } }`},
		"no metadata":       {`{"spec":{}}`, `{"apiVersion":"v1","kind":"Pod","metadata":{"annotations":{"clusterfleet.io/cluster":"prod"}},"spec":{}}`},
		"nothing":           {`{}`, `{"apiVersion":"v1","kind":"Pod","metadata":{"annotations":{"clusterfleet.io/cluster":"prod"}}}`},
		"empty metadata":    {`{"metadata":{}}`, `{"apiVersion":"v1","kind":"Pod","metadata":{"annotations":{"clusterfleet.io/cluster":"prod"}}}`},
		"null annotations":  {`{"metadata":{"annotations":null,"name":"a"}}`, `{"apiVersion":"v1","kind":"Pod","metadata":{"annotations":{"clusterfleet.io/cluster":"prod"},"name":"a"}}`},
		"inner metadata":    {`{"metadata":{"name":"a"},"spec":{"metadata":{"annotations":{}}}}`, `{"apiVersion":"v1","kind":"Pod","metadata":{"annotations":{"clusterfleet.io/cluster":"prod"},"name":"a"},"spec":{"metadata":{"annotations":{}}}}`},
		"a forged cluster":  {`{"metadata":{"annotations":{"a":"b","clusterfleet.io/cluster":"other","c":"d"}}}`, `{"apiVersion":"v1","kind":"Pod","metadata":{"annotations":{"a":"b","clusterfleet.io/cluster":"prod","c":"d"}}}`},
		"a disguised one":   {`{"metadata":{"annotations":{"clusterfleet\u002eio\/cluster":"other"}}}`, `{"apiVersion":"v1","kind":"Pod","metadata":{"annotations":{"clusterfleet\u002eio\/cluster":"prod"}}}`},
		"line breaks":       {"{\n \"metadata\": {\r\n\"name\": \"a\\n\"}, \"n\": 1e400 }\n", `{"apiVersion":"v1","kind":"Pod","metadata":{"annotations":{"clusterfleet.io/cluster":"prod"},"name":"a\n"},"n":1e400}`},
		"a lone surrogate":  {`{"metadata":{"annotations":{"x":"\ud800"}}}`, `{"apiVersion":"v1","kind":"Pod","metadata":{"annotations":{"clusterfleet.io/cluster":"prod","x":"\ud800"}}}`},
		"metadata at last":  {`{"spec":1,"metadata":{"name":"a"}}`, `{"apiVersion":"v1","kind":"Pod","spec":1,"metadata":{"annotations":{"clusterfleet.io/cluster":"prod"},"name":"a"}}`},
		"the whole content": {`{"metadata":{"annotations":{"x":"</script> ü"}}}`, `{"apiVersion":"v1","kind":"Pod","metadata":{"annotations":{"clusterfleet.io/cluster":"prod","x":"</script> ü"}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := output.Object(test.raw, "v1", "Pod", "prod")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(got)); diff != "" {
				t.Errorf("object (-want +got):\n%s", diff)
			}
		})
	}
}

func TestObjectAddsNoTypeThatIsNotKnown(t *testing.T) {
	got, err := output.Object(`{"metadata":{}}`, "", "", `quoted "name" \`)
	want := `{"metadata":{"annotations":{"clusterfleet.io/cluster":"quoted \"name\" \\"}}}`
	if err != nil || string(got) != want {
		t.Errorf("object %s, error %v", got, err)
	}
}

func TestObjectRefusesWhatIsNotOneObject(t *testing.T) {
	for name, raw := range map[string]string{
		"nothing": "", "an array": `[]`, "a text": `"x"`, "null": `null`, "two": `{}{}`, "a rest": `{} x`, "cut off": `{"metadata":{`,
		"a number as metadata": `{"metadata":1}`, "null as metadata": `{"metadata":null}`, "a text as annotations": `{"metadata":{"annotations":"x"}}`,
		"two metadata": `{"metadata":{},"metadata":{}}`, "two clusters": `{"metadata":{"annotations":{"clusterfleet.io/cluster":"a","clusterfleet.io/cluster":"b"}}}`,
		"a raw control character": "{\"a\":\"\x1b\"}", "too deep": strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000),
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := output.Object(raw, "v1", "Pod", "prod"); err == nil {
				t.Errorf("made of it: %.200s", got)
			}
		})
	}
}

func BenchmarkObject(b *testing.B) {
	raw := `{"metadata":{"name":"a","namespace":"b","labels":{"app":"web"},"annotations":{"x":"y"}},"spec":{"containers":[` +
		strings.TrimSuffix(strings.Repeat(`{"name":"c","image":"registry.example/app:1","env":[{"name":"A","value":"B"}]},`, 30), ",") + `]}}`
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := output.Object(raw, "v1", "Pod", "prod"); err != nil {
			b.Fatal(err)
		}
	}
}
