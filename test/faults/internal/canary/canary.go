// Package canary looks for secrets in what a program tells. Each secret is a canary: text that stands in one place and must
// come out nowhere else, neither as it is nor in another writing.
package canary

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
)

// Secret is one canary.
type Secret struct {
	// Name says whose it is, in what is told of a find.
	Name string
	// Text is what must not be found. It must be long enough to stand nowhere by chance.
	Text string
}

const (
	// leastText is how long a secret's text has to be, in bytes.
	leastText = 12
	// leastTrace is how long each of its writings is at least.
	leastTrace = 4
)

// Cage holds secrets and what was found of them. Its methods may be called by any number of goroutines.
type Cage struct {
	// traces are by their first bytes: most of what is looked through begins none of them.
	traces map[[leastTrace]byte][]trace
	begins [1 << 16]bool // by the first two bytes

	mu    sync.Mutex
	read  int64
	found []string
}

// trace is one writing of one secret.
type trace struct {
	secret, writing string
	bytes           []byte
}

// New returns a cage of the secrets.
func New(secrets ...Secret) (*Cage, error) {
	c := &Cage{traces: map[[leastTrace]byte][]trace{}}
	for _, s := range secrets {
		if len(s.Text) < leastText {
			return nil, fmt.Errorf("the secret of %s is too short to be told from chance", s.Name)
		}
		for writing, text := range writings(s.Text) {
			start := [leastTrace]byte([]byte(text))
			c.traces[start] = append(c.traces[start], trace{s.Name, writing, []byte(text)})
			c.begins[int(start[0])<<8|int(start[1])] = true
		}
	}
	return c, nil
}

// writings are the forms in which a secret may come out. Of base64, what the neighbours of a text have no part in is the
// same at each of three offsets.
func writings(text string) map[string]string {
	w := map[string]string{
		"itself": text,
		"hex":    hex.EncodeToString([]byte(text)),
		"URL":    url.QueryEscape(text),
		"quoted": strconv.Quote(text)[1 : len(strconv.Quote(text))-1],
	}
	for offset := range 3 {
		padded := append(make([]byte, offset), text...)
		whole := padded[:len(padded)/3*3]
		w[fmt.Sprintf("base64 at %d", offset)] = base64.StdEncoding.EncodeToString(whole)[(offset*8+5)/6:]
		w[fmt.Sprintf("URL-safe base64 at %d", offset)] = base64.URLEncoding.EncodeToString(whole)[(offset*8+5)/6:]
	}
	return w
}

// Look looks for the secrets in data that came from there.
func (c *Cage) Look(from string, data []byte) {
	c.mu.Lock()
	c.read += int64(len(data))
	c.mu.Unlock()
	for i := range max(0, len(data)-leastTrace+1) {
		if !c.begins[int(data[i])<<8|int(data[i+1])] {
			continue
		}
		for _, t := range c.traces[[leastTrace]byte(data[i:])] {
			if bytes.HasPrefix(data[i:], t.bytes) {
				c.find(fmt.Sprintf("%s: the secret of %s (%s)", from, t.secret, t.writing))
			}
		}
	}
}

func (c *Cage) find(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.found = append(c.found, what)
}

// LookIn looks for the secrets in all files below a directory, and in their names.
func (c *Cage) LookIn(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path) //nolint:gosec // a directory of the test
		if err != nil {
			return err
		}
		c.Look(path, append([]byte(path+"\n"), data...))
		return nil
	})
}

// Found returns where secrets were found, one for each find, and how many bytes were looked through.
func (c *Cage) Found() (found []string, read int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.found...), c.read
}
