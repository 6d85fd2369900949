package simulator

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
)

// page is one answer to a list: which items, and what its metadata says.
type page struct {
	spans     []span
	next      string // continue
	remaining int    // -1: not told, as with selectors
}

// choice is what the caller of a list wants of it.
type choice struct {
	labels labels.Selector
	fields fields.Selector
	limit  int // 0: none
	start  int // index of the first item to look at
}

var (
	errContinue = errors.New("continue key is not valid")
	errField    = errors.New("field label not supported")
)

func parseChoice(t target) (choice, error) {
	c := choice{labels: labels.Everything(), fields: fields.Everything()}
	var err error
	if text := t.query.Get("labelSelector"); text != "" {
		if c.labels, err = labels.Parse(text); err != nil {
			return c, fmt.Errorf("unable to parse requirement: %w", err)
		}
	}
	if text := t.query.Get("fieldSelector"); text != "" {
		if c.fields, err = fields.ParseSelector(text); err != nil {
			return c, err
		}
		for _, requirement := range c.fields.Requirements() {
			if requirement.Field != "metadata.name" && requirement.Field != "metadata.namespace" {
				return c, fmt.Errorf("%w: %s", errField, requirement.Field)
			}
		}
	}
	if text := t.query.Get("limit"); text != "" {
		if c.limit, err = strconv.Atoi(text); err != nil || c.limit < 0 {
			return c, fmt.Errorf("limit: %q is no number of items", text)
		}
	}
	token := t.query.Get("continue")
	if token == "" {
		if t.query.Get("resourceVersion") == "0" {
			c.limit = 0 // a list from the server's cache comes as one page
		}
		return c, nil
	}
	c.start, _, err = parseContinue(token)
	return c, err
}

// A continue token is the index of the next item; a salt makes two tokens for one place look different.
func formatContinue(next int, salt int64) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%s/%d/%d", resourceVersion, next, salt))
}

func parseContinue(token string) (next int, salt int64, err error) {
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return 0, 0, errContinue
	}
	parts := strings.Split(string(text), "/")
	if len(parts) != 3 || parts[0] != resourceVersion {
		return 0, 0, errContinue
	}
	next, err = strconv.Atoi(parts[1])
	if err != nil || next < 0 {
		return 0, 0, errContinue
	}
	if salt, err = strconv.ParseInt(parts[2], 10, 64); err != nil {
		return 0, 0, errContinue
	}
	return next, salt, nil
}

// everything tells whether no selector is in the way of serving neighbours as they lie.
func (c choice) everything() bool { return c.labels.Empty() && c.fields.Empty() }

func (c choice) matches(i *item) bool {
	return c.labels.Matches(i.labels) &&
		c.fields.Matches(fields.Set{"metadata.name": i.name, "metadata.namespace": i.namespace})
}

// turn finds the page of the shelf.
func (s *shelf) turn(namespace string, c choice) page {
	all := s.within(namespace)
	all.from = min(max(all.from, c.start), all.to)
	if !c.everything() {
		return s.sift(all, c)
	}
	if c.limit == 0 || all.to-all.from <= c.limit {
		return page{spans: []span{all}, remaining: -1}
	}
	next := all.from + c.limit
	return page{spans: []span{{all.from, next}}, next: formatContinue(next, 0), remaining: all.to - next}
}

// sift takes what the selectors let through, neighbours together.
func (s *shelf) sift(all span, c choice) page {
	p := page{remaining: -1}
	found := 0
	for i := all.from; i < all.to; i++ {
		if !c.matches(&s.items[i]) {
			continue
		}
		if c.limit > 0 && found == c.limit {
			p.next = formatContinue(i, 0)
			return p
		}
		found++
		if last := len(p.spans) - 1; last >= 0 && p.spans[last].to == i {
			p.spans[last].to++
			continue
		}
		p.spans = append(p.spans, span{i, i + 1})
	}
	return p
}

// resource answers a list or a get.
func (x *exchange) resource(t target) error {
	if t.verb != "get" && t.verb != "list" {
		s := failure(http.StatusMethodNotAllowed, "MethodNotAllowed", "the server does not allow this method on the requested resource")
		return x.status(s)
	}
	form, ok := negotiate(x.r.Header["Accept"])
	if !ok {
		s := failure(http.StatusNotAcceptable, "NotAcceptable", "only the following media types are accepted: application/json")
		return x.status(s)
	}
	if t.name != "" {
		return x.get(t, form)
	}
	c, err := parseChoice(t)
	if err != nil {
		return x.status(badRequest("%v", err))
	}
	return x.list(t, form, t.shelf.turn(t.namespace, c))
}

func (x *exchange) get(t target, form form) error {
	index, found := t.shelf.byKey[t.namespace+"/"+t.name]
	if !found {
		return x.status(notFoundStatus(t))
	}
	switch form {
	case asTable:
		return x.table(t, page{spans: []span{{index, index + 1}}, remaining: -1})
	case asMetadata:
		return x.reply(http.StatusOK, jsonType, []byte(partialHead), t.shelf.metadata(index), []byte("}"))
	default:
		return x.reply(http.StatusOK, jsonType, t.shelf.object(index)...)
	}
}

func (x *exchange) list(t target, form form, p page) error {
	switch form {
	case asTable:
		return x.table(t, p)
	case asMetadata:
		return x.metadataList(t, p)
	case asObject:
	}
	head, tail := t.shelf.frame(p)
	pieces := make([][]byte, 0, 2*len(p.spans)+2)
	pieces = append(pieces, head)
	for i, r := range p.spans {
		if i > 0 {
			pieces = append(pieces, []byte(","))
		}
		pieces = append(pieces, t.shelf.text(r))
	}
	return x.reply(http.StatusOK, jsonType, append(pieces, tail)...)
}

// frame is what stands before and after the items of a list.
func (s *shelf) frame(p page) (head, tail []byte) {
	if s.custom {
		return fmt.Appendf(nil, `{"apiVersion":%q,"items":[`, s.apiVersion()),
			fmt.Appendf(nil, `],"kind":"%sList","metadata":%s}`, s.kind, p.metadata())
	}
	return fmt.Appendf(nil, `{"kind":"%sList","apiVersion":%q,"metadata":%s,"items":[`, s.kind, s.apiVersion(), p.metadata()),
		[]byte("]}\n")
}

// metadata is a metav1.ListMeta.
func (p page) metadata() string {
	switch {
	case p.next == "":
		return `{"resourceVersion":"` + resourceVersion + `"}`
	case p.remaining < 0:
		return fmt.Sprintf(`{"resourceVersion":"%s","continue":%q}`, resourceVersion, p.next)
	default:
		return fmt.Sprintf(`{"resourceVersion":"%s","continue":%q,"remainingItemCount":%d}`,
			resourceVersion, p.next, p.remaining)
	}
}
