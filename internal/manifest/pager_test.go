package manifest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/internal/manifest"
)

// body is a page that notes when it is closed.
type body struct {
	io.Reader
	open *int
}

func (b body) Close() error { *b.open--; return nil }

// server answers with the pages that a function writes; it counts the bodies that are open.
type server struct {
	page   func(token string) (string, error)
	tokens []string
	open   int
}

func (s *server) opener(_ context.Context, token string) (io.ReadCloser, error) {
	if len(s.tokens) == 5000 {
		return nil, errors.New("5000 pages were asked for: it has no end")
	}
	s.tokens = append(s.tokens, token)
	page, err := s.page(token)
	if err != nil {
		return nil, err
	}
	s.open++
	return body{strings.NewReader(page), &s.open}, nil
}

func podPage(next string, names ...string) string {
	var items []string
	for _, name := range names {
		items = append(items, `{"metadata":{"name":"`+name+`"}}`)
	}
	return `{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7","continue":"` + next + `"},"items":[` +
		strings.Join(items, ",") + `]}`
}

func fixed(pages map[string]string) func(string) (string, error) {
	return func(token string) (string, error) {
		page, ok := pages[token]
		if !ok {
			return "", fmt.Errorf("no page %q", token)
		}
		return page, nil
	}
}

func TestPagerFollowsTheListOverItsPages(t *testing.T) {
	t.Parallel()
	pages := map[string]string{"": podPage("t1", "a", "b"), "t1": podPage("t2"), "t2": podPage("t3", "c"), "t3": podPage("", "d")}
	s := &server{page: fixed(pages)}
	p := manifest.NewPager(s.opener, manifest.Options{})
	var names []string
	for i, err := range p.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if s.open != 1 {
			t.Errorf("%d bodies open", s.open)
		}
		names = append(names, i.Name)
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "d"}, names); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"", "t1", "t2", "t3"}, s.tokens); diff != "" {
		t.Errorf("tokens (-want +got):\n%s", diff)
	}
	bytes := 0
	for _, page := range pages {
		bytes += len(page)
	}
	if p.Pages() != 4 || p.Bytes() != int64(bytes) || s.open != 0 {
		t.Errorf("%d pages, %d bytes of %d, %d bodies left open", p.Pages(), p.Bytes(), bytes, s.open)
	}
	if diff := cmp.Diff(manifest.Meta{APIVersion: "v1", Kind: "Pod", ResourceVersion: "7"}, p.Meta()); diff != "" {
		t.Errorf("meta (-want +got):\n%s", diff)
	}
}

func TestPagerStopsWhenTheConsumerDoes(t *testing.T) {
	t.Parallel()
	s := &server{page: fixed(map[string]string{"": podPage("t1", "a", "b")})}
	for _, err := range manifest.NewPager(s.opener, manifest.Options{}).All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	if len(s.tokens) != 1 || s.open != 0 {
		t.Errorf("asked for %d pages, %d bodies left open", len(s.tokens), s.open)
	}
}

// drain counts the items of a pager up to its error.
func drain(ctx context.Context, p *manifest.Pager[manifest.Item]) (int, error) {
	items := 0
	for _, err := range p.All(ctx) {
		if err != nil {
			return items, err
		}
		items++
	}
	return items, nil
}

func TestPagerPassesErrorsOn(t *testing.T) {
	t.Parallel()
	expired := errors.New("410 Expired")
	for name, tt := range map[string]struct {
		second func() (string, error)
		want   error
	}{
		"of the opener":      {func() (string, error) { return "", expired }, expired},
		"of a page":          {func() (string, error) { return podPage("", "b")[:90], nil }, manifest.ErrMalformed},
		"of what is no list": {func() (string, error) { return `{"kind":"Pod","apiVersion":"v1"}`, nil }, manifest.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &server{page: func(token string) (string, error) {
				if token == "" {
					return podPage("t1", "a"), nil
				}
				return tt.second()
			}}
			p := manifest.NewPager(s.opener, manifest.Options{})
			items, err := drain(t.Context(), p)
			if items != 1 || !errors.Is(err, tt.want) || s.open != 0 {
				t.Errorf("%d items, %v, %d bodies left open", items, err, s.open)
			}
		})
	}
}

func TestPagerEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s := &server{page: func(string) (string, error) { return podPage("t1", "a", "b", "c"), nil }}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	items := 0
	var last error
	for _, err := range manifest.NewPager(s.opener, manifest.Options{}).All(ctx) {
		last = err
		if err == nil {
			items++
			cancel()
		}
	}
	if items != 1 || !errors.Is(last, context.Canceled) || s.open != 0 {
		t.Errorf("%d items, %v, %d bodies left open", items, last, s.open)
	}
	if _, err := drain(ctx, manifest.NewPager(s.opener, manifest.Options{})); !errors.Is(err, context.Canceled) || len(s.tokens) != 1 {
		t.Errorf("%v after %d requests", err, len(s.tokens))
	}
}

func TestPagerEndsEndlessLists(t *testing.T) {
	t.Parallel()
	pages := 0
	for name, tt := range map[string]struct {
		page  func(token string) (string, error)
		pages int
		items int
		says  string
	}{
		"the same token again": {fixed(map[string]string{"": podPage("t", "a"), "t": podPage("t", "b")}), 2, 2, "token came a second time"},
		"the same page again":  {func(token string) (string, error) { return podPage(token+"t", "a", "b"), nil }, 2, 2, "first object"},
		"tokens in a circle": {fixed(map[string]string{
			"": podPage("t1", "a"), "t1": podPage("t2", "b"), "t2": podPage("t3", "c"), "t3": podPage("t1", "d"),
		}), 4, 4, "second time"},
		"empty pages, tokens anew": {func(string) (string, error) {
			pages++
			if pages == 2 {
				return podPage(fmt.Sprint(pages), "a"), nil
			}
			return podPage(fmt.Sprint(pages)), nil
		}, 1002, 1, "1000 pages in a row"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &server{page: tt.page}
			p := manifest.NewPager(s.opener, manifest.Options{})
			items, err := drain(t.Context(), p)
			checkError(t, err, manifest.ErrEndless)
			if items != tt.items || p.Pages() != tt.pages || !strings.Contains(err.Error(), tt.says) || s.open != 0 {
				t.Errorf("%d items of %d pages, %v, %d bodies left open", items, p.Pages(), err, s.open)
			}
		})
	}
}

func TestPagerEndsWithTheLastPageHoweverManyWereEmpty(t *testing.T) {
	t.Parallel()
	pages := 0
	s := &server{page: func(string) (string, error) {
		pages++
		if pages == 1000 {
			return podPage(""), nil
		}
		return podPage(fmt.Sprint(pages)), nil
	}}
	if items, err := drain(t.Context(), manifest.NewPager(s.opener, manifest.Options{})); items != 0 || err != nil {
		t.Errorf("%d items, %v", items, err)
	}
}

func TestTablePagerFollowsTheRowsOverTheirPages(t *testing.T) {
	t.Parallel()
	s := &server{page: fixed(map[string]string{
		"":   tableOf(`"metadata":{"continue":"t1"},` + columns + `,"rows":[` + rowA + `]`),
		"t1": tableOf(`"metadata":{},"columnDefinitions":` + strings.TrimPrefix(columns, `"columnDefinitions":`) + `,"rows":[` + strings.ReplaceAll(rowA, `"a"`, `"b"`) + `]`),
	})}
	p := manifest.NewTablePager(s.opener, manifest.Options{})
	if p.Columns() != nil {
		t.Error("columns before there is a page")
	}
	rows := 0
	for row, err := range p.All(t.Context()) {
		if err != nil || row.Name == "" || len(p.Columns()) != 3 {
			t.Errorf("%+v of %d columns, %v", row, len(p.Columns()), err)
		}
		rows++
	}
	if rows != 2 || p.Pages() != 2 || len(p.Columns()) != 3 || s.open != 0 {
		t.Errorf("%d rows of %d pages, %d columns, %d bodies left open", rows, p.Pages(), len(p.Columns()), s.open)
	}
}
