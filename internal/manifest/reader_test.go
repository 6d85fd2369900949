package manifest_test

import (
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/internal/manifest"
	"github.com/clusterfleet/clusterfleet/internal/manifest/manifesttest"
)

// deliveries are the ways in which the same bytes may arrive.
func deliveries() map[string]func(io.Reader) io.Reader {
	return map[string]func(io.Reader) io.Reader{
		"at once":                func(r io.Reader) io.Reader { return r },
		"byte by byte":           iotest.OneByteReader,
		"the end with the bytes": iotest.DataErrReader,
	}
}

func TestReaderSplitsBodies(t *testing.T) {
	t.Parallel()
	const a = `{"metadata":{"name":"a","namespace":"x"},"spec":{"items":[{"metadata":{"name":"no"}}]}}`
	const b = `{ "metadata" : { "namespace" : "x" , "name" : "b" } }`
	const typedA = `{"apiVersion":"g/v1","kind":"Foo","metadata":{"name":"a"}}`
	itemA, itemB := item{"x", "a", a}, item{"x", "b", b}
	podMeta := manifest.Meta{APIVersion: "v1", Kind: "Pod"}
	page := manifest.Meta{APIVersion: "v1", Kind: "Pod", ResourceVersion: "7", Continue: "t", RemainingItemCount: 12}
	foos := manifest.Meta{APIVersion: "g/v1", Kind: "Foo"}
	const listMeta = `"metadata":{"resourceVersion":"7","continue":"t","remainingItemCount":12,"selfLink":"/"}`

	for name, tt := range map[string]struct {
		body  string
		list  bool
		items []item
		meta  manifest.Meta
	}{
		"a typed list": {
			body:  `{"kind":"PodList","apiVersion":"v1",` + listMeta + `,"items":[` + a + `,` + b + `]}` + "\n",
			items: []item{itemA, itemB}, meta: page,
		},
		"metadata after the items": {
			body:  `{"kind":"PodList","apiVersion":"v1","items":[` + a + `],` + listMeta + `}`,
			items: []item{itemA}, meta: page,
		},
		"an indented list": {
			body:  "\n{\n  \"kind\": \"PodList\",\r\n\t\"apiVersion\": \"v1\",\n  \"items\": [\n    " + a + " ,\n    " + b + "\n  ]\n}\n\n",
			items: []item{itemA, itemB}, meta: podMeta,
		},
		"unknown members around the items": {
			body: `{"x":{"items":[1,{"kind":"No"}]},"kind":"PodList","y":[[]],"apiVersion":"v1","z":-1.5e3,"items":[` + a +
				`],"w":"\u0022]}","v":null}`,
			items: []item{itemA}, meta: podMeta,
		},
		"escaped member names": {
			body:  `{"k\u0069nd":"PodList","\u0061piVersion":"v1","\u0069tems":[{"m\u0065tadata":{"n\u0061me":"\u0061\n"}}]}`,
			items: []item{{"", "a\n", `{"m\u0065tadata":{"n\u0061me":"\u0061\n"}}`}}, meta: podMeta,
		},
		"items of several namespaces and of none": {
			body: pods + `{"metadata":{"namespace":"x"}},{"metadata":{"namespace":"y"}},{},{"metadata":{"namespace":"y"}}]}`,
			items: []item{
				{"x", "", `{"metadata":{"namespace":"x"}}`},
				{"y", "", `{"metadata":{"namespace":"y"}}`},
				{"", "", `{}`},
				{"y", "", `{"metadata":{"namespace":"y"}}`},
			}, meta: podMeta,
		},
		"a single object whose kind only begins like a list's": {
			body:  `{"kind":"PriceListEntry","apiVersion":"g/v1","items":[{}]}`,
			items: []item{{"", "", `{"kind":"PriceListEntry","apiVersion":"g/v1","items":[{}]}`}},
			meta:  manifest.Meta{APIVersion: "g/v1", Kind: "PriceListEntry"},
		},
		"an empty list":              {body: `{"kind":"PodList","apiVersion":"v1","items":[]}`, meta: podMeta},
		"items null":                 {body: `{"kind":"PodList","apiVersion":"v1","metadata":null,"items":null}`, meta: podMeta},
		"items null before the kind": {body: `{"apiVersion":"v1","items":null,"kind":"PodList"}`, meta: podMeta},
		"a list without items where a list was asked for": {
			body: `{"kind":"PodList","apiVersion":"v1"}`, list: true, meta: podMeta,
		},
		"a v1 List whose items say what they are": {
			body:  `{"apiVersion":"v1","items":[` + typedA + `],"kind":"List"}`,
			items: []item{{"", "a", typedA}}, meta: manifest.Meta{APIVersion: "v1"},
		},
		"metadata-only items": {
			body: `{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","items":[` +
				`{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"a"}}]}`,
			items: []item{{"", "a", `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"a"}}`}},
			meta:  manifest.Meta{APIVersion: "meta.k8s.io/v1", Kind: "PartialObjectMetadata"},
		},
		"the kind after the items, as of custom resources": {
			body:  `{"apiVersion":"g/v1","items":[` + typedA + `],"kind":"FooList","metadata":{}}`,
			items: []item{{"", "a", typedA}}, meta: foos,
		},
		"the same where a list was asked for": {
			body: `{"apiVersion":"g/v1","items":[` + typedA + `],"kind":"FooList","metadata":{}}`, list: true,
			items: []item{{"", "a", typedA}}, meta: foos,
		},
		"everything after the items": {
			body:  `{"items":[` + typedA + `],"metadata":{"continue":"t"},"kind":"FooList","apiVersion":"g/v1"}`,
			items: []item{{"", "a", typedA}}, meta: manifest.Meta{APIVersion: "g/v1", Kind: "Foo", Continue: "t"},
		},
		"a single object": {
			body: ` ` + typedA + ` `, items: []item{{"", "a", typedA}}, meta: foos,
		},
		"a single object with a member called items": {
			body:  `{"kind":"Foo","apiVersion":"g/v1","items":[{"metadata":{"name":"no"}}],"metadata":{"name":"a"}}`,
			items: []item{{"", "a", `{"kind":"Foo","apiVersion":"g/v1","items":[{"metadata":{"name":"no"}}],"metadata":{"name":"a"}}`}},
			meta:  foos,
		},
		"the same with its kind after the items": {
			body:  `{"apiVersion":"g/v1","items":[{"metadata":{"name":"no"}}],"kind":"Foo","metadata":{"name":"a"}}`,
			items: []item{{"", "a", `{"apiVersion":"g/v1","items":[{"metadata":{"name":"no"}}],"kind":"Foo","metadata":{"name":"a"}}`}},
			meta:  foos,
		},
		"a single object whose kind ends in List but that has no items": {
			body:  `{"kind":"AllowList","apiVersion":"g/v1","metadata":{"name":"a"}}`,
			items: []item{{"", "a", `{"kind":"AllowList","apiVersion":"g/v1","metadata":{"name":"a"}}`}},
			meta:  manifest.Meta{APIVersion: "g/v1", Kind: "AllowList"},
		},
		"a single object whose kind ends in List and whose items are no array": {
			body:  `{"items":{"a":1},"kind":"AllowList","apiVersion":"g/v1"}`,
			items: []item{{"", "", `{"items":{"a":1},"kind":"AllowList","apiVersion":"g/v1"}`}},
			meta:  manifest.Meta{APIVersion: "g/v1", Kind: "AllowList"},
		},
		"a Status of success": {
			body:  `{"kind":"Status","apiVersion":"v1","status":"Success"}`,
			items: []item{{"", "", `{"kind":"Status","apiVersion":"v1","status":"Success"}`}},
			meta:  manifest.Meta{APIVersion: "v1", Kind: "Status"},
		},
		"items without a name or metadata": {
			body:  `{"kind":"PodList","apiVersion":"v1","items":[{},{"metadata":null},{"metadata":{"name":null,"x":{"name":"no"}}}]}`,
			items: []item{{"", "", `{}`}, {"", "", `{"metadata":null}`}, {"", "", `{"metadata":{"name":null,"x":{"name":"no"}}}`}},
			meta:  podMeta,
		},
	} {
		for how, deliver := range deliveries() {
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				r := manifest.NewReader(deliver(strings.NewReader(tt.body)), manifest.Options{List: tt.list})
				defer r.Close()
				var items []item
				var err error
				for {
					var i manifest.Item
					if i, err = r.Next(); err != nil {
						break
					}
					items = append(items, item{i.Namespace, i.Name, string(i.JSON)})
				}
				if !errors.Is(err, io.EOF) {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.items, items); diff != "" {
					t.Errorf("items (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(tt.meta, r.Meta()); diff != "" {
					t.Errorf("meta (-want +got):\n%s", diff)
				}
				if got := r.Bytes(); got != int64(len(tt.body)) {
					t.Errorf("Bytes() = %d for %d bytes", got, len(tt.body))
				}
			})
		}
	}
}

func TestReaderTellsBeforeTheEndWhatStandsBeforeTheItems(t *testing.T) {
	t.Parallel()
	r := manifest.NewReader(strings.NewReader(
		`{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":[{},{}]}`), manifest.Options{})
	defer r.Close()
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	want := manifest.Meta{APIVersion: "v1", Kind: "Pod", ResourceVersion: "7"}
	if diff := cmp.Diff(want, r.Meta()); diff != "" {
		t.Errorf("meta after the first item (-want +got):\n%s", diff)
	}
}

func TestReaderDeliversItemsAsTheyArrive(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		begin string
		opts  manifest.Options
	}{
		"the kind first": {`{"kind":"PodList","apiVersion":"v1","items":[`, manifest.Options{}},
		"the kind last, where a list was asked for": {`{"apiVersion":"v1","items":[`, manifest.Options{List: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body, server := io.Pipe()
			defer body.Close()
			arrived := make(chan error)
			go func() {
				defer close(arrived)
				_, err := io.WriteString(server, tt.begin+`{"kind":"Pod","metadata":{"name":"a"}},`)
				arrived <- err
				server.CloseWithError(<-arrived)
			}()
			r := manifest.NewReader(body, tt.opts)
			defer r.Close()
			first, err := r.Next()
			if err != nil || first.Name != "a" {
				t.Fatalf("the first item while the body is still open: %q, %v", first.Name, err)
			}
			if err := <-arrived; err != nil {
				t.Fatal(err)
			}
			arrived <- io.ErrClosedPipe
			if _, err := r.Next(); !errors.Is(err, io.ErrClosedPipe) {
				t.Errorf("Next() = %v, want the body's error itself", err)
			}
		})
	}
}

func TestReaderTakesABodyTooLargeForASingleObjectForAList(t *testing.T) {
	t.Parallel()
	const one = `{"apiVersion":"g/v1","kind":"Foo","metadata":{"name":"a"}}`
	items := strings.Repeat(one+",", 99) + one
	got, meta, err := readAll(strings.NewReader(`{"apiVersion":"g/v1","items":[`+items+`],"kind":"FooList"}`),
		manifest.Options{MaxItemBytes: 1 << 10})
	if err != nil || len(got) != 100 || meta.Kind != "Foo" {
		t.Errorf("%d items of kind %q, %v", len(got), meta.Kind, err)
	}
	for _, i := range got {
		if i.JSON != one {
			t.Errorf("item %s, want %s", i.JSON, one)
		}
	}
}

func TestReaderReusesBuffersWithoutMixingBodies(t *testing.T) {
	t.Parallel()
	opts := manifest.Options{Pool: new(manifest.Pool)}
	for _, name := range []string{"a-long-name-for-the-first", "b", "c-again-longer"} {
		body := `{"kind":"PodList","apiVersion":"v1","items":[{"metadata":{"managedFields":[],"name":"` + name + `"}}]}`
		got, _, err := readAll(strings.NewReader(body), opts)
		want := []item{{"", name, `{"metadata":{"name":"` + name + `"}}`}}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		single := `{"kind":"Pod","apiVersion":"v1","metadata":{"name":"` + name + `"}}`
		if got, _, err := readAll(strings.NewReader(single), opts); err != nil || got[0].JSON != single {
			t.Errorf("%v, %v", got, err)
		}
	}
}

func TestPoolKeepsNoHugeBuffers(t *testing.T) {
	opts := manifest.Options{Pool: new(manifest.Pool)}
	heap := func() uint64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	before := heap()
	huge := &endless{begin: pods + `{"a":"`, piece: "x"}
	body := io.MultiReader(io.LimitReader(huge, 3<<20), strings.NewReader(`"}]}`))
	if items, _, err := readAll(body, opts); err != nil || len(items) != 1 {
		t.Fatalf("%d items, %v", len(items), err)
	}
	if after := heap(); after > before+1<<20 {
		t.Errorf("%d bytes are still held", after-before)
	}
	runtime.KeepAlive(opts)
}

func TestReaderEndsWithClose(t *testing.T) {
	t.Parallel()
	r := manifest.NewReader(strings.NewReader(`{"kind":"PodList","apiVersion":"v1","items":[{},{}]}`), manifest.Options{})
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	r.Close()
	r.Close()
	if _, err := r.Next(); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("Next() after Close = %v", err)
	}
	if r.Meta().Kind != "Pod" || r.Bytes() == 0 {
		t.Error("Close forgot Meta or Bytes")
	}
}

func TestReaderAllocatesNothingForAnItem(t *testing.T) {
	list := manifesttest.PodList(200)
	opts := manifest.Options{Pool: new(manifest.Pool)}
	items := 0
	run := func() {
		items = 0
		r := manifest.NewReader(strings.NewReader(list), opts)
		defer r.Close()
		for {
			if _, err := r.Next(); err != nil {
				return
			}
			items++
		}
	}
	run() // fills the pool
	allocs := testing.AllocsPerRun(5, run)
	if items != 200 {
		t.Fatalf("%d items", items)
	}
	if perItem := allocs / 200; perItem > 0.1 { // names share their memory with others
		t.Errorf("%.2f allocations an item", perItem)
	}
}
