package svctest

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/awsha/awsha/awstest"
)

// InBubble runs a test in a bubble, on a cloud that is closed without problems in the end.
func InBubble(t *testing.T, services []awstest.Service, test func(*testing.T, *awstest.Cloud), optFns ...func(*awstest.Options)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cloud := Must(awstest.New(services, optFns...))(t)
		defer func() {
			if err := cloud.Close(); err != nil {
				t.Error(err)
			}
		}()
		test(t, cloud)
	})
}

// Must ends the test unless a call that it cannot do without succeeded.
func Must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// WantCode asserts the code of an error of the service.
func WantCode(t testing.TB, err error, code string) {
	t.Helper()
	if api, ok := errors.AsType[smithy.APIError](err); !ok || api.ErrorCode() != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

// WantStatus asserts the HTTP status of an error, and that it has a request ID.
func WantStatus(t testing.TB, err error, status int) {
	t.Helper()
	if re, ok := errors.AsType[*awshttp.ResponseError](err); !ok || re.HTTPStatusCode() != status || re.ServiceRequestID() == "" {
		t.Errorf("got %v, want status %d and a request ID", err, status)
	}
}

// NameOf returns the operation that an input is of.
func NameOf(input any) string {
	return strings.TrimSuffix(reflect.TypeOf(input).Elem().Name(), "Input")
}

// Call calls the operation of a client that an input is of.
func Call(ctx context.Context, client, input any) (output any, err error) {
	results := reflect.ValueOf(client).MethodByName(NameOf(input)).Call([]reflect.Value{reflect.ValueOf(ctx), reflect.ValueOf(input)})
	err, _ = results[1].Interface().(error)
	return results[0].Interface(), err
}
