package cluster

import "sync/atomic"

// lazy is something that is made when it is first needed. It is safe for concurrent use.
type lazy[T any] struct{ made atomic.Pointer[T] }

// get returns it, made by build. Where calls at the same time build more than one, all get the same.
func (l *lazy[T]) get(build func() *T) *T {
	if made := l.made.Load(); made != nil {
		return made
	}
	l.made.CompareAndSwap(nil, build())
	return l.made.Load()
}
