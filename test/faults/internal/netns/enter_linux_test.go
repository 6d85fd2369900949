package netns

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestAThreadThatEndsIsNeverTheMainThread(t *testing.T) {
	for range 1000 { // the scheduler would take the main thread for some
		onThread(func() {
			if unix.Gettid() == unix.Getpid() {
				t.Error("it is")
			}
		})
	}
}
