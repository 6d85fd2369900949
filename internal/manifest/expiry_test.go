package manifest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/internal/manifest"
)

// objectPage is a page of NAMESPACE/NAMEs.
func objectPage(next string, keys ...string) string {
	var items []string
	for _, key := range keys {
		namespace, name, _ := strings.Cut(key, "/")
		items = append(items, fmt.Sprintf(`{"metadata":{"namespace":%q,"name":%q}}`, namespace, name))
	}
	return `{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7","continue":"` + next + `"},"items":[` +
		strings.Join(items, ",") + `]}`
}

// answers is a server that gives these answers in turn. An answer "410" is an error of the opener, "410 TOKEN" one with a
// fresh token, and "status" and "status TOKEN" are the same as bodies.
func answers(all ...string) *server {
	return &server{page: func(string) (string, error) {
		answer := all[0]
		all = all[1:]
		kind, token, _ := strings.Cut(answer, " ")
		switch kind {
		case "410":
			return "", &manifest.ExpiredError{Continue: token, Err: errors.New("gone")}
		case "status":
			return `{"kind":"Status","apiVersion":"v1","metadata":{"continue":"` + token + `"},"status":"Failure","reason":"Expired","code":410}`, nil
		}
		return answer, nil
	}}
}

func TestAListGoesOnWhenItsContinueTokenExpires(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answers      []string
		keys         string
		tokens       []string
		inconsistent bool
	}{
		"by the server's token": {
			[]string{objectPage("t1", "a/1", "a/2"), "410 fresh", objectPage("t3", "a/3"), objectPage("", "a/4")},
			"a/1 a/2 a/3 a/4",
			[]string{"", "t1", "fresh", "t3"},
			true,
		},
		"by the token in a body": {
			[]string{objectPage("t1", "a/1"), "status fresh", objectPage("", "a/2")},
			"a/1 a/2",
			[]string{"", "t1", "fresh"},
			true,
		},
		"from its beginning, less what came": {
			[]string{objectPage("t1", "a/1", "a/3"), "410", objectPage("t1", "a/1", "a/2"), objectPage("", "a/3", "a/4")},
			"a/1 a/3 a/4",
			[]string{"", "t1", "", "t1"},
			true,
		},
		"from its beginning after a body says so": {
			[]string{objectPage("t1", "a/1"), "status", objectPage("", "a/1", "a/2")},
			"a/1 a/2",
			[]string{"", "t1", ""},
			true,
		},
		"also where what came last is gone": {
			[]string{objectPage("t1", "a/1", "a/2"), "410", objectPage("", "a/1", "a/3")},
			"a/1 a/2 a/3",
			[]string{"", "t1", ""},
			true,
		},
		"twice, the second time before it was beyond what came": {
			[]string{objectPage("t1", "a/1", "a/2"), "410", objectPage("t2", "a/1"), "410", objectPage("t3", "a/1", "a/2"), objectPage("", "b/0")},
			"a/1 a/2 b/0",
			[]string{"", "t1", "", "t2", "", "t3"},
			true,
		},
		"of namespaces in the order of etcd": {
			[]string{objectPage("t1", "a-b/2", "a/1"), "410", objectPage("", "a-b/2", "a-c/1", "a/1", "a/2", "a0/1")},
			"a-b/2 a/1 a/2 a0/1",
			[]string{"", "t1", ""},
			true,
		},
		"and is consistent where nothing had come": {
			[]string{objectPage("t1"), "410", objectPage("", "a/1")},
			"a/1",
			[]string{"", "t1", ""},
			false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := answers(tt.answers...)
			p := manifest.NewPager(s.opener, manifest.Options{})
			var keys []string
			for i, err := range p.All(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				keys = append(keys, i.Namespace+"/"+i.Name)
			}
			if diff := cmp.Diff(tt.keys, strings.Join(keys, " ")); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.tokens, s.tokens); diff != "" {
				t.Errorf("tokens (-want +got):\n%s", diff)
			}
			if p.Inconsistent() != tt.inconsistent || s.open != 0 {
				t.Errorf("inconsistent: %t, %d bodies left open", p.Inconsistent(), s.open)
			}
		})
	}
}

func TestAListWhoseTokensExpireAgainAndAgainEnds(t *testing.T) {
	t.Parallel()
	begun := func(n int) (all []string) {
		for range n {
			all = append(all, objectPage("t1", "a/1", "a/2"), "410")
		}
		return all
	}
	for name, tt := range map[string]struct {
		answers []string
		items   int
		says    string
	}{
		"begun anew in vain":             {begun(4), 2, "begun anew 3 times"},
		"of a server that has no order":  {[]string{objectPage("t1", "a/2", "a/1"), "410"}, 2, "does not send it in order"},
		"by fresh tokens without an end": {[]string{objectPage("t1", "a/1"), "410 x", "410 y", "status z", "410 z"}, 1, "those that followed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := answers(tt.answers...)
			items, err := drain(t.Context(), manifest.NewPager(s.opener, manifest.Options{}))
			checkError(t, err, manifest.ErrExpired)
			if items != tt.items || !strings.Contains(err.Error(), tt.says) || s.open != 0 {
				t.Errorf("%d items, %v, %d bodies left open", items, err, s.open)
			}
		})
	}
}

func TestFreshTokensMayExpireAsLongAsTheListGoesOn(t *testing.T) {
	t.Parallel()
	all := []string{objectPage("t", "a/000")}
	for n := range 20 {
		all = append(all, "410 fresh", objectPage(fmt.Sprint("t", n), fmt.Sprintf("b/%03d", n)))
	}
	s := answers(append(all, objectPage("", "c/0"))...)
	if items, err := drain(t.Context(), manifest.NewPager(s.opener, manifest.Options{})); items != 22 || err != nil {
		t.Errorf("%d items, %v", items, err)
	}
}

func TestTheFirstPageIsNotTakenForOneWhoseTokenExpired(t *testing.T) {
	t.Parallel()
	s := answers("status fresh")
	items, err := drain(t.Context(), manifest.NewPager(s.opener, manifest.Options{}))
	if _, ok := errors.AsType[*manifest.StatusError](err); !ok || items != 0 {
		t.Errorf("%d items, %v", items, err)
	}
}

func TestATableGoesOnWhenItsContinueTokenExpires(t *testing.T) {
	t.Parallel()
	row := func(name string) string {
		return `{"cells":["` + name + `"],"object":{"metadata":{"namespace":"n","name":"` + name + `"}}}`
	}
	s := answers(
		tableOf(`"metadata":{"continue":"t1"},`+columns+`,"rows":[`+row("a")+`,`+row("b")+`]`),
		"410",
		tableOf(`"metadata":{},`+columns+`,"rows":[`+row("a")+`,`+row("b")+`,`+row("c")+`]`),
	)
	p := manifest.NewTablePager(s.opener, manifest.Options{})
	var names []string
	for r, err := range p.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, r.Name)
	}
	if got := strings.Join(names, " "); got != "a b c" || !p.Inconsistent() || s.open != 0 {
		t.Errorf("rows %s, inconsistent: %t, %d bodies left open", got, p.Inconsistent(), s.open)
	}
}

func TestPagesThatBringNothingNewAreAnEndlessList(t *testing.T) {
	t.Parallel()
	pages := 0
	s := &server{page: func(string) (string, error) {
		pages++
		if pages == 1 {
			return objectPage("1", "a/0", "a/2"), nil
		}
		return objectPage(fmt.Sprint(pages), "a/1", "a/2"), nil
	}}
	p := manifest.NewPager(s.opener, manifest.Options{})
	items, err := drain(t.Context(), p)
	checkError(t, err, manifest.ErrEndless)
	if p.Pages() != 1001 || items != 2002 {
		t.Errorf("%d items of %d pages", items, p.Pages())
	}
}
