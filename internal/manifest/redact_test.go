package manifest_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/internal/manifest"
)

func TestReaderCutsManagedFieldsAndNothingElse(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"metadata":{"name":"a","managedFields":[{"m":[]}],"uid":"u"}}`:                         `{"metadata":{"name":"a","uid":"u"}}`,
		`{"metadata":{"managedFields":[{"m":"]}\\\""}],"name":"a"}}`:                             `{"metadata":{"name":"a"}}`,
		`{"metadata":{"name":"a","managedFields":[]}}`:                                           `{"metadata":{"name":"a"}}`,
		`{"metadata":{"managedFields":null}}`:                                                    `{"metadata":{}}`,
		`{"metadata":{"name":"a" , "managedFields" : [] , "uid":"u"} }`:                          `{"metadata":{"name":"a" , "uid":"u"} }`,
		"{\"metadata\":{\n \"name\":\"a\",\n \"managedFields\":[]\n}}":                           "{\"metadata\":{\n \"name\":\"a\"\n}}",
		`{"metadata":{"managed\u0046ields":[],"name":"\u0061"}}`:                                 `{"metadata":{"name":"\u0061"}}`,
		`{"spec":{"metadata":{"managedFields":[1]}},"managedFields":[2]}`:                        `{"spec":{"metadata":{"managedFields":[1]}},"managedFields":[2]}`,
		`{"metadata":{"labels":{"managedFields":"x"}},"a":1e5,"b":0.10}`:                         `{"metadata":{"labels":{"managedFields":"x"}},"a":1e5,"b":0.10}`,
		`{"data":{"k":"v"},"stringData":{},"metadata":{"name":"a"}}`:                             `{"data":{"k":"v"},"stringData":{},"metadata":{"name":"a"}}`,
		`{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}"}}}`: `{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}"}}}`,
	} {
		got, _, err := readAll(strings.NewReader(pods+in+","+in+"]}"), manifest.Options{})
		if diff := cmp.Diff([]string{want, want}, jsons(got)); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", in, err, diff)
		}
		got, _, err = readAll(strings.NewReader(pods+in+"]}"), manifest.Options{ManagedFields: true})
		if diff := cmp.Diff([]string{in}, jsons(got)); err != nil || diff != "" {
			t.Errorf("%s, asked for: %v (-want +got):\n%s", in, err, diff)
		}
	}
}

func TestReaderCutsTheDataOfSecrets(t *testing.T) {
	t.Parallel()
	const applied = `"kubectl.kubernetes.io/last-applied-configuration":"CANARY"`
	for in, want := range map[string]string{
		`{"data":{"k":"CANARY"},"metadata":{"name":"a"}}`:                                                     `{"metadata":{"name":"a"}}`,
		`{"metadata":{"name":"a"},"data":{"k":"CANARY"},"type":"Opaque"}`:                                     `{"metadata":{"name":"a"},"type":"Opaque"}`,
		`{"metadata":{"name":"a"},"data":{},"stringData":{"k":"CANARY"}}`:                                     `{"metadata":{"name":"a"}}`,
		`{"stringData":{"k":"CANARY"},"x":1,"data":"CANARY"}`:                                                 `{"x":1}`,
		`{"data":["CANARY"],"stringData":"CANARY"}`:                                                           `{}`,
		`{"d\u0061ta":{"k":"CANARY"},"x":1}`:                                                                  `{"x":1}`,
		`{"x":1,"\u0064\u0061\u0074\u0061":"CANARY"}`:                                                         `{"x":1}`,
		`{"metadata":{"annotations":{` + applied + `}}}`:                                                      `{"metadata":{"annotations":{}}}`,
		`{"metadata":{"annotations":["kubectl.kubernetes.io/last-applied-configuration",1]},"data":"CANARY"}`: `{"metadata":{"annotations":["kubectl.kubernetes.io/last-applied-configuration",1]}}`,
		`{"metadata":{"annotations":null},"data":"CANARY"}`:                                                   `{"metadata":{"annotations":null}}`,
		`{"metadata":null,"data":"CANARY"}`:                                                                   `{"metadata":null}`,
		`{"metadata":{"annotations":{"a":"b",` + applied + `,"c":"d"}}}`:                                      `{"metadata":{"annotations":{"a":"b","c":"d"}}}`,
		`{"metadata":{"managedFields":["CANARY"],"annotations":{` + applied + `}},"data":"CANARY"}`:           `{"metadata":{"annotations":{}}}`,
		`{"metadata":{"annotations":{"kubectl.kubernetes.io\/last-applied-configuration":"CANARY"}}}`:         `{"metadata":{"annotations":{}}}`,
		`{ "data" : {"k":"CANARY"} , "stringData" : "CANARY" , "x" : 1 }`:                                     `{ "x" : 1 }`,
		`{"type":"a","data":{"data":"CANARY","s":"}CANARY\\\""},"immutable":true}`:                            `{"type":"a","immutable":true}`,
	} {
		own := `{"apiVersion":"v1","kind":"Secret",` + strings.TrimPrefix(in, "{")
		ownWant := strings.Replace(`{"apiVersion":"v1","kind":"Secret",`+strings.TrimPrefix(want, "{"), ",}", "}", 1)
		last := strings.TrimSuffix(in, "}") + `,"kind":"Secret","apiVersion":"v1"}`
		for name, tt := range map[string]struct {
			body, in string
			opts     manifest.Options
			want     string
		}{
			"in a SecretList":              {`{"kind":"SecretList","apiVersion":"v1","items":[` + in + `]}`, in, manifest.Options{}, want},
			"in any list, by the options":  {pods + in + `]}`, in, manifest.Options{Secrets: true}, want},
			"in a v1 List":                 {`{"kind":"List","apiVersion":"v1","items":[` + own + `]}`, own, manifest.Options{}, ownWant},
			"in a List whose kind is last": {`{"apiVersion":"v1","items":[` + own + `],"kind":"List"}`, own, manifest.Options{List: true}, ownWant},
			"in a SecretList, kind last":   {`{"items":[` + in + `],"kind":"SecretList","apiVersion":"v1"}`, in, manifest.Options{}, want},
			"as a single object":           {own, own, manifest.Options{}, ownWant},
			"its kind last":                {last, last, manifest.Options{}, ""},
			"its kind last, in a list":     {pods + last + `]}`, last, manifest.Options{}, ""},
			"in a list in a list": {
				`{"kind":"List","apiVersion":"v1","items":[{"items":[` + own + `,1],"kind":"List","apiVersion":"v1"}]}`,
				`{"items":[` + own + `,1],"kind":"List","apiVersion":"v1"}`,
				manifest.Options{},
				`{"items":[` + ownWant + `,1],"kind":"List","apiVersion":"v1"}`,
			},
			"in a list in a list in a list": {
				`{"kind":"List","apiVersion":"v1","items":[{"items":[{"items":[` + own + `],"kind":"List","apiVersion":"v1"}],"kind":"List","apiVersion":"v1"}]}`,
				`{"items":[{"items":[` + own + `],"kind":"List","apiVersion":"v1"}],"kind":"List","apiVersion":"v1"}`,
				manifest.Options{},
				`{"items":[{"items":[` + ownWant + `],"kind":"List","apiVersion":"v1"}],"kind":"List","apiVersion":"v1"}`,
			},
			"in a SecretList in a list": {
				pods + `{"items":[` + in + `],"kind":"SecretList","apiVersion":"v1"}]}`,
				`{"items":[` + in + `],"kind":"SecretList","apiVersion":"v1"}`,
				manifest.Options{},
				`{"items":[` + want + `],"kind":"SecretList","apiVersion":"v1"}`,
			},
		} {
			t.Run(name+" "+in, func(t *testing.T) {
				t.Parallel()
				got, _, err := readAll(strings.NewReader(tt.body), tt.opts)
				if err != nil || len(got) != 1 {
					t.Fatalf("%d items, %v", len(got), err)
				}
				if strings.Contains(got[0].JSON, "CANARY") {
					t.Errorf("%s is still there", got[0].JSON)
				}
				if tt.want != "" && got[0].JSON != tt.want {
					t.Errorf("got %s, want %s", got[0].JSON, tt.want)
				}
				tt.opts.SecretData, tt.opts.ManagedFields = true, true
				got, _, err = readAll(strings.NewReader(tt.body), tt.opts)
				if diff := cmp.Diff([]string{tt.in}, jsons(got)); err != nil || diff != "" {
					t.Errorf("asked for: %v (-want +got):\n%s", err, diff)
				}
			})
		}
	}
}

func TestReaderCutsEachCopyOfAnAppliedSecret(t *testing.T) {
	t.Parallel()
	names := manifest.AppliedCopies()
	if len(names) < 6 || !slices.Contains(names, "objectset.rio.cattle.io/applied") {
		t.Errorf("got %v", names)
	}
	var all strings.Builder
	for _, name := range names {
		fmt.Fprintf(&all, `"a-%[1]s":"stays",%[1]q:"CANARY",`, name)
	}
	in := `{"metadata":{"annotations":{` + all.String() + `"b":"stays"}}}`
	got, _, err := readAll(strings.NewReader(`{"kind":"SecretList","apiVersion":"v1","items":[`+in+`]}`), manifest.Options{})
	if err != nil || strings.Contains(got[0].JSON, "CANARY") || strings.Count(got[0].JSON, "stays") != len(names)+1 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestReaderLeavesOtherKindsOfSecrets(t *testing.T) {
	t.Parallel()
	const foreign = `{"apiVersion":"g/v1","kind":"Secret","data":{"a":"b"}}`
	got, _, err := readAll(strings.NewReader(`{"apiVersion":"g/v1","kind":"SecretList","items":[`+foreign+`]}`), manifest.Options{})
	if diff := cmp.Diff([]string{foreign}, jsons(got)); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestReaderCutsSecretsThatGiveNoAPIVersion(t *testing.T) {
	t.Parallel()
	got, _, err := readAll(strings.NewReader(pods+`{"kind":"Secret","data":{"a":"b"}}]}`), manifest.Options{})
	if diff := cmp.Diff([]string{`{"kind":"Secret"}`}, jsons(got)); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestReaderRefusesItemsOfAKindThatNobodyTellsInTime(t *testing.T) {
	t.Parallel()
	const body = `{"items":[{"data":{"k":"CANARY"}}],"kind":"SecretList","apiVersion":"v1"}`
	got, _, err := readAll(strings.NewReader(body), manifest.Options{List: true})
	if len(got) > 0 || !errors.Is(err, manifest.ErrMalformed) {
		t.Errorf("%v, %v", got, err)
	}
	for _, opts := range []manifest.Options{{List: true, Secrets: true}, {List: true, SecretData: true}} {
		got, _, err := readAll(strings.NewReader(body), opts)
		if len(got) != 1 || err != nil {
			t.Errorf("%+v: %v, %v", opts, got, err)
		}
	}
}
