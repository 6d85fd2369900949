package manifest_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/clusterfleet/clusterfleet/internal/manifest"
)

// changingList is an API server with one list, in the order of etcd's keys. A script says how long its pages are, what is
// created and deleted before each, and which continue tokens have expired.
type changingList struct {
	script []byte
	now    map[string]bool // NAMESPACE/NAME
	ever   map[string]bool // was there at some time
	always map[string]bool // was there all the time
	tokens []place
	asked  int
	gone   int // tokens that had expired
}

// place is what a token stands for: the rest of the list behind a key, as it was when the list was begun.
type place struct {
	snapshot []string
	after    string
}

func newChangingList(script, objects []byte) *changingList {
	c := &changingList{script: script, now: map[string]bool{}}
	for _, b := range objects[:min(len(objects), 64)] {
		c.now[objectKey(b)] = true
	}
	c.ever, c.always = maps.Clone(c.now), maps.Clone(c.now)
	return c
}

// objectKey returns one of 256 keys, whose order hangs on the slash between namespace and name.
func objectKey(b byte) string {
	return []string{"a", "a-b", "a.b", "a0", "ab", "a-", "b", "aa"}[b>>5] + "/" + []string{"n", "n-1", "n.1", "n0"}[b>>3&3] + fmt.Sprint(b&7)
}

func (c *changingList) next() byte {
	if len(c.script) == 0 {
		return 0
	}
	b := c.script[0]
	c.script = c.script[1:]
	return b
}

func (c *changingList) page(token string) (string, error) {
	c.asked++
	step := c.next()
	switch key := objectKey(c.next()); step >> 6 {
	case 2:
		c.now[key], c.ever[key] = true, true
	case 3:
		delete(c.now, key)
		delete(c.always, key)
	}
	current := slices.Sorted(maps.Keys(c.now))
	at := place{current, ""}
	if token != "" {
		var index int
		if _, err := fmt.Sscanf(token, "token-%d", &index); err != nil {
			return "", err
		}
		at = c.tokens[index]
		if expiry := step >> 3 & 7; expiry < 4 && step != 0 {
			c.gone++
			fresh := ""
			if expiry&1 == 1 {
				fresh = c.token(place{current, at.after})
			}
			if expiry&2 == 2 {
				return "", &manifest.ExpiredError{Continue: fresh, Err: errors.New("gone")}
			}
			return `{"kind":"Status","apiVersion":"v1","metadata":{"continue":"` + fresh + `"},"status":"Failure","code":410}`, nil
		}
	}
	left := slices.DeleteFunc(slices.Clone(at.snapshot), func(key string) bool { return key <= at.after })
	size := 1 + int(step&7)
	if size >= len(left) {
		return objectPage("", left...), nil
	}
	return objectPage(c.token(place{at.snapshot, left[size-1]}), left[:size]...), nil
}

func (c *changingList) token(p place) string {
	c.tokens = append(c.tokens, p)
	return fmt.Sprintf("token-%d", len(c.tokens)-1)
}

// FuzzPager reads a list that changes and whose tokens expire. It comes to an end; no object comes twice or out of order;
// all that is there all the time comes, and nothing that never was; and it fails only where tokens expire again and again.
func FuzzPager(f *testing.F) {
	objects := []byte{0, 1, 2, 9, 33, 40, 65, 70, 99, 130, 133, 161, 200, 231, 255}
	f.Add([]byte{}, objects)
	f.Add([]byte{56, 0, 1, 0, 56, 0, 9, 0, 57, 0}, objects)                                           // expired without a fresh token, with one
	f.Add([]byte{57, 0, 17, 0, 58, 0, 25, 0, 56, 0, 56, 0}, objects)                                  // the same by the opener
	f.Add([]byte{56, 0, 1, 0, 56, 0, 1, 0, 57, 0, 1, 0, 57, 0, 1, 0, 56, 0, 1, 0, 1, 0}, objects)     // again and again
	f.Add([]byte{184, 3, 184, 35, 248, 1, 248, 255, 129, 4, 201, 9, 184, 7, 209, 0, 184, 5}, objects) // with changes
	f.Add([]byte{1}, []byte{})
	f.Fuzz(func(t *testing.T, script, objects []byte) {
		list := newChangingList(script[:min(len(script), 256)], objects)
		s := &server{page: list.page}
		pager := manifest.NewPager(s.opener, manifest.Options{})
		last, came := "", map[string]bool{}
		var failure error
		for item, err := range pager.All(t.Context()) {
			if err != nil {
				failure = err
				break
			}
			key := item.Namespace + "/" + item.Name
			if key <= last || !list.ever[key] {
				t.Fatalf("%s after %q, there at some time: %t", key, last, list.ever[key])
			}
			last, came[strings.Clone(key)] = strings.Clone(key), true
		}
		if s.open != 0 || list.asked > 512 {
			t.Errorf("%d bodies are open after %d requests", s.open, list.asked)
		}
		if failure != nil {
			if checkError(t, failure, manifest.ErrExpired); list.gone <= 3 {
				t.Errorf("after %d expired tokens: %v", list.gone, failure)
			}
			return
		}
		for key := range list.always {
			if !came[key] {
				t.Errorf("%s did not come", key)
			}
		}
		if list.gone == 0 && (pager.Inconsistent() || pager.Pages() != list.asked) {
			t.Errorf("inconsistent: %t, %d pages of %d", pager.Inconsistent(), pager.Pages(), list.asked)
		}
	})
}
