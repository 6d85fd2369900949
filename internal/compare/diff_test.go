package compare_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/internal/compare"
)

func yaml(t testing.TB, json string) []byte {
	t.Helper()
	text, err := compare.YAML([]byte(json))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestADiffIsUnifiedYAML(t *testing.T) {
	from := yaml(t, `{"kind":"A","data":{"script":"one\ntwo\nthree\n","other":"x"},"spec":{"n":12345678901,"replicas":3}}`)
	to := yaml(t, `{"kind":"A","data":{"script":"one\n2\nthree\n","other":"x"},"spec":{"n":12345678901,"replicas":5}}`)
	got, omitted := compare.Unified("prod-1", from, "prod-2", to, 1<<20)
	want := `--- prod-1
+++ prod-2
@@ -2,9 +2,9 @@
   other: x
   script: |
     one
-    two
+    2
     three
 kind: A
 spec:
   "n": 12345678901
-  replicas: 3
+  replicas: 5
`
	if diff := cmp.Diff(want, got); diff != "" || omitted != "" {
		t.Error(omitted, diff)
	}
}

func TestALongDiffEndsWithAWholeLineAndSaysSo(t *testing.T) {
	var a, b strings.Builder
	for i := range 30_000 {
		fmt.Fprintf(&a, "left: %d\n", i)
		fmt.Fprintf(&b, "right: %d\n", i)
	}
	for _, limit := range []int{compare.MaxDiff * 2, 1000, 3, 0, -5} {
		text, omitted := compare.Unified("a", []byte(a.String()), "b", []byte(b.String()), limit)
		if len(text) > max(0, min(limit, compare.MaxDiff)) || omitted == "" || text != "" && !strings.HasSuffix(text, "\n") || limit > 100 && len(text) < limit/2-100 {
			t.Errorf("limit %d: %d bytes, %q", limit, len(text), omitted)
		}
	}
}

func TestWhatYAMLDoesNotShowIsSaid(t *testing.T) {
	same := yaml(t, `{"a":1.5}`)
	if text, omitted := compare.Unified("a", same, "b", same, 100); text != "" || omitted == "" {
		t.Errorf("%q, %q", text, omitted)
	}
}

// hostile makes pairs of large objects that are bad for a diff.
func hostile() map[string][2]string {
	r := rand.New(rand.NewPCG(5, 6))
	list := func(n int, nth func(int) string) string {
		var b strings.Builder
		b.WriteString(`{"a":[`)
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(nth(i))
		}
		b.WriteString("]}")
		return b.String()
	}
	digit := func(int) string { return fmt.Sprint(r.IntN(10)) }
	return map[string][2]string{
		"no common line": {list(99_000, func(i int) string { return fmt.Sprint(i) }), list(99_000, func(i int) string { return fmt.Sprint(-i - 1) })},
		"reversed":       {list(99_000, func(i int) string { return fmt.Sprint(i) }), list(99_000, func(i int) string { return fmt.Sprint(99_000 - i) })},
		"no unique line": {list(99_000, digit), list(99_000, digit)},
		"empty lists":    {list(49_000, func(int) string { return "[]" }), list(48_000, func(int) string { return "[]" })},
		"one long text":  {`{"a":"` + strings.Repeat(`x y z\n`, 99_000) + `"}`, `{"a":"` + strings.Repeat(`y z\n`, 99_000) + `"}`},
		"many lines":     {`{"a":"` + strings.Repeat(`\n`, 200_000) + `"}`, `{}`},
		"4 MiB":          {list(1_000_000, func(i int) string { return "100" }), list(1_000_000, func(i int) string { return "101" })},
		"deep":           {strings.Repeat(`[`, 9000) + strings.Repeat(`]`, 9000), strings.Repeat(`{"a":`, 9000) + "1" + strings.Repeat(`}`, 9000)},
		"wide and deep":  {strings.Repeat(`[`, 900) + strings.Repeat(`1,`, 500_000) + "1" + strings.Repeat(`]`, 900), `{}`},
		"deep text":      {deep(500, strings.Repeat("ab ", 100<<10/3)+"x"), deep(500, strings.Repeat("ab ", 100<<10/3)+"y")},
		"odd breaks":     {deep(500, strings.Repeat(`x\u0085`, 100_000)+`\n`), deep(500, strings.Repeat("x\u2028", 100_000))},
		"odd characters": {`{"a":"\u007f\u0085\u2028\ufeff\u0000"}`, "{\"a\":\"\x7f\u0085\u2028\ufeff\"}"},
	}
}

// deep is a text so many objects deep.
func deep(depth int, text string) string {
	return strings.Repeat(`{"a":`, depth) + `"` + text + `"` + strings.Repeat("}", depth)
}

func TestATextIsNotFolded(t *testing.T) {
	words := strings.Repeat("ab ", 1000) + "x"
	if got, want := string(yaml(t, deep(2, words))), "a:\n  a: "+words+"\n"; got != want {
		t.Errorf("%d bytes in %d lines, want %d bytes", len(got), strings.Count(got, "\n"), len(want))
	}
	if got := yaml(t, deep(500, strings.Repeat("ab ", 100<<10/3)+"x")); len(got) > 400<<10 {
		t.Errorf("500 objects deep, 100 KiB become %d bytes", len(got))
	}
}

func TestWhatIsTooLargeIsToldFromWhatIsNoYAML(t *testing.T) {
	for about, c := range map[string]struct {
		content string
		large   bool
	}{
		"too many bytes":       {`"` + strings.Repeat("x", compare.MaxContent) + `"`, true},
		"too many lines":       {"[" + strings.Repeat("1,", 200_000) + "1]", true},
		"too much indentation": {strings.Repeat("[", 900) + strings.Repeat("[1,1],", 10_000) + "1" + strings.Repeat("]", 900), true},
		"a huge number":        {`{"a":1` + strings.Repeat("0", 400) + "}", false},
		"nothing":              {"", false},
		"half of a text":       {`"\`, false},
	} {
		if _, err := compare.YAML([]byte(c.content)); err == nil || errors.Is(err, compare.ErrLarge) != c.large {
			t.Errorf("%s: %v", about, err)
		}
	}
}

func TestHostileObjectsAreDiffedOrRefusedInBoundedTime(t *testing.T) {
	for about, pair := range hostile() {
		t.Run(about, func(t *testing.T) {
			start := time.Now()
			from, refused := compare.YAML([]byte(pair[0]))
			to, alsoRefused := compare.YAML([]byte(pair[1]))
			text, omitted := "", "refused"
			if refused == nil && alsoRefused == nil {
				text, omitted = compare.Unified("a", from, "b", to, compare.MaxDiff)
			}
			if text == "" && omitted == "" {
				t.Error("nothing is said")
			}
			took := time.Since(start)
			t.Logf("%s: %d and %d bytes of YAML, %d of diff, %q", took, len(from), len(to), len(text), omitted)
			if took > 10*time.Second { // an order more than it takes, on any machine
				t.Errorf("it took %s", took)
			}
			if len(from) > 4<<20 || len(to) > 4<<20 {
				t.Errorf("the YAML has %d and %d bytes", len(from), len(to))
			}
		})
	}
}
