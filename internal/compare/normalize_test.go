package compare_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/internal/compare"
)

func ignoring(t testing.TB, paths ...string) *compare.Filter {
	t.Helper()
	var parsed []compare.Path
	for _, text := range paths {
		path, err := compare.ParsePath(text)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, path)
	}
	return compare.NewFilter(parsed)
}

func normalize(t testing.TB, f *compare.Filter, o compare.Object) (string, compare.Hash) {
	t.Helper()
	content, hash, err := compare.NewNormalizer(f).Normalize(o)
	if err != nil {
		t.Fatalf("%v: %s", err, o.JSON)
	}
	return string(content), hash
}

func TestWhatDiffersByNatureIsLeftOut(t *testing.T) {
	for _, test := range []struct {
		about, apiVersion, kind, json, want string
	}{
		{
			"status and identity", "apps/v1", "Deployment",
			`{"status":{"replicas":1},"metadata":{"name":"a","uid":"u","resourceVersion":"7","generation":2,"creationTimestamp":"t","managedFields":[{}],
			"annotations":{"deployment.kubernetes.io/revision":"3","kubectl.kubernetes.io/last-applied-configuration":"{}"}},"spec":{"replicas":2}}`,
			`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"},"spec":{"replicas":2}}`,
		},
		{
			"an annotation stays beside one that goes", "v1", "ConfigMap",
			`{"metadata":{"annotations":{"deployment.kubernetes.io/revision":"3","mine":"1"}},"data":{}}`,
			`{"apiVersion":"v1","data":{},"kind":"ConfigMap","metadata":{"annotations":{"mine":"1"}}}`,
		},
		{
			"an owner is the same one with another uid", "v1", "ConfigMap",
			`{"metadata":{"ownerReferences":[{"kind":"A","uid":"1"},{"uid":"2"}]}}`,
			`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"ownerReferences":[{"kind":"A"},{}]}}`,
		},
		{
			"what is allocated to a service", "v1", "Service",
			`{"spec":{"clusterIP":"10.0.0.1","clusterIPs":["10.0.0.1"],"ports":[{"port":80,"nodePort":30001}],"type":"NodePort"}}`,
			`{"apiVersion":"v1","kind":"Service","spec":{"ports":[{"port":80}],"type":"NodePort"}}`,
		},
		{
			"a headless service is another thing", "v1", "Service",
			`{"spec":{"clusterIP":"None","clusterIPs":["None"]}}`,
			`{"apiVersion":"v1","kind":"Service","spec":{"clusterIP":"None"}}`,
		},
		{
			"a kind of that name in another group is not meant", "example.com/v1", "Service",
			`{"spec":{"clusterIP":"10.0.0.1"}}`,
			`{"apiVersion":"example.com/v1","kind":"Service","spec":{"clusterIP":"10.0.0.1"}}`,
		},
		{
			"what an object says of itself counts", "", "",
			`{"kind":"Namespace","spec":{"finalizers":["kubernetes"]},"apiVersion":"v1","metadata":{"labels":{"kubernetes.io/metadata.name":"a"}}}`,
			`{"apiVersion":"v1","kind":"Namespace"}`,
		},
		{
			"templates of older servers", "apps/v1", "StatefulSet",
			`{"spec":{"template":{"metadata":{"creationTimestamp":null,"labels":{"a":"b"}}},"volumeClaimTemplates":[{"metadata":{"creationTimestamp":null,"name":"d"},"status":{"phase":"Pending"}}]}}`,
			`{"apiVersion":"apps/v1","kind":"StatefulSet","spec":{"template":{"metadata":{"labels":{"a":"b"}}},"volumeClaimTemplates":[{"metadata":{"name":"d"}}]}}`,
		},
		{"names with escapes", "v1", "ConfigMap", `{"\u0073tatus":1,"data":{"\u0061":"\u0062\/"}}`, `{"apiVersion":"v1","data":{"a":"b/"},"kind":"ConfigMap"}`},
	} {
		t.Run(test.about, func(t *testing.T) {
			got, _ := normalize(t, ignoring(t), compare.Object{APIVersion: test.apiVersion, Kind: test.kind, JSON: []byte(test.json)})
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestIgnoredPathsDoNotCount(t *testing.T) {
	const object = `{"metadata":{"annotations":{"example.com/owner":"me"},"name":"a"},"spec":{"replicas":3,"containers":[{"image":"a:1","name":"x"},{"image":"b:1"}],"empty":{}},"data":{"k":"v"}}`
	for paths, want := range map[string]string{
		"spec.replicas .spec.replicas":                `{"data":{"k":"v"},"metadata":{"annotations":{"example.com/owner":"me"},"name":"a"},"spec":{"containers":[{"image":"a:1","name":"x"},{"image":"b:1"}],"empty":{}}}`,
		"metadata.annotations['example.com/owner']":   `{"data":{"k":"v"},"metadata":{"name":"a"},"spec":{"containers":[{"image":"a:1","name":"x"},{"image":"b:1"}],"empty":{},"replicas":3}}`,
		"spec.containers[*].image spec.replicas":      `{"data":{"k":"v"},"metadata":{"annotations":{"example.com/owner":"me"},"name":"a"},"spec":{"containers":[{"name":"x"},{}],"empty":{}}}`,
		"spec.containers[0] spec.containers[0].image": `{"data":{"k":"v"},"metadata":{"annotations":{"example.com/owner":"me"},"name":"a"},"spec":{"containers":[{"image":"b:1"}],"empty":{},"replicas":3}}`,
		"spec data[*]": `{"metadata":{"annotations":{"example.com/owner":"me"},"name":"a"}}`,
		"not.there spec.replicas.deeper spec[\"no\"]": `{"data":{"k":"v"},"metadata":{"annotations":{"example.com/owner":"me"},"name":"a"},"spec":{"containers":[{"image":"a:1","name":"x"},{"image":"b:1"}],"empty":{},"replicas":3}}`,
		"spec.empty.inner spec.containers[*] data.k":  `{"metadata":{"annotations":{"example.com/owner":"me"},"name":"a"},"spec":{"replicas":3}}`,
	} {
		got, _ := normalize(t, ignoring(t, strings.Fields(paths)...), compare.Object{JSON: []byte(object)})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", paths, diff)
		}
	}
	got, _ := normalize(t, ignoring(t, "apiVersion", "kind"), compare.Object{APIVersion: "v1", Kind: "A", JSON: []byte(`{"data":1}`)})
	if got != `{"data":1}` {
		t.Errorf("what is added counts: %s", got)
	}
	if got, _ := normalize(t, ignoring(t, "spec.clusterIP"), compare.Object{APIVersion: "v1", Kind: "Service", JSON: []byte(`{"spec":{"clusterIP":"None"}}`)}); strings.Contains(got, "None") {
		t.Errorf("what is ignored counts: %s", got)
	}
}

func TestAnAbsentIgnoredMemberIsLikeAnIgnoredOne(t *testing.T) {
	f := ignoring(t, "metadata.annotations['example.com/owner']", "spec.sizes.limit")
	_, with := normalize(t, f, compare.Object{JSON: []byte(`{"metadata":{"name":"a","annotations":{"example.com/owner":"x"}},"spec":{"a":1,"sizes":{"limit":2}}}`)})
	for _, without := range []string{
		`{"metadata":{"name":"a"},"spec":{"a":1}}`,
		`{"metadata":{"name":"a","annotations":{}},"spec":{"a":1,"sizes":{}}}`,
	} {
		if _, hash := normalize(t, f, compare.Object{JSON: []byte(without)}); hash != with {
			t.Errorf("%s is another one", without)
		}
	}
}

func TestNumbersKeepTheirDigits(t *testing.T) {
	f := ignoring(t)
	hash := func(number string) compare.Hash {
		_, h := normalize(t, f, compare.Object{JSON: []byte(`{"n":` + number + `}`)})
		return h
	}
	if hash("12345678901234567890") == hash("12345678901234567891") {
		t.Error("large integers are alike")
	}
	if hash("1.0") != hash("1e0") {
		t.Error("two ways to write a number are not")
	}
}

// random returns an object, deep and wide enough to have everything.
func random(r *rand.Rand, depth int) any {
	switch n := r.IntN(8); {
	case depth > 0 && n < 3:
		o := map[string]any{}
		for range r.IntN(5) {
			o[string(rune('a'+r.IntN(26)))+strings.Repeat("é\"\\", r.IntN(2))] = random(r, depth-1)
		}
		return o
	case depth > 0 && n < 5:
		l := []any{}
		for range r.IntN(4) {
			l = append(l, random(r, depth-1))
		}
		return l
	case n == 5:
		return r.IntN(1000)
	case n == 6:
		return nil
	}
	return strings.Repeat("x\u2028<", r.IntN(4))
}

// scramble writes JSON with its members in any order, and spaces and escapes anywhere.
func scramble(r *rand.Rand, b *strings.Builder, v any) {
	space := func() { b.WriteString([]string{"", " ", "\n\t"}[r.IntN(3)]) }
	space()
	defer space()
	switch v := v.(type) {
	case map[string]any:
		b.WriteByte('{')
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for i, name := range names {
			if i > 0 {
				b.WriteByte(',')
			}
			scramble(r, b, name)
			b.WriteByte(':')
			scramble(r, b, v[name])
		}
		space()
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			scramble(r, b, e)
		}
		space()
		b.WriteByte(']')
	case string:
		b.WriteByte('"')
		for _, c := range v {
			if r.IntN(2) == 0 || c < ' ' || c == '"' || c == '\\' {
				fmt.Fprintf(b, `\u%04x`, c)
				continue
			}
			b.WriteRune(c)
		}
		b.WriteByte('"')
	default:
		raw, _ := json.Marshal(v)
		b.Write(raw)
	}
}

func TestAnyOrderAndSpacingOfAnObjectHasTheSameHash(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	f := ignoring(t, "a.b", "c[*].d", "data.x")
	for range 2000 {
		object, _ := random(r, 4).(map[string]any)
		o := compare.Object{Namespace: "ns", Name: "n", Secret: r.IntN(4) == 0}
		if object == nil {
			object = map[string]any{"data": random(r, 2), "a": random(r, 3), "c": random(r, 3)}
		}
		var want compare.Hash
		for i := range 4 {
			var b strings.Builder
			scramble(r, &b, object)
			o.JSON = []byte(b.String())
			content, hash := normalize(t, f, o)
			if i > 0 && hash != want {
				t.Fatalf("%s became %s", o.JSON, content)
			}
			want = hash
			again, _ := normalize(t, f, compare.Object{Namespace: "ns", Name: "n", JSON: []byte(content)})
			if !o.Secret && again != content {
				t.Fatalf("normalizing twice: %s, then %s", content, again)
			}
		}
	}
}

func TestOtherContentHasAnotherHash(t *testing.T) {
	f := ignoring(t)
	seen := map[compare.Hash]string{}
	for _, json := range []string{`{}`, `{"a":1}`, `{"a":"1"}`, `{"a":null}`, `{"a":[1,2]}`, `{"a":[2,1]}`, `{"a":{}}`, `{"b":1}`, `{"data":{"status":1}}`, `{"data":{}}`} {
		_, hash := normalize(t, f, compare.Object{JSON: []byte(json)})
		if seen[hash] != "" {
			t.Errorf("%s and %s are alike", json, seen[hash])
		}
		seen[hash] = json
	}
}

func TestWhatIsNoObjectIsAnErrorThatRepeatsNothing(t *testing.T) {
	for _, json := range []string{``, `null`, `[]`, `"canary"`, `{"canary"`, `{"canary":1}}`, `{"metadata":{"canary"]}`, `{"canary":tru}`, `{"canary":1,"canary":2}`, `{"data":{"canary":01}}`} {
		for _, secret := range []bool{false, true} {
			_, _, err := compare.NewNormalizer(ignoring(t)).Normalize(compare.Object{Namespace: "ns", Name: "n", JSON: []byte(json), Secret: secret})
			_, _, typed := compare.NewNormalizer(ignoring(t)).Normalize(compare.Object{Namespace: "ns", Name: "n", APIVersion: "v1", Kind: "A", JSON: []byte(json), Secret: secret})
			if err == nil || typed == nil || strings.Contains(typed.Error(), "canary") || strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), `"ns/n"`) {
				t.Errorf("%s: %v", json, err)
			}
		}
	}
}

func TestRulesAreDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "comparing.md"))
	if err != nil {
		t.Fatal(err)
	}
	var kind, why string
	documented := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || !strings.Contains(line, "`") {
			continue
		}
		kind, why = strings.TrimSpace(cells[1]), strings.TrimSpace(cells[3])
		for i, path := range strings.Split(cells[2], "`") {
			if i%2 == 1 {
				documented[kind+" "+path+" "+why] = true
			}
		}
	}
	rules := compare.Rules()
	for _, r := range rules {
		kind := r.Kind
		if kind == "" {
			kind = "all"
		}
		if _, err := compare.ParsePath(r.Path); err != nil {
			t.Error(err)
		}
		if line := kind + " " + r.Path + " " + r.Why; !documented[line] {
			t.Errorf("docs/comparing.md lacks: %s", line)
		}
	}
	if len(documented) != len(rules) {
		t.Errorf("%d rules are documented, %d are there", len(documented), len(rules))
	}
}
