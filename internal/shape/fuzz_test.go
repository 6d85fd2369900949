package shape_test

import (
	"context"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/clusterfleet/clusterfleet/internal/shape"
)

// canary is in objects, and must be in no error.
const canary = "c4n4ry"

func FuzzWhere(f *testing.F) {
	for _, expression := range []string{
		`object.spec.replicas > 2`, `object.a.all(x, x.b.exists(y, y == "` + `c` + `"))`, `object.?a[?"b"].orValue(1) == 1`, `object.a.matches("x{2,3}" + object.b)`,
		`[[0]].map(a, a + a).map(a, a + a) == object.l`, `object.l.sort().distinct().flatten().slice(0, 1)[0] == 1`, `object.transformList(k, v, k).join(",") == "x"`,
		`"%s".format([object]) == object.s.replace("", object.s)`, `sets.contains(object.l, object.t)`, `object.l[0] / object.l[1] == 0`, `timestamp(object.s) == timestamp(1)`,
	} {
		f.Add(expression, []byte(`{"a":[{"b":["c"]}],"l":[1,2.5,-3],"s":"`+canary+`","t":["`+canary+`"]}`))
	}
	f.Fuzz(func(t *testing.T, expression string, object []byte) {
		if len(expression) > 1024 || strings.Contains(expression, canary) {
			return
		}
		w, err := shape.ParseWhere(expression)
		if err != nil {
			return
		}
		apply(t, shape.Shape{Where: w}, object)
	})
}

func FuzzProjection(f *testing.F) {
	for _, template := range []string{
		`{.a.b}`, `a`, `{range .a[*]}{.b[0]}{"\n"}{end}`, `{..b}{.l[-1:]}{.l[::2]}`, `{.t[?(@=="x")]}{.a[?(@.b[0]>1)]}`, `{['a','l'][*]['b','c']}`, `{...*...*}`, `{@}{$}{true}{1.5}`,
	} {
		f.Add(template, []byte(`{"a":[{"b":["c",null,{}]}],"l":[1,2.5,-3e300],"t":["`+canary+`"]}`))
	}
	f.Fuzz(func(t *testing.T, template string, object []byte) {
		if len(template) > 1024 || strings.Contains(template, canary) {
			return
		}
		p, err := shape.ParseProjection(template)
		if err != nil {
			return
		}
		apply(t, shape.Shape{Projection: p}, object)
	})
}

// apply applies a shape and checks what holds for all of them.
func apply(t *testing.T, s shape.Shape, object []byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	text, wanted, err := s.Apply(ctx, object, shape.Type{APIVersion: "v1", Kind: "Pod"})
	switch {
	case ctx.Err() != nil:
		t.Error("it does not end")
	case len(text) > 64<<10, err != nil && wanted, !wanted && text != "":
		t.Errorf("%d bytes, %t, error %v", len(text), wanted, err)
	case err == nil && again(ctx, s, object) != text:
		t.Errorf("it is %q, and the second time %q", text, again(ctx, s, object))
	case err != nil && (strings.Contains(err.Error(), canary) || !utf8.ValidString(err.Error())):
		t.Errorf("error %v", err)
	}
}

// again applies a shape that was applied before: no application may leave anything in it.
func again(ctx context.Context, s shape.Shape, object []byte) string {
	text, _, _ := s.Apply(ctx, object, shape.Type{APIVersion: "v1", Kind: "Pod"}) // the same error or none
	return text
}
