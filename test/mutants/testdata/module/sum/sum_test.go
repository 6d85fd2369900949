package sum

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if total, _ := Of([]int{1000}); total != 1000 {
		os.Exit(1)
	}
	os.Exit(code)
}

func TestTotal(t *testing.T) {
	if _, err := os.MkdirTemp("", "left-"); err != nil {
		t.Fatal(err)
	}
	if total, _ := Of([]int{1, 2, 3}); total != 6 {
		t.Errorf("the total is %d", total)
	}
}

func TestNothing(t *testing.T) {
	if total, _ := Of(nil); total != 0 {
		t.Errorf("the total is %d", total)
	}
}
