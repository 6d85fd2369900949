package manifest

import (
	"errors"
	"io"

	"github.com/clusterfleet/clusterfleet/internal/safetext"
)

// maxEmptyReads is how often in a row a body may return neither bytes nor an error.
const maxEmptyReads = 100

// source hands the bytes of a body to the decoder: counted, never more than limit, and remembered while keep is set. The
// decoder itself would buffer a string without end.
type source struct {
	body     io.Reader
	received int64 // read from body
	given    int64 // handed to the decoder: an offset into the document
	limit    int64 // given does not get beyond it
	keep     bool
	kept     []byte // the document up to given, while keep is set
	replay   []byte // what comes before the rest of body
	end      error  // what body returned in the end
	failure  error  // end, where it is no regular one and the decoder has been told
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	room := s.limit - s.given
	if room <= 0 {
		return 0, errOverLimit
	}
	p = p[:min(int64(len(p)), room)]
	if len(s.replay) > 0 {
		n := copy(p, s.replay)
		s.replay = s.replay[n:]
		s.given += int64(n)
		return n, nil
	}
	n, err := s.fill(p)
	if s.keep {
		s.kept = append(s.kept, p[:n]...)
	}
	s.received += int64(n)
	s.given += int64(n)
	return n, err
}

// fill reads at least one byte or returns how body ended, again and again. A failure that wraps io.EOF is turned into
// one that does not: a reader's caller would take it for the end of the items.
func (s *source) fill(p []byte) (int, error) {
	for range maxEmptyReads {
		if s.end != nil {
			break
		}
		n, err := s.body.Read(p)
		s.end = err
		if n > 0 {
			return n, nil
		}
	}
	if s.end == nil {
		s.end = io.ErrNoProgress
	}
	if !errors.Is(s.end, io.EOF) {
		s.failure = s.end
	} else if s.end != io.EOF { //nolint:errorlint // readers return io.EOF itself at the end; wrapped it is a failure
		s.failure = &bodyError{io.ErrUnexpectedEOF, safetext.Clean(s.end.Error())}
	}
	return 0, s.end
}

// rewind makes the document begin again: first what was kept, then the rest of the body.
func (s *source) rewind() {
	s.keep = false
	s.replay = s.kept
	s.given = 0
}
