package shape_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/shape"
)

const deployment = `{"metadata":{"name":"web","namespace":"shop","labels":{"app":"web","a.b/c":"d"},"creationTimestamp":"2026-01-02T03:04:05Z"},
"spec":{"replicas":3,"paused":false,"ratio":0.5,"huge":9007199254740993,"whole":2.0,"exponent":1e3,"none":null,"template":{"spec":{"containers":[
{"name":"app","image":"registry.example/app:1.2.0","env":[{"name":"A","value":"1"}]},{"name":"proxy","image":"registry.example/proxy:2.0.0"}]}}}}`

func where(t testing.TB, expression string) shape.Shape {
	t.Helper()
	w, err := shape.ParseWhere(expression)
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return shape.Shape{Where: w}
}

func deploymentType() shape.Type { return shape.Type{APIVersion: "apps/v1", Kind: "Deployment"} }

func TestAnObjectMatchesWhereTheExpressionIsTrue(t *testing.T) {
	for expression, want := range map[string]bool{
		`true`:                             true,
		`object.metadata.name == "web"`:    true,
		`object.spec.replicas > 2`:         true,
		`object.spec.replicas > 2.5`:       true,
		`object.spec.replicas == 3.0`:      true,
		`object.spec.replicas in [1, 3]`:   true,
		`object.spec.replicas + 1 == 4`:    true,
		`object.spec.replicas % 2 == 1`:    true,
		`object.spec.whole + 1 == 3`:       true,
		`object.spec.exponent + 1 == 1001`: true,
		`object.spec.ratio < 1`:            true,
		`object.spec.none == null`:         true,
		`object.spec.huge == 9007199254740993 && object.spec.huge != 9007199254740992`: true,
		`object.spec.paused`:                                  false,
		`!object.spec.paused`:                                 true,
		`object.kind == "Deployment"`:                         true,
		`object.apiVersion == "apps/v1"`:                      true,
		`object.metadata.labels["a.b/c"] == "d"`:              true,
		`"app" in object.metadata.labels`:                     true,
		`has(object.metadata.labels.app)`:                     true,
		`has(object.metadata.annotations)`:                    false,
		`object.?status.?phase.orValue("none") == "none"`:     true,
		`object.?spec.?replicas.hasValue()`:                   true,
		`object[?"status"].hasValue()`:                        false,
		`object["spec"].replicas == 3`:                        true,
		`object.metadata.?labels["app"].orValue("") == "web"`: true,
		`object.spec.template.spec.containers.all(c, c.image.startsWith("registry.example/"))`:                    true,
		`object.spec.template.spec.containers.exists(c, c.?env.orValue([]).exists(e, e.name == "A"))`:             true,
		`object.spec.template.spec.containers.map(c, c.image.split(":")[1]).exists(v, v == "2.0.0")`:              true,
		`object.spec.template.spec.containers.exists(c, c.image.matches("^registry\\.example/.*:1\\."))`:          true,
		`object.metadata.labels.transformList(k, v, k + "=" + v).sort() == ["a.b/c=d", "app=web"]`:                true,
		`sets.contains(object.spec.template.spec.containers.map(c, c.name), ["app"])`:                             true,
		`timestamp(object.metadata.creationTimestamp) < timestamp("2026-02-01T00:00:00Z")`:                        true,
		`object.metadata.name.upperAscii() == "WEB"`:                                                              true,
		`object.metadata.name.matches(object.metadata.labels.app)`:                                                true,
		`object.exists(k, k == "metadata") && size(object) == 4`:                                                  true,
		`([1, 2] + [3]).size() == 3 && "a" + "b" == "ab" && 1 + 2 == 3 && [1].map(x, x + 1) + [3] == [2, 3]`:      true,
		`object.spec.template.spec.containers.map(c, c.name).join(",") == "app,proxy"`:                            true,
		`object.metadata.name.replace("e", "i") == "wib" && "%s/%d".format([object.metadata.name, 1]) == "web/1"`: true,
	} {
		_, got, err := where(t, expression).Apply(t.Context(), []byte(deployment), deploymentType())
		if err != nil || got != want {
			t.Errorf("%s: %t, error %v", expression, got, err)
		}
	}
}

func TestAnObjectThatLacksWhatIsAskedForDoesNotMatch(t *testing.T) {
	for _, expression := range []string{
		`object.status.phase != "Running"`,
		`object.metadata.labels.tier == "web"`,
		`object.metadata.labels["tier"] == "web"`,
		`object.metadata.name.missing == 2`,
		`object.spec.template.spec.containers[7].name == "x"`,
		`object.spec.template.spec.containers[-1].name == "x"`,
		`object.spec.template.spec.containers.all(c, c.env.size() > 0)`,
		`object.spec.template.spec.containers.map(c, c.name)[5] == ""`,
		`object.?status.?phase.value() == "Running"`,
		`object[?"status"].value() == "Running"`,
		`object.spec.template.spec.containers.filter(c, c.name == "x").first().value().image == "y"`,
		`object.spec.template.spec.containers.exists(c, c.?env.value().size() == 7)`,
	} {
		_, got, err := where(t, expression).Apply(t.Context(), []byte(deployment), deploymentType())
		if err != nil || got {
			t.Errorf("%s: %t, error %v", expression, got, err)
		}
	}
}

func TestWhatAnExpressionCannotWorkWithIsAnErrorThatQuotesNothing(t *testing.T) {
	for _, expression := range []string{
		`object.metadata.name > 3`,
		`object.metadata.name + 1 == 2`,
		`object.spec.replicas / 0 == 1`,
		`int(object.metadata.name) == 1`,
		`timestamp(object.metadata.name) < timestamp("2026-02-01T00:00:00Z")`,
		`object.metadata.name`,
		`object.metadata.labels`,
		`object.metadata.name.matches("[" + object.metadata.name)`,
		`{"a": 1}[object.metadata.labels] == 1`,
	} {
		_, got, err := where(t, expression).Apply(t.Context(), []byte(deployment), deploymentType())
		if err == nil || got || strings.Contains(err.Error(), "web") {
			t.Errorf("%s: %t, error %v", expression, got, err)
		}
	}
}

func TestAMistakeInAnExpressionIsToldWithItsPlace(t *testing.T) {
	for expression, want := range map[string]string{
		`object.`:                     "1:8: Syntax error",
		`object.a ==`:                 "1:12: Syntax error",
		"object.a &&\n  objct.b":      "2:3: undeclared reference to 'objct'",
		`object.a.startsWith(3)`:      "1:20: found no matching overload for 'startsWith'",
		`object.a.matches("[")`:       "1:18: ",
		`object.a.matches("x{1000}")`: "1:18: ",
		`"text"`:                      "of type string",
		`1 + 1`:                       "of type int",
		``:                            "1:1: Syntax error",
		`[1].all(a,[1].all(b,[1].all(c,[1].all(d, a+b+c+d==object.x))))` + strings.Repeat(" && nothing", 9): "and 6 more",
		strings.Repeat("(", 1000) + "true" + strings.Repeat(")", 1000):                                      "recursion limit",
		strings.Repeat("[", 1000) + strings.Repeat("]", 1000):                                               "recursion limit",
		`object.a.all(a, object.a.all(b, object.a.all(c, object.a.all(d, a+b+c+d == 0))))`:                  "too costly",
		`lists.range(10000).all(a, lists.range(10000).all(b, a == b))`:                                      "too costly",
	} {
		_, err := shape.ParseWhere(expression)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: error %v, want %s", expression, err, want)
		}
	}
}

// numbers is an object with a list of n numbers, a text of n bytes and a list of n texts.
func numbers(n int) []byte {
	return []byte(`{"l":[` + strings.Repeat("1,", n-1) + `1],"s":"` + strings.Repeat("a", n) + `","t":[` + strings.Repeat(`"ab",`, n-1) + `"ab"]}`)
}

func TestAnExpressionThatIsTooCostlyEndsSoon(t *testing.T) {
	large := numbers(600_000) // 4 MB
	doubled := func(from string) string { return `[` + from + `]` + strings.Repeat(`.map(a, [a, a])`, 60) }
	for _, expression := range []string{
		`object.l.all(a, object.l.all(b, object.l.all(c, a == b && b == c)))`,
		`object.l.all(a, object.l.exists_one(b, a == b))`,
		`object.l.map(a, object.l).size() == 0`,
		`object.s.replace("", object.s) == ""`,
		`object.s.replace("a", object.s) == ""`,
		`object.t.join(object.s) == ""`,
		`object.s.indexOf(object.s + "b") == 0`,
		`object.s.lastIndexOf("b" + object.s) == 0`,
		`"%s%s%s%s%s%s%s%s".format([object, object, object, object, object, object, object, object]) == ""`,
		`sets.contains(object.l, object.t)`,
		`sets.equivalent(object.t, object.t)`,
		`sets.intersects(object.l, object.t)`,
		`object.l.map(x, x * 1).distinct().size() == 1`,
		`object.l.distinct().size() == 1`,
		`object.s.matches("(a|aa)*(a|b)*c")`,
		`object.s.matches(object.s)`,
		`object.s in object.t`,
		`object.l.all(a, object.s.split("").size() > 1)`,
		`object.l.all(a, object.s.contains("b") || object.s.size() > 1)`,
		`object.l.filter(a, false).size() + object.l.filter(a, a == 1).size() > 0`,
		doubled(`0`) + ` == ` + doubled(`0`),
		doubled(`0`) + ` in [` + doubled(`0`) + `]`,
		doubled(`0`) + `.flatten(100).size() == 1`,
		`[[0]]` + strings.Repeat(`.map(a, a + a)`, 60) + `.size() == 1`,
		`["a"]` + strings.Repeat(`.map(a, a + a)`, 60) + `.size() == 1`,
		`[{"a": 0}]` + strings.Repeat(`.map(a, {"a": a, "b": a})`, 30) + ` == [{"a": 0}]` + strings.Repeat(`.map(a, {"a": a, "b": a})`, 30),
	} {
		w, err := shape.ParseWhere(expression)
		if err != nil {
			if !strings.Contains(err.Error(), "too costly") {
				t.Errorf("%.70s: %v", expression, err)
			}
			continue
		}
		start := time.Now()
		_, got, err := shape.Shape{Where: w}.Apply(t.Context(), large, shape.Type{})
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("%.70s: it took %s", expression, took)
		} else {
			t.Logf("%.70s: %s", expression, took)
		}
		if err == nil || got || !strings.Contains(err.Error(), "too costly") {
			t.Errorf("%.70s: %t, error %v", expression, got, err)
		}
	}
}

// TestNothingThatAnExpressionDoesIsFree takes what no loop is needed for, or what one round of a loop does.
func TestNothingThatAnExpressionDoesIsFree(t *testing.T) {
	object := []byte(`{"l":[` + strings.Repeat("1,", 4999) + `1],"s":"` + strings.Repeat("a", 1<<20) + `","p":"` + strings.Repeat("a|b(c)*", 300_000) +
		`","classes":"[` + strings.Repeat(`\\pL`, 340) + `]","time":"2026-01-02T03:04:05Z"}`)
	nines := strings.TrimSuffix(strings.Repeat("9,", 1000), ",")
	for expression, want := range map[string]string{
		`object.l.map(x, lists.range(10000)).size() > 0`:                          "too costly",
		`object.l.transformMap(i, v, lists.range(10000)).size() > 0`:              "too costly",
		`lists.range(10000).map(x, [` + nines + `]).size() > 0`:                   "too costly",
		`lists.range(10000).map(x, {1: [` + nines + `]}).size() > 0`:              "too costly",
		`object.l.map(x, strings.quote(object.s)).size() > 0`:                     "too costly",
		`object.l.all(x, bool(object.s) || true)`:                                 "too costly",
		`object.l.all(x, uint(object.s) > 0u || true)`:                            "too costly",
		`object.l.all(x, object.s in {"a": 1} || true)`:                           "too costly",
		`object.l.all(x, [optional.of(object.l)].unwrapOpt().size() > 0)`:         "too costly",
		`object.l.all(x, object.l.all(y, object.time.matches("" + object.time)))`: "too costly",
		`object.l.all(x, object.time.matches(object.classes) || true)`:            "too costly",
		`object.l.all(x, timestamp(object.time).getHours("Europe/Berlin") < 24) && object.l.all(x, timestamp(object.time).getHours("Europe/Berlin") < 24)`: "too costly",
		`object.time.matches(object.p)`:                           "cannot be evaluated",
		`lists.range(5).exists(i, object.time.matches(object.p))`: "cannot be evaluated",
	} {
		s := where(t, expression)
		before, start := allocated(), time.Now()
		_, got, err := s.Apply(t.Context(), object, shape.Type{})
		if err == nil || got || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: %t, error %v, want %s", expression, got, err, want)
		}
		if took, taken := time.Since(start), allocated()-before; took > 30*time.Second || taken > 512<<20 {
			t.Errorf("%.80s: it took %s and %d MiB", expression, took, taken>>20)
		} else {
			t.Logf("%.80s: %s and %d MiB", expression, took, taken>>20)
		}
	}
}

// allocated is how many bytes were allocated so far.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func TestAnEvaluationEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("the caller is gone")
	cancel(gone)
	for _, expression := range []string{`object.l.all(a, a == 1)`, `object.s.replace("a", "b").replace("b", "c") != ""`} {
		if _, got, err := where(t, expression).Apply(ctx, numbers(100_000), shape.Type{}); !errors.Is(err, gone) || got {
			t.Errorf("%s: %t, error %v", expression, got, err)
		}
	}
	for _, template := range []string{`{range .l[*]}{.}{.}{end}`, `{.l[?(@)]}`, `{.l[?(@==2)]}`} {
		if _, _, err := projection(t, template).Apply(ctx, numbers(100_000), shape.Type{}); !errors.Is(err, gone) {
			t.Errorf("%s: error %v", template, err)
		}
	}
}
