package broadcast

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
)

// tokenVersion is the first byte of a token. A hub that counts in another way takes another.
const tokenVersion = 1

const tokenBytes = 1 + 8 + 8

// ErrBadToken says that a text is no token.
var ErrBadToken = errors.New("not a token that was handed out")

// Token is a place in the order of one hub's events. The zero token is the place before everything.
type Token struct {
	epoch    uint64 // the hub's; never 0
	revision uint64
}

// String returns the token as opaque text of at most 23 bytes, that of the zero token being empty.
func (t Token) String() string {
	if t == (Token{}) {
		return ""
	}
	b := make([]byte, 0, tokenBytes)
	b = append(b, tokenVersion)
	b = binary.BigEndian.AppendUint64(b, t.epoch)
	b = binary.BigEndian.AppendUint64(b, t.revision)
	return base64.RawURLEncoding.EncodeToString(b)
}

// ParseToken returns the token whose String is text, or ErrBadToken.
func ParseToken(text string) (Token, error) {
	if text == "" {
		return Token{}, nil
	}
	if len(text) != base64.RawURLEncoding.EncodedLen(tokenBytes) {
		return Token{}, ErrBadToken
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != tokenBytes || b[0] != tokenVersion { // a line break in the text makes it shorter
		return Token{}, ErrBadToken
	}
	t := Token{epoch: binary.BigEndian.Uint64(b[1:]), revision: binary.BigEndian.Uint64(b[9:])}
	if t.epoch == 0 {
		return Token{}, ErrBadToken
	}
	return t, nil
}
