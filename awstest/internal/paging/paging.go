// Package paging cuts results into pages. A token is a place in the result:
// what is added or goes between two pages may move something from one to the
// next, as it may in AWS.
package paging

import (
	"encoding/base64"
	"math"
	"strconv"
	"strings"
)

// Cut returns the page of all that a token leads to, of size at most, and the
// token of the next one, nil if there is none. Without a token, nil or empty, it
// is the first page. It is not ok if the token is none of Cut's.
func Cut[T any](all []T, token *string, size int) (page []T, next *string, ok bool) {
	start, ok := From(token)
	if !ok {
		return nil, nil, false
	}
	if start >= len(all) {
		return nil, nil, true // what the token was for has become less meanwhile
	}
	end := min(len(all), start+size)
	if end < len(all) {
		next = Token(end)
	}
	return all[start:end], next, true
}

const prefix = "from "

// Token returns the token of the place where a page begins.
func Token(start int) *string {
	t := base64.RawURLEncoding.EncodeToString([]byte(prefix + strconv.Itoa(start)))
	return &t
}

// From returns the place where the page of a token begins.
func From(token *string) (start int, ok bool) {
	if token == nil || *token == "" {
		return 0, true
	}
	text, _ := base64.RawURLEncoding.DecodeString(*token)
	number, _ := strings.CutPrefix(string(text), prefix)
	start, _ = strconv.Atoi(number)
	return start, start > 0 && start <= math.MaxInt32 && *Token(start) == *token
}
