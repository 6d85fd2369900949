package manifest

// blockBytes is how many bytes of a body are looked at together: one for each bit of a mask.
const blockBytes = 64

// block is a piece of a body.
type block = [blockBytes]byte

// masks tell where in a block the bytes stand that mean something in JSON; bit 0 is the first byte. They do not know yet
// which of them stand in strings.
type masks struct {
	quote     uint64 // "
	backslash uint64
	open      uint64 // { [
	shut      uint64 // } ]
	comma     uint64
	colon     uint64
	white     uint64 // space, tab, line feed, carriage return
	rare      uint64 // below a space, or no ASCII
	inside    uint64 // strings without their closing quotes, if the first quote opens one and no quote is escaped
}

// classes has a byte for each of the masks in their order, the first one lowest: 1 in those that a byte of JSON belongs to.
//
//nolint:gochecknoglobals // a table that nothing writes to
var classes = func() (table [8][256]uint64) {
	for c := range 256 {
		for i, belongs := range []bool{
			c == '"', c == '\\', c == '{' || c == '[', c == '}' || c == ']', c == ',', c == ':',
			c == ' ' || c == '\t' || c == '\n' || c == '\r', c < ' ' || c >= 0x80,
		} {
			if belongs {
				for bit := range 8 {
					table[bit][c] |= 1 << (8*i + bit)
				}
			}
		}
	}
	return table
}()

// classifyPortable fills m for b.
func classifyPortable(b *block, m *masks) {
	a0, a1, a2, a3 := classifyWord(b, 0), classifyWord(b, 8), classifyWord(b, 16), classifyWord(b, 24)
	a4, a5, a6, a7 := classifyWord(b, 32), classifyWord(b, 40), classifyWord(b, 48), classifyWord(b, 56)
	// Each word has a byte for each mask, and is to become a mask that has a byte of each word.
	a0, a4 = a0&0xffffffff|a4<<32, a0>>32|a4&^0xffffffff
	a1, a5 = a1&0xffffffff|a5<<32, a1>>32|a5&^0xffffffff
	a2, a6 = a2&0xffffffff|a6<<32, a2>>32|a6&^0xffffffff
	a3, a7 = a3&0xffffffff|a7<<32, a3>>32|a7&^0xffffffff
	const pairs = 0x0000ffff0000ffff
	a0, a2 = a0&pairs|a2&pairs<<16, a0>>16&pairs|a2&^pairs
	a1, a3 = a1&pairs|a3&pairs<<16, a1>>16&pairs|a3&^pairs
	a4, a6 = a4&pairs|a6&pairs<<16, a4>>16&pairs|a6&^pairs
	a5, a7 = a5&pairs|a7&pairs<<16, a5>>16&pairs|a7&^pairs
	const bytes = 0x00ff00ff00ff00ff
	m.quote, m.backslash = a0&bytes|a1&bytes<<8, a0>>8&bytes|a1&^bytes
	m.open, m.shut = a2&bytes|a3&bytes<<8, a2>>8&bytes|a3&^bytes
	m.comma, m.colon = a4&bytes|a5&bytes<<8, a4>>8&bytes|a5&^bytes
	m.inside = prefixXor(m.quote)
	m.white, m.rare = a6&bytes|a7&bytes<<8, a6>>8&bytes|a7&^bytes
}

// classifyWord returns the classes of eight bytes, a bit for each.
func classifyWord(b *block, i int) uint64 {
	w := (*[8]byte)(b[i:])
	return classes[0][w[0]] | classes[1][w[1]] | classes[2][w[2]] | classes[3][w[3]] |
		classes[4][w[4]] | classes[5][w[5]] | classes[6][w[6]] | classes[7][w[7]]
}

// prefixXor returns for each bit whether the number of set bits up to it is odd.
func prefixXor(m uint64) uint64 {
	m ^= m << 1
	m ^= m << 2
	m ^= m << 4
	m ^= m << 8
	m ^= m << 16
	m ^= m << 32
	return m
}
