package s3model

import (
	"fmt"
	"net/http"

	"github.com/awsha/awsha/awstest"
)

// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (read 2026-11)

func noSuchBucket() error {
	return &awstest.APIError{Code: "NoSuchBucket", Message: "The specified bucket does not exist", Status: http.StatusNotFound}
}

func noSuchKey() error {
	return &awstest.APIError{Code: "NoSuchKey", Message: "The specified key does not exist.", Status: http.StatusNotFound}
}

func noSuchVersion() error {
	return &awstest.APIError{Code: "NoSuchVersion", Message: "The specified version does not exist.", Status: http.StatusNotFound}
}

func noSuchUpload() error {
	return &awstest.APIError{
		Code:    "NoSuchUpload",
		Message: "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
		Status:  http.StatusNotFound,
	}
}

// isMarker is what somebody meets who asks for a delete marker as if it were
// an object.
func isMarker() error {
	return &awstest.APIError{Code: "MethodNotAllowed", Message: "The specified method is not allowed against this resource.", Status: http.StatusMethodNotAllowed}
}

func preconditionFailed() error {
	return &awstest.APIError{Code: "PreconditionFailed", Message: "At least one of the pre-conditions you specified did not hold", Status: http.StatusPreconditionFailed}
}

// notModified has no body in HTTP, so that the SDK makes the code out of the
// status.
func notModified() error {
	return &awstest.APIError{Code: "NotModified", Message: "Not Modified", Status: http.StatusNotModified}
}

func notImplemented(format string, args ...any) error {
	return &awstest.APIError{Code: "NotImplemented", Message: fmt.Sprintf(format, args...), Status: http.StatusNotImplemented}
}

// Invalid is a request that breaks a rule.
func Invalid(format string, args ...any) error {
	return awstest.Errorf("InvalidRequest", format, args...)
}

// InvalidArgument is a value that breaks a rule.
func InvalidArgument(format string, args ...any) error {
	return awstest.Errorf("InvalidArgument", format, args...)
}
