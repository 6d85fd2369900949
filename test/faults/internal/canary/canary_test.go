package canary_test

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/clusterfleet/clusterfleet/test/faults/internal/canary"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "tWeet+/tweet\"tweet~canary"

func cage(t *testing.T) *canary.Cage {
	t.Helper()
	c, err := canary.New(canary.Secret{Name: "sim-0001", Text: secret}, canary.Secret{Name: "sim-0002", Text: "another secret of some length"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestASecretIsFoundInEachWriting(t *testing.T) {
	for name, text := range map[string]string{
		"itself":             secret,
		"in JSON":            `{"message":"tWeet+/tweet\"tweet~canary"}`,
		"hex":                hex.EncodeToString([]byte(secret)),
		"URL":                url.QueryEscape(secret),
		"base64":             base64.StdEncoding.EncodeToString([]byte(secret)),
		"base64, 1 before":   base64.StdEncoding.EncodeToString([]byte(":" + secret + ", and more")),
		"base64, 2 before":   base64.StdEncoding.EncodeToString([]byte("x:" + secret)),
		"base64, 7 before":   base64.StdEncoding.EncodeToString([]byte("Bearer " + secret)),
		"URL-safe base64":    base64.RawURLEncoding.EncodeToString([]byte(secret)),
		"amid other secrets": "x another secret of some length",
	} {
		c := cage(t)
		c.Look(name, []byte("before "+text+" after"))
		if found, _ := c.Found(); len(found) == 0 {
			t.Errorf("%s: %q is not found", name, text)
		}
	}
}

func TestWhatIsNoSecretIsNotFound(t *testing.T) {
	c := cage(t)
	for _, text := range []string{"", "tWeet", "REDACTED", base64.StdEncoding.EncodeToString([]byte("something else of the same length"))} {
		c.Look("there", []byte(text))
	}
	if found, _ := c.Found(); len(found) > 0 {
		t.Errorf("found %q", found)
	}
}

func TestASecretIsFoundInAFileAndInItsName(t *testing.T) {
	dir := t.TempDir()
	deep := filepath.Join(dir, "a", "b")
	if err := os.MkdirAll(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"planted": "x" + secret, "another secret of some length": "", "empty": ""} {
		if err := os.WriteFile(filepath.Join(deep, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := cage(t)
	if err := c.LookIn(dir); err != nil {
		t.Fatal(err)
	}
	found, read := c.Found()
	places := map[string]bool{}
	for _, f := range found {
		places[f[:len(deep)+8]] = true
	}
	if len(places) != 2 || read < int64(len(secret)) {
		t.Errorf("found %q in %d bytes", found, read)
	}
}

func TestASecretThatMayStandAnywhereIsRefused(t *testing.T) {
	if _, err := canary.New(canary.Secret{Name: "short", Text: "abc"}); err == nil {
		t.Error("it is taken")
	}
}
