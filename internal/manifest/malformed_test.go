package manifest_test

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/internal/manifest"
	"github.com/clusterfleet/clusterfleet/internal/manifest/manifesttest"
)

const (
	pods    = `{"kind":"PodList","apiVersion":"v1","items":[`
	onePod  = `{"metadata":{"name":"a"}}`
	podList = pods + onePod + `]}`
)

// hostile holds bodies that no API server sends, with a part of what the error says.
func hostile() map[string]struct{ body, says string } {
	return map[string]struct{ body, says string }{
		"nothing":                       {"", "empty"},
		"white space":                   {" \n", "empty"},
		"HTML":                          {"<!DOCTYPE html><html><body>Sign in</body></html>", "'<'"},
		"plain text":                    {"upstream connect error", "at byte 0"},
		"a string":                      {`"Pod"`, "no object"},
		"an array":                      {`[` + onePod + `]`, "no object"},
		"null":                          {`null`, "no object"},
		"a byte order mark":             {"\ufeff" + podList, "at byte 0"},
		"an empty object":               {`{}`, "not a Kubernetes object"},
		"an object of another world":    {`{"error":"not found","code":404}`, "not a Kubernetes object"},
		"no apiVersion":                 {`{"kind":"Pod"}`, "not a Kubernetes object"},
		"no kind":                       {`{"apiVersion":"v1","items":[` + onePod + `]}`, "not a Kubernetes object"},
		"a list without an apiVersion":  {`{"kind":"PodList","items":[]}`, "not a Kubernetes object"},
		"a kind that is a number":       {`{"kind":1,"apiVersion":"v1"}`, "kind is of another type"},
		"an apiVersion that is a list":  {`{"kind":"Pod","apiVersion":["v1"]}`, "apiVersion is of another type"},
		"metadata that is a string":     {`{"kind":"Pod","apiVersion":"v1","metadata":"a"}`, "metadata is of another type"},
		"a token that is a number":      {pods + `],"metadata":{"continue":1}}`, "metadata is of another type"},
		"an item that is a string":      {pods + `"a"]}`, "no object"},
		"an item that is null":          {pods + `null]}`, "no object"},
		"an item that is a list":        {pods + `[]]}`, "no object"},
		"an item with odd metadata":     {pods + `{"metadata":[]}]}`, "metadata of another type"},
		"an item with an odd name":      {pods + `{"metadata":{"name":1}}]}`, "metadata of another type"},
		"an item with an odd namespace": {pods + `{"metadata":{"namespace":{}}}]}`, "metadata of another type"},
		"an item with an odd kind":      {pods + `{"kind":{}}]}`, "another type"},
		"a second document":             {podList + podList, "after the end"},
		"rubbish after the end":         {podList + "x", "at byte"},
		"a control character first":     {"\x01" + podList, "at byte 0"},
		"a control character last":      {podList + "\x00", "after the end"},
		"a form feed between items":     {pods + onePod + ",\f" + onePod + `]}`, "at byte"},
		"a closing brace too many":      {podList + "}", "at byte"},
		"no comma between items":        {pods + onePod + onePod + `]}`, "expecting ','"},
		"a comma too many":              {pods + onePod + `,]}`, "at byte"},
		"no colon":                      {`{"kind" "Pod"}`, "':'"},
		"a name that is a number":       {`{1:2}`, "at byte"},
		"mismatched brackets":           {pods + onePod + `}]`, "at byte"},
		"a literal cut short":           {`{"kind":nul}`, "at byte"},
		"a number like 01":              {pods + `{"a":01}]}`, "at byte"},
		"NaN":                           {pods + `{"a":NaN}]}`, "at byte"},
		"a comment":                     {pods + `/* */]}`, "at byte"},
		"single quotes":                 {`{'kind':'Pod'}`, "at byte"},
		"a raw newline in a string":     {pods + "{\"a\":\"\n\"}]}", "at byte"},
		"a bad escape":                  {pods + `{"a":"\x41"}]}`, "escape"},
		"half a surrogate pair":         {pods + `{"a":"\ud800"}]}`, "at byte"},
		"invalid UTF-8 in an item":      {pods + "{\"a\":\"\xff\"}]}", "UTF-8"},
		"invalid UTF-8 beside items":    {"{\"a\":\"\xc3\x28\"}", "UTF-8"},
		"kind twice":                    {`{"kind":"Pod","kind":"PodList"}`, "duplicate object member name"},
		"items twice":                   {pods + `],"items":[]}`, "duplicate object member name"},
		"items twice, once escaped":     {pods + `],"it\u0065ms":[]}`, "duplicate object member name"},
		"a member twice in an item":     {pods + `{"data":{},"data":{}}]}`, "duplicate object member name"},
		"twice, once escaped":           {pods + `{"data":{},"d\u0061ta":{}}]}`, "duplicate object member name"},
		"a member twice in metadata":    {pods + `{"metadata":{"a":1,"b":2,"a":3}}]}`, "duplicate object member name"},
		"many members and one twice":    {pods + `{"metadata":{` + manyMembers(100) + `,"a7":0}}]}`, "duplicate object member name"},
		"twice in the list's metadata":  {pods + `],"metadata":{"a":1,"a":2}}`, "duplicate object member name in the metadata"},
		"no kind in a List": {
			`{"kind":"List","apiVersion":"v1","items":[{"metadata":{"name":"s"},"data":{"k":"v"}}]}`, "without a kind",
		},
		"no kind, and Secrets in it": {
			`{"kind":"List","apiVersion":"v1","items":[{"items":[{"kind":"Secret","apiVersion":"v1","data":{"k":"v"}}]}]}`, "without a kind",
		},
		"no kind in a nested List": {
			pods + `{"kind":"List","apiVersion":"v1","items":[{"data":{"k":"v"}}]}]}`, "without a kind",
		},
		"twice in a Secret's annotations": {
			pods + `{"kind":"Secret","metadata":{"annotations":{"a":"","a":""}}}]}`, "duplicate object member name",
		},
		"twice in an object of a nested list": {
			pods + `{"kind":"List","items":[{"kind":"Pod","metadata":{"a":1,"a":2}}]}]}`, "duplicate object member name",
		},
		"a member twice in a Status":    {`{"kind":"Status","apiVersion":"v1","code":1,"code":2}`, "duplicate object member name"},
		"an odd Status":                 {`{"kind":"Status","apiVersion":"v1","status":"Failure","code":"x"}`, "Status"},
		"nested 10^6 deep in an item":   {pods + strings.Repeat(`{"a":`, 1e6), "depth"},
		"arrays nested 10^6 deep":       {strings.Repeat(`[`, 1e6), "at byte"},
		"nested 10^6 deep beside items": {`{"a":` + strings.Repeat(`[`, 1e6), "depth"},
		"nested 10^6 deep and closed":   {pods + `{"a":` + strings.Repeat(`[`, 1e6) + strings.Repeat(`]`, 1e6) + `}]}`, "depth"},
		"lists in lists in lists": {
			pods + strings.Repeat(`{"kind":"List","items":[`, 6) + strings.Repeat(`]}`, 6) + `]}`, "nested more than",
		},
	}
}

// manyMembers are members called a0, a1 and so on.
func manyMembers(n int) string {
	members := make([]string, n)
	for i := range members {
		members[i] = fmt.Sprintf(`"a%d":%d`, i, i)
	}
	return strings.Join(members, ",")
}

func TestReaderRefusesMalformedBodies(t *testing.T) {
	t.Parallel()
	for name, tt := range hostile() {
		for _, list := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, list %t", name, list), func(t *testing.T) {
				t.Parallel()
				_, _, err := readAll(strings.NewReader(tt.body), manifest.Options{List: list})
				checkError(t, err, manifest.ErrMalformed)
				// Where a list was asked for, some of them fail for that.
				if !strings.Contains(err.Error(), tt.says) && !list {
					t.Errorf("error %q does not say %q", err, tt.says)
				}
			})
		}
	}
}

func TestReaderRefusesWhatIsNoListWhereOneWasAskedFor(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"a single object":          `{"kind":"Pod","apiVersion":"v1"}`,
		"one with items":           `{"kind":"Foo","apiVersion":"v1","items":[{}]}`,
		"its kind after the items": `{"apiVersion":"v1","items":[{"kind":"Foo"}],"kind":"Foo"}`,
		"items that are an object": `{"kind":"FooList","apiVersion":"v1","items":{}}`,
		"a Status of success":      `{"kind":"Status","apiVersion":"v1","status":"Success"}`,
		"a Table":                  `{"kind":"Table","apiVersion":"meta.k8s.io/v1","rows":[]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			items, _, err := readAll(strings.NewReader(body), manifest.Options{List: true})
			checkError(t, err, manifest.ErrMalformed)
			if len(items) > 0 && !strings.HasPrefix(name, "its kind after") {
				t.Errorf("items %v", items)
			}
		})
	}
}

// checkError holds an error to what the package promises of its own.
func checkError(t *testing.T, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Fatalf("error %v, want one that is %v", err, kind)
	}
	if len(err.Error()) > 1024 {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
	for _, r := range err.Error() {
		if !unicode.IsPrint(r) {
			t.Errorf("%q in the error %q", r, err)
		}
	}
}

func TestReaderErrorsAreFitForTerminals(t *testing.T) {
	t.Parallel()
	name := strings.Repeat("\x1b]0;\u202e", 1000)
	for _, body := range []string{
		`{"kind":"PodList","apiVersion":"v1","` + "\u202e" + `":{"` + strings.Repeat("\u202e", 5000) + `":nil`,
		"\x1b[2J",
		`{"kind":"` + strings.ReplaceAll(name, "\x1b", `\u001b`) + `","apiVersion":"v1"}`,
	} {
		_, _, err := readAll(strings.NewReader(body), manifest.Options{List: true})
		checkError(t, err, manifest.ErrMalformed)
	}
}

func TestReaderReturnsNoItemThatWasCutOff(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset by peer")
	for _, body := range []string{
		pods + `{"metadata":{"name":"a"}},{"metadata":{"name":"b"},"spec":{"x":[1,{"y":"z"}]}}],"metadata":{}}`,
		`{"apiVersion":"g/v1","items":[{"kind":"Foo","n":1.5},{"kind":"Foo"}],"kind":"FooList"}`,
		`{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"}}`,
	} {
		whole, _, err := readAll(strings.NewReader(body), manifest.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for end := range len(body) {
			got, _, err := readAll(strings.NewReader(body[:end]), manifest.Options{})
			if !errors.Is(err, manifest.ErrMalformed) {
				t.Fatalf("%s: %v", body[:end], err)
			}
			checkPrefix(t, got, whole)
			reset := io.MultiReader(strings.NewReader(body[:end]), iotest.ErrReader(broken))
			got, _, err = readAll(reset, manifest.Options{})
			if !errors.Is(err, broken) {
				t.Fatalf("%s: %v, want the body's error itself", body[:end], err)
			}
			checkPrefix(t, got, whole)
		}
	}
}

func checkPrefix(t *testing.T, got, whole []item) {
	t.Helper()
	if len(got) > len(whole) {
		t.Fatalf("%d items of %d", len(got), len(whole))
	}
	if diff := cmp.Diff(whole[:len(got)], append([]item{}, got...)); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
}

func TestReaderReturnsTheBodysErrorAsItIs(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]error{
		"an error of its own":      errors.New("http2: stream error"),
		"a body cut short by HTTP": io.ErrUnexpectedEOF,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, sent := range []string{"", pods, pods + onePod, podList} {
				body := io.MultiReader(strings.NewReader(sent), iotest.ErrReader(failure))
				r := manifest.NewReader(body, manifest.Options{})
				defer r.Close()
				err := error(nil)
				for err == nil {
					_, err = r.Next()
				}
				if !errors.Is(err, failure) {
					t.Errorf("%s: %v, want %v", sent, err, failure)
				}
				if _, err := r.Next(); !errors.Is(err, failure) {
					t.Errorf("%s, asked again: %v, want %v", sent, err, failure)
				}
			}
		})
	}
}

func TestReaderTakesABodysFailureForNoEnd(t *testing.T) {
	t.Parallel()
	failure := fmt.Errorf("read \x1b: %w", io.EOF)
	_, _, err := readAll(io.MultiReader(strings.NewReader(podList), iotest.ErrReader(failure)), manifest.Options{})
	if !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || err.Error() != `read \x1b: EOF` {
		t.Errorf("error %v", err)
	}
}

// once returns its bytes and its error together, and nothing but io.EOF afterwards.
type once struct {
	bytes string
	err   error
}

func (o *once) Read(p []byte) (int, error) {
	if o.bytes == "" {
		return 0, io.EOF
	}
	n := copy(p, o.bytes)
	o.bytes = o.bytes[n:]
	if o.bytes == "" {
		return n, o.err
	}
	return n, nil
}

func TestReaderRemembersAnErrorThatCameWithBytes(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, body := range []string{podList, pods + onePod, `{"kind":"Pod","apiVersion":"v1"}`} {
		if _, _, err := readAll(&once{body, broken}, manifest.Options{}); !errors.Is(err, broken) {
			t.Errorf("%s: %v, want %v", body, err, broken)
		}
	}
}

type stuckReader struct{}

func (stuckReader) Read([]byte) (int, error) { return 0, nil }

func TestReaderGivesUpOnABodyThatNeverProgresses(t *testing.T) {
	t.Parallel()
	_, _, err := readAll(stuckReader{}, manifest.Options{})
	if !errors.Is(err, io.ErrNoProgress) {
		t.Error(err)
	}
}

// endless is a body that begins with something and goes on with a piece forever.
type endless struct {
	begin, piece string
	read         int
}

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		if e.read < len(e.begin) {
			p[i] = e.begin[e.read]
		} else {
			p[i] = e.piece[(e.read-len(e.begin))%len(e.piece)]
		}
		e.read++
	}
	return len(p), nil
}

func TestReaderBoundsWhatItHolds(t *testing.T) {
	const limit = 64 << 10
	for name, body := range map[string]*endless{
		"a string in an item":      {begin: pods + `{"a":"`, piece: "x"},
		"an escaped string":        {begin: pods + `{"a":"`, piece: `\"`},
		"a name in an item":        {begin: pods + `{"`, piece: "x"},
		"a number in an item":      {begin: pods + `{"a":1`, piece: "0"},
		"members of an item":       {begin: pods + `{"a":[0`, piece: ",[]"},
		"white space in an item":   {begin: pods + `{`, piece: " "},
		"white space for an item":  {begin: pods, piece: " "},
		"white space after one":    {begin: pods + onePod, piece: "\n"},
		"white space at the start": {piece: " "},
		"white space at the end":   {begin: podList, piece: " "},
		"a string beside items":    {begin: `{"kind":"PodList","a":"`, piece: "x"},
		"a name beside items":      {begin: `{"`, piece: "x"},
		"values beside items":      {begin: `{"kind":"PodList","a":[0`, piece: ",0"},
		"a string after items":     {begin: pods + `],"a":"`, piece: "x"},
		"a kind":                   {begin: `{"kind":"`, piece: "x"},
		"a single object":          {begin: `{"kind":"Pod","apiVersion":"v1","a":"`, piece: "x"},
		"a held back item":         {begin: `{"items":[{"kind":"Foo","a":"`, piece: "x"},
		"a held back object":       {begin: `{"items":[],"kind":"Foo","a":"`, piece: "x"},
		"a held back list":         {begin: `{"items":[],"a":"`, piece: "x"},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _, err := readAll(body, manifest.Options{MaxItemBytes: limit})
			runtime.ReadMemStats(&after)
			checkError(t, err, manifest.ErrTooLarge)
			if body.read > 2*limit {
				t.Errorf("read %d bytes, the limit is %d", body.read, limit)
			}
			if got := after.TotalAlloc - before.TotalAlloc; got > 12*limit {
				t.Errorf("allocated %d bytes, the limit is %d", got, limit)
			}
		})
	}
}

func TestReaderHoldsNoMoreOfAHugeListThanAnItem(t *testing.T) {
	const items = 4000
	var pod strings.Builder
	manifesttest.WritePod(&pod, 1)
	pod.WriteByte(',')
	body := io.MultiReader(
		strings.NewReader(pods),
		io.LimitReader(&endless{piece: pod.String()}, int64(pod.Len())*items-1),
		strings.NewReader("]}"))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := manifest.NewReader(body, manifest.Options{})
	defer r.Close()
	got := 0
	for ; ; got++ {
		if _, err := r.Next(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; got != items || allocated > 1<<20 {
		t.Errorf("allocated %d bytes for %d items of %d bytes", allocated, got, r.Bytes())
	}
}

func TestReaderTakesAnItemUpToTheLimit(t *testing.T) {
	t.Parallel()
	const limit = 1 << 10
	exact := `{"metadata":{"name":"a"},"a":"` + strings.Repeat("x", limit-32) + `"}`
	if len(exact) != limit {
		t.Fatalf("an item of %d bytes", len(exact))
	}
	larger := strings.Replace(exact, "x", "xx", 1)
	object := func(size int) string {
		begin := `{"kind":"Pod","apiVersion":"v1","a":"`
		return begin + strings.Repeat("x", size-len(begin)-2) + `"}`
	}
	list := strings.Repeat(exact+", ", 50) + exact
	for name, tt := range map[string]struct {
		body  string
		items int
		err   error
	}{
		"items of the limit":                  {pods + "\n\t" + list + "\n]}", 51, nil},
		"one byte more":                       {pods + list + "," + larger + "," + exact + "]}", 51, manifest.ErrTooLarge},
		"one byte more in the first":          {pods + larger + "]}", 0, manifest.ErrTooLarge},
		"a single object of the limit":        {object(limit), 1, nil},
		"one byte more in a single object":    {object(limit + 1), 0, manifest.ErrTooLarge},
		"items of the limit before the kind":  {`{"apiVersion":"v1","items":[` + strings.ReplaceAll(exact, `"a":"xxxxxxxxxxxxx`, `"kind":"Foo","a":"`) + `],"kind":"FooList"}`, 1, nil},
		"a member of the limit beside items":  {strings.TrimSuffix(podList, "}") + `,"a":"` + strings.Repeat("x", limit) + `"}`, 1, manifest.ErrTooLarge},
		"members of the limit around items":   {`{"a":"` + strings.Repeat("x", limit/2) + `",` + podList[1:len(podList)-1] + `,"b":"` + strings.Repeat("x", limit/2) + `"}`, 1, manifest.ErrTooLarge},
		"the same with more room":             {`{"a":"` + strings.Repeat("x", limit/3) + `",` + podList[1:len(podList)-1] + `,"b":"` + strings.Repeat("x", limit/3) + `"}`, 1, nil},
		"an item the kind is unknown of, big": {`{"items":[` + strings.ReplaceAll(larger, `"a":"x`, `"kind":"Foo","a":"`) + `]}`, 0, manifest.ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			items, _, err := readAll(strings.NewReader(tt.body), manifest.Options{MaxItemBytes: limit})
			if len(items) != tt.items || !errors.Is(err, tt.err) {
				t.Errorf("%d items, error %v; want %d, %v", len(items), err, tt.items, tt.err)
			}
		})
	}
}
