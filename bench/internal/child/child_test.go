package child

import (
	"io"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRoundsOfAChildEndWithItsStdin(t *testing.T) {
	stdin, parent := io.Pipe()
	ctx, tokens := commands(t.Context(), stdin)
	if _, err := parent.Write([]byte("\n")); err != nil {
		t.Fatal(err)
	}
	if _, ok := <-tokens; !ok {
		t.Fatal("a line made no token")
	}
	if err := parent.Close(); err != nil {
		t.Fatal(err)
	}
	if _, ok := <-tokens; ok {
		t.Error("a token without a line")
	}
	<-ctx.Done()
}
