package safetext_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"go.uber.org/goleak"

	"github.com/clusterfleet/clusterfleet/internal/safetext"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestHostileCharactersAreEscaped(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                       "",
		"plain text, 100 %":      "plain text, 100 %",
		`a "quote" and \ slash`:  `a "quote" and \ slash`,
		"Grüße, 世界 🚀":            "Grüße, 世界 🚀",
		"\x1b[31mred\x1b[0m":     `\x1b[31mred\x1b[0m`,
		"a\r\nb\tc\x00\x7f":      `a\r\nb\tc\x00\x7f`,
		"\u0085\u009b":           `\u0085\u009b`,
		"\u202euser\u2066\u200f": `\u202euser\u2066\u200f`,
		"zero\u200bwidth\ufeff":  `zero\u200bwidth\ufeff`,
		"\xff\xfeok\xc3":         `\xff\xfeok\xc3`,
		"\ufffd":                 "\ufffd",
		"\u2028\u2029\u00a0":     `\u2028\u2029\u00a0`,
		"\ue000\U000e0041":       `\ue000\U000e0041`,
	} {
		if got := safetext.Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
		if got := safetext.Line(in); got != want {
			t.Errorf("Line(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestTextIsCutBetweenCharacters(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in    string
		limit int
		want  string
	}{
		{"abcdef", 6, "abcdef"},
		{"abcdefg", 6, "abc…"},
		{"äöü", 6, "äöü"},
		{"äöüx", 6, "ä…"},
		{"ab\x00", 6, `ab\x00`},
		{"ab\x00c", 6, "ab…"},
		{"\x00\x00", 5, "…"},
		{"abc", 3, "abc"},
		{"\x014040", 9, `\x014040`},
		{"abcd", 3, "…"},
	} {
		if got := safetext.Truncate(c.in, c.limit); got != c.want {
			t.Errorf("Truncate(%q, %d) = %q, want %q", c.in, c.limit, got, c.want)
		}
	}
	if got := safetext.Clean(strings.Repeat("\x1b", 5000)); len(got) > safetext.MaxBytes {
		t.Errorf("%d bytes", len(got))
	}
}

// FuzzTruncate: what comes out is printable, within its bound, and the same when it goes in again.
func FuzzTruncate(f *testing.F) {
	f.Add("plain", 10)
	f.Add("\x014040", 6)
	f.Add("\x1b[2J\u202e\xff", 1024)
	f.Add(strings.Repeat("世\x00", 400), 100)
	f.Fuzz(func(t *testing.T, in string, limit int) {
		limit = 3 + max(limit, -limit, 0)%2000
		got := safetext.Truncate(in, limit)
		if len(got) > limit || !utf8.ValidString(got) {
			t.Errorf("Truncate(%q, %d) = %q", in, limit, got)
		}
		for _, r := range got + safetext.Line(in) {
			if !unicode.IsPrint(r) {
				t.Errorf("%U is left of %q", r, in)
			}
		}
		if again := safetext.Truncate(got, limit); again != got {
			t.Errorf("%q becomes %q", got, again)
		}
		whole := safetext.Line(in)
		if len(whole) <= limit && whole != got {
			t.Errorf("%q was cut to %q within %d", whole, got, limit)
		}
		if kept, cut := strings.CutSuffix(got, "…"); !strings.HasPrefix(whole, kept) && !strings.HasPrefix(whole, got) || !cut && got != whole {
			t.Errorf("%q is no beginning of %q", got, whole)
		}
		if again := safetext.Line(whole); again != whole {
			t.Errorf("%q becomes %q", whole, again)
		}
	})
}
