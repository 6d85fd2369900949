package shape_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/util/jsonpath"
	kjson "sigs.k8s.io/json"

	"github.com/clusterfleet/clusterfleet/internal/shape"
)

func projection(t testing.TB, template string) shape.Shape {
	t.Helper()
	p, err := shape.ParseProjection(template)
	if err != nil {
		t.Fatalf("%s: %v", template, err)
	}
	return shape.Shape{Projection: p}
}

func TestAProjectionPrintsWhatItsPathLeadsTo(t *testing.T) {
	for template, want := range map[string]string{
		`{.metadata.name}`: "web",
		`.metadata.name`:   "web",
		`metadata.name`:    "web",
		`{metadata.name}`:  "web",
		`$.metadata.name`:  "web",
		`{$.metadata.name}{"\t"}{@.spec.replicas}{"\n"}`:                                      "web\t3\n",
		`name: {.metadata.name}!`:                                                             "name: web!",
		`{.metadata.labels.a\.b/c}`:                                                           "d",
		`{.metadata.labels['app']}`:                                                           "web",
		`{.metadata.labels}`:                                                                  `{"a.b/c":"d","app":"web"}`,
		`{.metadata.labels.*}`:                                                                "d web",
		`{.spec.template.spec.containers[*].name}`:                                            "app proxy",
		`{.spec.template.spec.containers[0].image}`:                                           "registry.example/app:1.2.0",
		`{.spec.template.spec.containers[-1].name}`:                                           "proxy",
		`{.spec.template.spec.containers[-1:].name}`:                                          "proxy",
		`{.spec.template.spec.containers[0:1].name}`:                                          "app",
		`{.spec.template.spec.containers[0:9].name}`:                                          "app proxy",
		`{.spec.template.spec.containers[::2].name}`:                                          "app",
		`{.spec.template.spec.containers[::9223372036854775807].name}`:                        "app",
		`{.spec.template.spec.containers[7].name}`:                                            "",
		`{.spec.template.spec.containers[-7].name}`:                                           "",
		`{.spec.template.spec.containers[0,1].name}`:                                          "app proxy",
		`{.spec.template.spec.containers[?(@.name=="proxy")].image}`:                          "registry.example/proxy:2.0.0",
		`{.spec.template.spec.containers[?(@.env)].name}`:                                     "app",
		`{.spec.template.spec.containers[?(@.name>"b")].name}`:                                "proxy",
		`{.spec.template.spec.containers[?(@.name==3)].name}`:                                 "",
		`{range .spec.template.spec.containers[*]}{.name}={.image};{end}`:                     "app=registry.example/app:1.2.0;proxy=registry.example/proxy:2.0.0;",
		`{range .spec.template.spec.containers[*]}{.name}:{range .env[*]}{.name}{end};{end}.`: "app:A;proxy:;.",
		`{..image}`:             "registry.example/app:1.2.0 registry.example/proxy:2.0.0",
		`{.spec.huge}`:          "9007199254740993",
		`{.spec.ratio}`:         "0.5",
		`{.spec.none}`:          "null",
		`{.spec.paused}`:        "false",
		`{.status.phase}`:       "",
		`{.metadata.name.x}`:    "",
		`{.metadata.name[0]}`:   "",
		`{.kind}/{.apiVersion}`: "Deployment/apps/v1",
	} {
		got, wanted, err := projection(t, template).Apply(t.Context(), []byte(deployment), deploymentType())
		if err != nil || !wanted || got != want {
			t.Errorf("%s prints %q, want %q; %t, error %v", template, got, want, wanted, err)
		}
	}
}

func TestAMistakeInATemplateIsAnError(t *testing.T) {
	for _, template := range []string{
		``, `{`, `{.a`, `{.a[}`, `{.a[x]}`, `{range .a[*]}{.b}`, `{end}`, `{range .a[*]}{end}{end}`, `{.a}{foo}`, `{.a[::0]}`, `{.a[?(@.b=>1)]}`,
		`{range.}{range}`, `{.a[?(}`, `{"a}`, `{.a[?(@.b==foo)]}`,
	} {
		if p, err := shape.ParseProjection(template); err == nil && template != "" {
			t.Errorf("%s is compiled: %v", template, p)
		}
	}
}

// TestAProjectionIsClientGos compares with the library whose syntax it is, where the two mean the same.
func TestAProjectionIsClientGos(t *testing.T) {
	var document any
	if err := kjson.UnmarshalCaseSensitivePreserveInts([]byte(deployment), &document); err != nil {
		t.Fatal(err)
	}
	for _, template := range []string{
		`{.metadata.name}`, `{.spec}`, `{.spec.template.spec.containers[*]}`, `{.spec.template.spec.containers[0:2].name}{"\n"}`, `{..image}`, `{..containers[?(@.name=="app")].env}`,
		`{range .spec.template.spec.containers[*]}[{.name}, {.image}] {end}`, `a{.spec.replicas}b{.spec.none}c{.spec.ratio}`, `{.spec['replicas','ratio']}`,
		`{.spec.template.spec.containers[-2:-1].name}`, `{.spec.template.spec.containers[?(@.name!="app")].name}`, `{.missing.too}`, `{range .missing[*]}x{end}y`, `{@}`, `{true}{1}{1.5}{"x"}`,
		`{.metadata.labels}{.metadata.creationTimestamp}`, `{.spec.template.spec.containers[*]['name','image']}`,
	} {
		library := jsonpath.New("").AllowMissingKeys(true)
		if err := library.Parse(template); err != nil {
			t.Fatalf("%s: %v", template, err)
		}
		var want strings.Builder
		if err := library.Execute(&want, document); err != nil {
			t.Fatalf("%s: %v", template, err)
		}
		got, _, err := projection(t, template).Apply(t.Context(), []byte(deployment), shape.Type{})
		if err != nil || got != want.String() {
			t.Errorf("%s prints %q, client-go %q; error %v", template, got, want.String(), err)
		}
	}
}

func TestAProjectionIsForManyGoroutines(t *testing.T) {
	s := projection(t, `{range .spec.template.spec.containers[*]}{.name} {end}{.metadata.name}`)
	s.Where = where(t, `object.spec.replicas > 2`).Where
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 50 {
				if got, wanted, err := s.Apply(t.Context(), []byte(deployment), shape.Type{}); err != nil || !wanted || got != "app proxy web" {
					t.Errorf("printed %q, %t, error %v", got, wanted, err)
				}
			}
		})
	}
	group.Wait()
}

func TestATemplateThatIsTooCostlyEndsSoon(t *testing.T) {
	large := numbers(600_000)
	deep := []byte(strings.Repeat(`{"a":`, 500) + `[[1,2],[3,4]]` + strings.Repeat(`}`, 500))
	for template, object := range map[string][]byte{
		`{.s}`: large,
		`{.l}`: large,
		`{range .l[*]}{.}{end}{.l[?(@==2)]}` + strings.Repeat(`{.l[?(@==2)]}`, 100):          large,
		`{.}{` + strings.Repeat(`...*`, 200) + `}`:                                           deep,
		`{` + strings.Repeat(`['a','a']`, 60) + `}`:                                          deep,
		`{.l[` + strings.Repeat(`:,`, 500) + `:]}`:                                           large,
		`{.l[*].a}{` + strings.Repeat(`..a.a`, 100) + `}`:                                    deep,
		`{range .l[*]}{range .a}{end}{end}{range ..}{range ..}{range ..}{.x}{end}{end}{end}`: deep,
	} {
		start := time.Now()
		got, _, err := projection(t, template).Apply(t.Context(), object, shape.Type{})
		if took := time.Since(start); err == nil || took > 30*time.Second || strings.Contains(err.Error(), "aaaa") {
			t.Errorf("%.50s: printed %d bytes in %s, error %v", template, len(got), took, err)
		}
	}
}

// TestWhatAFilterFindsIsBounded repeats a list by a union of its name, and keeps all of its elements.
func TestWhatAFilterFindsIsBounded(t *testing.T) {
	object := []byte(`{"spec":{"l":[` + strings.Repeat("1,", 999) + `1]}}`)
	times := func(name string, n int) string { return `['` + name + `'` + strings.Repeat(`,'`+name+`'`, n-1) + `]` }
	for _, template := range []string{
		`{` + times("spec", 200) + times("l", 200) + `[?(@)]}`,
		`{` + times("spec", 200) + times("l", 200) + `[?(@==2)]}`,
		`{.spec` + times("l", 50) + `[*,*,*,*,*,*,*,*,*,*,*,*]['a'][?(@)]}{.spec` + times("l", 400) + `[?(@)]}`,
		`{` + times("spec", 500) + `[?(@)]}{` + times("spec", 700) + `['l'][?(@==1)]}`,
		`{range .spec.l[*]}{end}{` + times("spec", 400) + `['l'][?(@)]}{.spec` + times("l", 400) + `[?(@)]}`,
	} {
		before := allocated()
		got, _, err := projection(t, template).Apply(t.Context(), object, shape.Type{})
		if taken := allocated() - before; err == nil || taken > 256<<20 {
			t.Errorf("%.50s: printed %d bytes, took %d MiB, error %v", template, len(got), taken>>20, err)
		}
	}
}

// TestComparingLongTextsCounts compares two texts that differ in their last letter only, again and again.
func TestComparingLongTextsCounts(t *testing.T) {
	text := strings.Repeat("a", 1<<20)
	object := []byte(`{"l":[{"s":"` + text + `b","t":"` + text + `c"}]}`)
	s := projection(t, `{['l'`+strings.Repeat(`,'l'`, 100)+`][?(@.s==@.t)]}`)
	if _, _, err := s.Apply(t.Context(), object, shape.Type{}); err == nil {
		t.Error("the comparisons did not count")
	}
}

func TestAnObjectThatIsNoneOrTooDeepIsAnErrorThatQuotesNothing(t *testing.T) {
	for name, object := range map[string]string{
		"nothing": ``, "a list": `["secret"]`, "cut off": `{"a":"secret"`, "two": `{"a":"secret"}{"secret":1}`, "no JSON": `{"a":secret}`,
		"deep":       strings.Repeat(`{"secret":`, 100_000) + `1` + strings.Repeat(`}`, 100_000),
		"deep lists": `{"secret":` + strings.Repeat(`[`, 1000) + strings.Repeat(`]`, 1000) + `}`,
	} {
		for _, s := range []shape.Shape{where(t, `object.size() > 0`), projection(t, `{..x}`)} {
			if _, _, err := s.Apply(t.Context(), []byte(object), shape.Type{}); err == nil || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: error %v", name, err)
			}
		}
	}
}

func TestTheTypeIsThatOfTheObjectOrElseOfItsList(t *testing.T) {
	list := shape.Type{APIVersion: "v1", Kind: "Pod"}
	for object, want := range map[string]string{
		`{}`: "v1 Pod",
		`{"apiVersion":"example.com/v1","kind":"Widget"}`:                         "example.com/v1 Widget",
		`{"apiVersion":"meta.k8s.io/v1","kind":"PartialObjectMetadata"}`:          "v1 Pod",
		`{"metadata":{"name":"a"},"kind":"Widget","apiVersion":"example.com/v1"}`: "example.com/v1 Widget",
	} {
		if got, _, err := projection(t, `{.apiVersion} {.kind}`).Apply(t.Context(), []byte(object), list); err != nil || got != want {
			t.Errorf("%s is a %q, want %q; error %v", object, got, want, err)
		}
	}
}
