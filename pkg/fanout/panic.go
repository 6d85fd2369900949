package fanout

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// PanicError is a panic, or a call of runtime.Goexit, in code that was handed
// to this package.
//
// It does not unwrap to Value: a panic is a defect whatever it was raised
// with, and must not pass for a cancelled call or a key that was not attempted.
type PanicError struct {
	// Value is what panic was called with.
	Value any
	// Stack is the stack of the goroutine at the panic. It belongs in a log,
	// never in an answer to a caller.
	Stack []byte
}

// Error returns a text with Value and without Stack.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// errGoexit is the Value of a PanicError for runtime.Goexit, which has none.
var errGoexit = errors.New("runtime.Goexit was called")

// guard calls f and sets *err to its error, or to a PanicError if f does not
// return. It stops a panic; runtime.Goexit cannot be stopped, so what has to
// follow guard in any case must be deferred before it.
func guard(err *error, f func() error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		v := recover()
		if v == nil { // not panic(nil), which arrives as *runtime.PanicNilError
			v = errGoexit
		}
		*err = &PanicError{Value: v, Stack: debug.Stack()}
	}()
	*err = f()
	returned = true
}
