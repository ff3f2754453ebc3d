package ec2model

import (
	"reflect"

	"github.com/awsha/awsha/awstest"
)

// token is a client token where it is known. RunInstances knows a token in
// the zone that the request names, by itself or by a subnet, and in the whole
// region if it names none.
// Source: https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html (read 2026-11)
type token struct{ operation, zone, text string }

// remembered is what a token was used for.
type remembered struct {
	request any
	ids     []string // of what was made
}

// recall returns what a token has made already, if it was used before.
func (r *Region) recall(t token, request any) (ids []string, known bool, err error) {
	if t.text == "" {
		return nil, false, nil
	}
	old, known := r.tokens[t]
	if known && !reflect.DeepEqual(old.request, request) {
		return nil, true, awstest.Errorf("IdempotentParameterMismatch", "The request uses the same client token as a previous, but non-identical request. Do not reuse a client token with different requests, unless the requests are identical")
	}
	return old.ids, known, nil
}

// remember notes what a token has made. It is never forgotten: AWS documents
// no time after which a token is free again.
func (r *Region) remember(t token, request any, ids ...string) {
	if t.text != "" {
		r.tokens[t] = remembered{request, ids}
	}
}
