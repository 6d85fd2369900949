package manifest

import "strings"

// shelfBytes is how much text shares one allocation.
const shelfBytes = 2 << 10

// shelf makes strings that share their memory with some others: names are short, and there are many.
type shelf struct {
	last string // neighbours in a list mostly share their namespace
	room strings.Builder
}

// string returns a string that says text.
func (s *shelf) string(text []byte) string {
	if len(text) > shelfBytes/8 {
		return string(text)
	}
	if s.room.Cap()-s.room.Len() < len(text) {
		s.room = strings.Builder{}
		s.room.Grow(shelfBytes)
	}
	from := s.room.Len()
	s.room.Write(text)
	return s.room.String()[from:]
}

// again returns string(text), the last one that it returned if that says the same.
func (s *shelf) again(text []byte) string {
	if s.last != string(text) {
		s.last = s.string(text)
	}
	return s.last
}
