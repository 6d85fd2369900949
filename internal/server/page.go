package server

import (
	"encoding/base64"

	"google.golang.org/protobuf/proto"
)

// maxPageBytes keeps a page within a message, however much the clusters say of themselves.
const maxPageBytes = maxMessageBytes - 512<<10

// fitting returns the messages of as many items as fit into a page, at least one of them.
func fitting[T any, M proto.Message](items []T, convert func(T) M) []M {
	var messages []M
	size := 0
	for i, item := range items {
		message := convert(item)
		if size += proto.Size(message); size > maxPageBytes && i > 0 {
			break
		}
		messages = append(messages, message)
	}
	return messages
}

func pageToken(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// parsePageToken returns the text that a page's token was made of.
func parsePageToken(token string) (string, error) {
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return "", badPageToken()
	}
	return string(text), nil
}

func badPageToken() error {
	return invalidField("page_token", "not the next_page_token of a previous page")
}
