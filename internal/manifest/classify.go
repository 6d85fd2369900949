package manifest

import "encoding/binary"

// blockBytes is how many bytes of a body are looked at together: one for each bit of a mask.
const blockBytes = 64

// block is a piece of a body.
type block = [blockBytes]byte

// masks tell where in a block the bytes stand that mean something in JSON; bit 0 is the first byte. They do not know yet
// which of them stand in strings.
type masks struct {
	quote     uint64 // "
	backslash uint64
	bracket   uint64 // { } [ ]
	comma     uint64
	colon     uint64
	white     uint64 // space, tab, line feed, carriage return
	control   uint64 // below a space
	high      uint64 // no ASCII
}

// A byte of each, eight times.
const (
	every    = 0x0101010101010101
	topBits  = 0x80 * every
	lowBits  = 0x7f * every
	gatherer = 0x0002040810204081 // a product with it brings the top bits of eight bytes together
	topByte  = 0xff << 56
)

// classifyPortable fills m for b, eight bytes at a time.
func classifyPortable(b *block, m *masks) {
	*m = masks{}
	for i := 0; i < blockBytes; i += 8 {
		w := binary.LittleEndian.Uint64(b[i : i+8])
		low, ascii := w&lowBits, ^w&topBits
		m.quote = m.quote>>8 | gather(ascii&^(low^'"'*every+lowBits))
		m.backslash = m.backslash>>8 | gather(ascii&^(low^'\\'*every+lowBits))
		m.comma = m.comma>>8 | gather(ascii&^(low^','*every+lowBits))
		m.colon = m.colon>>8 | gather(ascii&^(low^':'*every+lowBits))
		// Brackets and braces differ in bit 5; an opening one is 2 less than its closing one.
		folded := low | 0x20*every
		m.bracket = m.bracket>>8 | gather(ascii&^((folded^'{'*every+lowBits)&(folded^'}'*every+lowBits)))
		control := ascii &^ (low + 0x60*every)
		m.control = m.control>>8 | gather(control)
		m.white = m.white>>8 | gather(ascii&^(low^' '*every+lowBits))
		if control != 0 {
			m.white |= gather(ascii &^ ((low ^ '\t'*every + lowBits) & (low ^ '\n'*every + lowBits) & (low ^ '\r'*every + lowBits)))
		}
		m.high = m.high>>8 | gather(w&topBits)
	}
}

// gather returns the top bits of eight bytes as the topmost byte.
func gather(w uint64) uint64 { return w * gatherer & topByte }
