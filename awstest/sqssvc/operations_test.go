package sqssvc_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/svctest"
	"github.com/awsha/awsha/awstest/sqssvc"
)

func TestPageListsOperations(t *testing.T) {
	t.Parallel()
	svctest.PageListsOperations(t, svctest.Operations[*sqs.Client](t, sqssvc.New(), sqs.ServiceID))
}

// codes returns the error codes in the source of the adapter and its model.
func codes(t *testing.T) map[string]bool {
	t.Helper()
	return svctest.Codes(t, "*.go", "../internal/sqsmodel/*.go")
}

func TestPageListsCodes(t *testing.T) {
	t.Parallel()
	svctest.PageListsCodes(t, codes(t))
}

// An error has the SDK's type, if there is one, and both of its names lead to
// the code that a real client shows.
func TestErrorsAreOfTheSDKsTypes(t *testing.T) {
	t.Parallel()
	generic := map[string]bool{"AccessDenied": true, "InternalError": true, "InvalidParameterValue": true, "MissingParameter": true, "ServiceUnavailable": true}
	type names struct{ typ, code string }
	want := map[string]names{
		"QueueAlreadyExists": {"QueueNameExists", "QueueAlreadyExists"}, "QueueNameExists": {"QueueNameExists", "QueueAlreadyExists"},
		"QueueDoesNotExist": {"QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"}, "AWS.SimpleQueueService.NonExistentQueue": {"QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"},
		"KmsAccessDenied": {"KmsAccessDenied", "KMS.AccessDeniedException"}, "KMS.AccessDeniedException": {"KmsAccessDenied", "KMS.AccessDeniedException"},
		"KmsDisabled": {"KmsDisabled", "KMS.DisabledException"}, "KmsInvalidState": {"KmsInvalidState", "KMS.InvalidStateException"},
		"KmsInvalidKeyUsage": {"KmsInvalidKeyUsage", "KMS.InvalidKeyUsageException"}, "KmsOptInRequired": {"KmsOptInRequired", "KMS.OptInRequired"},
		"InvalidIdFormat": {"InvalidIdFormat", "InvalidIdFormat"}, "InvalidSecurity": {"InvalidSecurity", "InvalidSecurity"},
		"KmsNotFound": {"KmsNotFound", "KMS.NotFoundException"}, "KmsThrottled": {"KmsThrottled", "KMS.ThrottlingException"},
	}
	for code := range codes(t) {
		if bare, ok := strings.CutPrefix(code, "AWS.SimpleQueueService."); ok && bare != "NonExistentQueue" {
			want[code], want[bare] = names{bare, code}, names{bare, code}
		} else if _, known := want[code]; !known {
			want[code] = names{code, code}
		}
	}
	inBubble(t, func(w *world) {
		for code, n := range want {
			heal := w.inject("ListQueues", awstest.Reject(awstest.APIError{Code: code, Message: "no"}))
			_, err := w.ListQueues(w.Context(), nil)
			heal()
			wantCode(w, err, n.code)
			typed := false
			for e := err; e != nil; e = errors.Unwrap(e) {
				typed = typed || reflect.TypeOf(e).String() == "*types."+n.typ
			}
			if typed == generic[code] {
				w.Errorf("%s is of the SDK's type: %v", code, typed)
			}
			if !strings.Contains(err.Error(), "no") {
				w.Errorf("%s lost its message: %v", code, err)
			}
		}
		_, err := w.SendMessage(w.Context(), message("none", "a"))
		if _, ok := errors.AsType[*types.QueueDoesNotExist](err); !ok {
			w.Errorf("got %v", err)
		}
	})
}

func TestServiceFaults(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		svctest.ServiceFaults(w, w.cloud, awstest.Match{Service: sqs.ServiceID, Operation: "ListQueues"},
			func() error { _, err := w.ListQueues(w.Context(), nil); return err },
			svctest.ServiceFault{Effect: awstest.Throttle(), Code: "RequestThrottled", Status: 403, Attempts: 3},
			svctest.ServiceFault{Effect: awstest.Unavailable(), Code: "ServiceUnavailable", Status: 503, Attempts: 3},
			svctest.ServiceFault{Effect: awstest.Deny(), Code: "AccessDenied", Status: 403, Attempts: 1},
		)
	})
}

func TestNotModelledIsLoud(t *testing.T) {
	t.Parallel()
	svctest.NotModelled(t, sqssvc.New(), func(c *awstest.Cloud) error {
		_, err := sqs.NewFromConfig(c.Config(home)).AddPermission(t.Context(), &sqs.AddPermissionInput{
			QueueUrl: new("jobs"), Label: new("x"), AWSAccountIds: []string{"123456789012"}, Actions: []string{"SendMessage"},
		})
		return err
	}, "awstest: SQS.AddPermission is not modelled")
}

// Every parameter of every operation that is modelled is read: the SDK's types
// may get more.
func TestEveryParameterIsRead(t *testing.T) {
	t.Parallel()
	cloud := must(awstest.New([]awstest.Service{sqssvc.New()}))(t)
	client := sqs.NewFromConfig(cloud.Config(home))
	for _, name := range svctest.Operations[*sqs.Client](t, sqssvc.New(), sqs.ServiceID) {
		method := reflect.ValueOf(client).MethodByName(name)
		in := reflect.New(method.Type().In(1).Elem())
		fill(in.Elem())
		_, err := svctest.Call(t.Context(), client, in.Interface())
		if errors.Is(err, awstest.ErrNotModelled) {
			t.Error(err)
		}
	}
	if err := cloud.Close(); err != nil {
		t.Error(err)
	}
}

// fill sets every field of an input to something.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i))
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		value := reflect.New(v.Type().Elem()).Elem()
		fill(value)
		v.SetMapIndex(reflect.ValueOf("x").Convert(v.Type().Key()), value)
	case reflect.String:
		v.SetString("x")
	case reflect.Int32:
		v.SetInt(1)
	}
}
