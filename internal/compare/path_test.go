package compare_test

import (
	"strings"
	"testing"

	"github.com/clusterfleet/clusterfleet/internal/compare"
)

func TestBadPathsSayWhatIsWrongAndHowToWriteThem(t *testing.T) {
	for path, want := range map[string]string{
		"":                                   "empty",
		".":                                  "empty",
		"spec..replicas":                     "a name is missing",
		"spec.":                              "a name is missing",
		"spec[":                              "not closed",
		"spec[0":                             "not closed",
		"spec[a]":                            "[a] is neither",
		"spec[-1]":                           "neither",
		"spec[99999999999]":                  "neither",
		"spec['a]":                           "ends with ']",
		"spec['a\"]":                         "ends with ']",
		"spec['']":                           "empty",
		"spec[0]name":                        "after a bracket",
		"spec.*":                             "write [*]",
		"*":                                  "write [*]",
		"metadata.annotations.example.com/a": "stands in brackets and quotes: ['example.com/owner']",
		"/spec/replicas":                     "slash",
		"{.spec.replicas}":                   "no plain name",
		"$.spec":                             "no plain name",
		`metadata.labels.a\.b`:               "no plain name",
		"spec replicas":                      "no plain name",
	} {
		_, err := compare.ParsePath(path)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q in it", path, err, want)
		}
	}
}

func TestGoodPathsAreRead(t *testing.T) {
	for _, path := range []string{
		"a", ".a", "a.b-c_d", "a[0]", "a[*]", "['a.b/c']", `a["b']['c"].d`, "a['it]s'].b", "[*]", "a[*][0]['x'].y", "é", "a['x y']",
	} {
		if _, err := compare.ParsePath(path); err != nil {
			t.Errorf("%q: %v", path, err)
		}
	}
}

// FuzzPath holds that no path, and no object, makes filtering fail where it did not fail without it, and that filtering is stable.
func FuzzPath(f *testing.F) {
	f.Add("spec.replicas", `{"spec":{"replicas":1}}`)
	f.Add("a[*]['b'][0]", `{"a":[{"b":[1,2]},{}],"c":null}`)
	f.Add("metadata.annotations['x/y']", `{"metadata":{"annotations":{"x/y":"z"}}}`)
	f.Add("[*]", `{"a":{},"b":[]}`)
	f.Fuzz(func(t *testing.T, text, json string) {
		var ignore []compare.Path
		if path, err := compare.ParsePath(text); err == nil {
			ignore = append(ignore, path)
		}
		for _, secret := range []bool{false, true} {
			o := compare.Object{Namespace: "ns", Name: "n", JSON: []byte(json), Secret: secret}
			_, _, plain := compare.NewNormalizer(compare.NewFilter(nil)).Normalize(o)
			n := compare.NewNormalizer(compare.NewFilter(ignore))
			content, hash, err := n.Normalize(o)
			if (err == nil) != (plain == nil) {
				t.Fatalf("with the path %v, without %v", err, plain)
			}
			if err != nil {
				return
			}
			first := string(content)
			content, again, err := n.Normalize(o)
			if err != nil || again != hash || string(content) != first {
				t.Fatalf("%s, then %s, %v", first, content, err)
			}
		}
	})
}
