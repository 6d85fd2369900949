package broadcast_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/clusterfleet/clusterfleet/internal/broadcast"
)

func FuzzParseToken(f *testing.F) {
	h := broadcast.New[int]()
	good := h.Subscribe(nil, broadcast.Token{}).Token(1 << 40).String()
	f.Add("")
	f.Add(good)
	f.Add(good + "\n")
	f.Add(good[:len(good)-1] + "\n")
	f.Add(strings.Repeat("A", 23))
	f.Add("Ag" + good[2:])
	f.Fuzz(func(t *testing.T, text string) {
		token, err := broadcast.ParseToken(text)
		switch {
		case err == nil && token.String() != text:
			t.Errorf("%q became %q", text, token)
		case err == nil && len(text) > 23:
			t.Errorf("%q is too long", text)
		case err != nil && !errors.Is(err, broadcast.ErrBadToken):
			t.Errorf("%q: %v", text, err)
		case err != nil && token != broadcast.Token{}:
			t.Errorf("%q is bad, and yet %v", text, token)
		}
	})
}

func TestOnlyTokensAreTokens(t *testing.T) {
	token := broadcast.New[int]().Subscribe(nil, broadcast.Token{}).Token(7)
	text := token.String()
	if parsed, err := broadcast.ParseToken(text); err != nil || parsed != token {
		t.Errorf("%q became %v, %v", text, parsed, err)
	}
	for _, bad := range []string{"x", "%%%", text + "A", text[1:], text[:22] + "\n", "Ag" + text[2:], strings.Repeat("A", 23), "AQ" + strings.Repeat("A", 21), text[:22] + "_"} {
		if _, err := broadcast.ParseToken(bad); !errors.Is(err, broadcast.ErrBadToken) {
			t.Errorf("%q is taken for a token: %v", bad, err)
		}
	}
}
