package awstest

import (
	"errors"
	"fmt"
	"net/http"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// shape gives an error of a handler the form in which the SDK delivers it.
func (e *Endpoint) shape(operation string, err error, requestID string) error {
	var api *APIError
	if err == nil || !errors.As(err, &api) {
		return err
	}
	status := api.Status
	if status == 0 {
		status = http.StatusBadRequest
	}
	var shaped error
	if e.spec.Modelled != nil {
		shaped = e.spec.Modelled(operation, api.Code, api.Message)
	}
	if shaped == nil {
		fault := smithy.FaultClient
		if status >= 500 {
			fault = smithy.FaultServer
		}
		shaped = &smithy.GenericAPIError{Code: api.Code, Message: api.Message, Fault: fault}
	}
	return &awshttp.ResponseError{
		ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{
				StatusCode: status,
				Status:     fmt.Sprintf("%d %s", status, http.StatusText(status)),
				Header:     http.Header{},
				Body:       http.NoBody,
			}},
			Err: shaped,
		},
		RequestID: requestID,
	}
}

// requestID has the form of AWS's request IDs.
func requestID(n uint64) string {
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", n>>48, n&(1<<48-1))
}
