package manifest_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/clusterfleet/clusterfleet/internal/manifest"
)

// writer writes values at random, and now and then a mistake.
type writer struct {
	*rand.Rand
	strings.Builder
	mistakes int // one in so many pieces
	left     int // how many values are to be written
}

// put writes a piece of JSON with white space around it, or something else.
func (w *writer) put(piece string) {
	for w.IntN(12) == 0 {
		w.WriteString([]string{" ", "\n\t", "\r", strings.Repeat(" ", w.IntN(70))}[w.IntN(4)])
	}
	if w.mistakes > 0 && w.IntN(w.mistakes) == 0 {
		piece = []string{
			"", ",", ":", "{", "}", "[", "]", `"`, `\`, "0", "-", "tru", "nulll", "\x00", "\xff", "\f", `"a"`, "1 2", `"\x"`, `"\ud800"`,
			`"\udc00"`, `"\ud83d\ud83d"`, "\"\xe2\x82\"", "\"\xed\xa0\x80\"", `"\u12g4"`, "\"\n\"", "01", "1.", ".5", "1e", "+1", piece + piece,
		}[w.IntN(32)]
	}
	w.WriteString(piece)
}

func (w *writer) text() string {
	var b strings.Builder
	b.WriteByte('"')
	for range w.IntN(8) {
		b.WriteString([]string{
			"a", "name", "{[", "]},:", ` \" `, `\\`, `\\\\\"`, `\n\/`, `\u00e9`, `\ud83d\ude00`, "é", "€", "😀", strings.Repeat("x", w.IntN(150)), "\u007f",
		}[w.IntN(15)])
	}
	b.WriteByte('"')
	return b.String()
}

func (w *writer) value() {
	w.left--
	kind := w.IntN(8)
	switch {
	case w.left > 0 && kind < 3:
		w.put("{")
		for i := range w.IntN(5) {
			if i > 0 {
				w.put(",")
			}
			w.put(w.text())
			w.put(":")
			w.value()
		}
		w.put("}")
	case w.left > 0 && kind < 5:
		w.put("[")
		for i := range w.IntN(5) {
			if i > 0 {
				w.put(",")
			}
			w.value()
		}
		w.put("]")
	case kind < 7:
		w.put(w.text())
	default:
		w.put([]string{"true", "false", "null", "0", "-0", "12", "-7.50", "1e9", "0.1E-3", "123456789012345678901234567890"}[w.IntN(10)])
	}
}

func TestReaderTakesForJSONWhatAStrictParserDoes(t *testing.T) {
	t.Parallel()
	valid := 0
	const rounds = 2_000
	for seed := range uint64(rounds) {
		w := &writer{Rand: rand.New(rand.NewPCG(seed, 0)), mistakes: []int{0, 100, 30}[seed%3]}
		w.WriteString(pods)
		for i := range w.IntN(4) {
			if i > 0 {
				w.put(",")
			}
			w.put("{")
			w.put(`"a"`)
			w.put(":")
			deep := w.IntN(8) / 7 * w.IntN(150) // beyond what fits into a word
			w.WriteString(strings.Repeat(`[{"":`, deep))
			w.left = w.IntN(30)
			w.value()
			w.WriteString(strings.Repeat("}]", deep))
			w.put("}")
		}
		w.put("]")
		w.put("}")
		body := w.String()
		want := jsontext.Value(body).IsValid(jsontext.AllowDuplicateNames(true))
		if want {
			valid++
		}
		for _, size := range []int{1 << 20, 1 + w.IntN(200), 1} {
			_, _, err := readAll(&pieces{body, size}, manifest.Options{ManagedFields: true, SecretData: true})
			if (err == nil) != want && !isRefusedElsewhere(err) {
				t.Fatalf("seed %d in pieces of %d: %v, and the parser says %t:\n%.4000q", seed, size, err, want, body)
			}
		}
	}
	if valid < rounds/3 || valid > rounds*9/10 {
		t.Errorf("%d of %d bodies are valid", valid, rounds)
	}
}

// isRefusedElsewhere tells whether an error is about something else than JSON.
func isRefusedElsewhere(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "no object") || strings.Contains(err.Error(), "duplicate"))
}
