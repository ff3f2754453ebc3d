package awstest

import (
	"errors"
	"fmt"
	"net/http"
)

// ErrNotModelled is in the chain of every error about something that the
// cloud does not model: an operation, a parameter, a filter.
var ErrNotModelled = errors.New("awstest: not modelled")

// NotModelledError says what was asked for and is not there. The SDK does not
// retry it, and [Cloud.Close] returns it once more.
type NotModelledError struct {
	Service   string // SDK service ID, such as "EC2"
	Operation string
	What      string // the part of the operation; empty if it is the whole
}

// Error names the service, the operation and the part.
func (e *NotModelledError) Error() string {
	if e.What == "" {
		return fmt.Sprintf("awstest: %s.%s is not modelled", e.Service, e.Operation)
	}
	return fmt.Sprintf("awstest: %s.%s: %s is not modelled", e.Service, e.Operation, e.What)
}

// Unwrap returns [ErrNotModelled].
func (e *NotModelledError) Unwrap() error { return ErrNotModelled }

// APIError is an error of an AWS service: what a handler returns and what
// [Reject] injects. The caller of the SDK gets it as the service's modelled
// error type or as a *smithy.GenericAPIError, inside a response error that
// carries the HTTP status and a request ID.
type APIError struct {
	Code    string
	Message string
	Status  int // HTTP status; zero means 400
}

// Error returns the code and the message.
func (e *APIError) Error() string { return e.Code + ": " + e.Message }

// Errorf returns an [*APIError] with HTTP status 400.
func Errorf(code, format string, args ...any) *APIError {
	return &APIError{Code: code, Message: fmt.Sprintf(format, args...), Status: http.StatusBadRequest}
}
