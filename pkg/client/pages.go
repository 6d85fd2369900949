package client

import (
	"errors"
	"iter"

	"google.golang.org/protobuf/proto"
)

// pages yields the items of all pages from the token first on; it asks for a page when the previous one is used up.
func pages[T any](what, first string, ask func(token string) (items []T, next string, err error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		for token := first; ; {
			items, next, err := ask(token)
			if err != nil {
				yield(none, err)
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			if next == token {
				yield(none, errors.New("the aggregator repeats a page of "+what))
				return
			}
			token = next
		}
	}
}

// copied is a request of our own to change; nil asks for the defaults.
func copied[M any, P interface {
	*M
	proto.Message
}](req P) P {
	if req == nil {
		return new(M)
	}
	return proto.CloneOf(req)
}
