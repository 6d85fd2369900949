package manifest

import (
	"errors"
	"io"

	"github.com/clusterfleet/clusterfleet/internal/safetext"
)

const (
	// maxEmptyReads is how often in a row a body may return neither bytes nor an error.
	maxEmptyReads = 100
	// bufferBytes is the size of a new buffer.
	bufferBytes = 64 << 10
	// minReadBytes is the least room that a body is given, unless less is allowed.
	minReadBytes = 8 << 10
)

// source holds the bytes of a body from the first one that is still needed. Offsets are those of the body.
type source struct {
	body     io.Reader
	received int64  // read from body; the end of what is held
	offset   int64  // of buf[0]
	buf      []byte // a block longer than what it may hold
	end      error  // what body returned in the end
	failure  error  // end, where it is no regular one
}

// from returns what is held from an offset on.
func (s *source) from(at int64) []byte { return s.buf[at-s.offset : s.received-s.offset] }

// between returns what stands between two offsets.
func (s *source) between(from, to int64) []byte {
	return s.buf[from-s.offset : to-s.offset : to-s.offset]
}

// more reads at least one byte, and none at or after limit. What stands before needed is forgotten.
func (s *source) more(needed, limit int64) error {
	if s.received >= limit {
		return errOverLimit
	}
	if s.failure != nil || s.end != nil {
		return s.end
	}
	s.makeRoom(needed)
	held := int(s.received - s.offset)
	room := min(len(s.buf)-blockBytes-held, int(limit-s.received))
	n, err := s.read(s.buf[held : held+room])
	s.received += int64(n)
	return err
}

// makeRoom moves what is needed to the front of the buffer, or into a larger one, when there is little room behind it.
func (s *source) makeRoom(needed int64) {
	held := s.from(needed)
	room := len(s.buf) - blockBytes - int(s.received-s.offset)
	switch {
	case len(held) > 0 && room >= minReadBytes:
		return
	case len(held) > (len(s.buf)-blockBytes)/2:
		larger := make([]byte, max(2*(len(s.buf)-blockBytes), bufferBytes)+blockBytes)
		copy(larger, held)
		s.buf = larger
	default:
		copy(s.buf, held)
	}
	s.offset = needed
}

// read reads at least one byte or returns how body ended. A failure that wraps io.EOF is turned into one that does not:
// a reader's caller would take it for the end of the items.
func (s *source) read(p []byte) (int, error) {
	for range maxEmptyReads {
		n, err := s.body.Read(p)
		if err != nil {
			s.ended(err)
		}
		if n > 0 {
			return n, nil
		}
		if err != nil {
			return 0, s.end
		}
	}
	s.ended(io.ErrNoProgress)
	return 0, s.end
}

func (s *source) ended(err error) {
	s.end = err
	if !errors.Is(err, io.EOF) {
		s.failure = err
	} else if err != io.EOF { //nolint:errorlint // readers return io.EOF itself at the end; wrapped it is a failure
		s.failure = &bodyError{io.ErrUnexpectedEOF, safetext.Clean(err.Error())}
	}
}
