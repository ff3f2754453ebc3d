package svctest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/awsha/awsha/awstest"
)

// ErrorTypes asserts that an error with any of the codes reaches the caller of any operation that is modelled in the type that
// the SDK makes of the service's answer: some clients know a type in some of the operations only. overHTTP returns a client
// that is answered with an error of that code, see [Answer].
func ErrorTypes[Client any](t testing.TB, cloud *awstest.Cloud, service string, codes map[string]bool, client Client, overHTTP func(code string) Client) {
	t.Helper()
	for _, op := range cloud.Operations(service) {
		method, _ := reflect.TypeFor[Client]().MethodByName(op)
		in := reflect.New(method.Type.In(2).Elem())
		fill(in.Elem(), 8)
		for code := range codes {
			heal := Must(cloud.Inject(awstest.Match{Service: service}, awstest.Reject(awstest.APIError{Code: code, Message: "no"})))(t)
			_, got := Call(t.Context(), client, in.Interface())
			heal()
			_, want := Call(t.Context(), overHTTP(code), in.Interface())
			if _, ok := errors.AsType[smithy.APIError](want); !ok {
				t.Fatalf("%s: no error of the service over HTTP: %v", op, want)
			}
			if g, w := typeOf(got), typeOf(want); g != w {
				t.Errorf("%s: got %s, and over HTTP %s", op, g, w)
			}
		}
	}
}

// Answer is an HTTP client that is always answered alike, with status 400.
func Answer(body string) smithyhttp.ClientDo {
	return smithyhttp.ClientDoFunc(func(rq *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusBadRequest, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: rq}, nil
	})
}

// typeOf is the type of the error of the service, and what it says.
func typeOf(err error) string {
	api, _ := errors.AsType[smithy.APIError](err)
	return fmt.Sprintf("%T %v", api, api)
}

// fill gives a value to every member, so that the SDK accepts the input.
func fill(v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Int32, reflect.Int64:
		v.SetInt(1)
	case reflect.Pointer:
		if depth > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), depth-1)
		}
	case reflect.Slice:
		if depth > 0 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			fill(v.Index(0), depth-1)
		}
	case reflect.Map:
		if depth > 0 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(key, depth-1)
			fill(value, depth-1)
			v.Set(reflect.MakeMap(v.Type()))
			v.SetMapIndex(key, value)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), depth)
			}
		}
	}
}
