package s3svc

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/awsha/awsha/awstest"
)

// shape gives an error the form in which the SDK delivers it. Errors without
// headers that a caller would read get it from the cloud.
func shape(call *awstest.Call, api *awstest.APIError, header http.Header) *awshttp.ResponseError {
	shaped := modelled(call.Operation, api.Code, api.Message)
	if shaped == nil {
		shaped = &smithy.GenericAPIError{Code: api.Code, Message: api.Message, Fault: smithy.FaultClient}
	}
	return &awshttp.ResponseError{
		ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{
				StatusCode: api.Status,
				Status:     fmt.Sprintf("%d %s", api.Status, http.StatusText(api.Status)),
				Header:     header,
				Body:       http.NoBody,
			}},
			Err: shaped,
		},
		RequestID: call.RequestID,
	}
}

// header makes headers of keys and values.
func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

// bare gives an error the form that it has as the answer to a HEAD request,
// which has no body: the SDK makes the code out of the status.
// Source: GetErrorResponseComponents of the SDK's service/internal/s3shared (read 2026-11)
func bare(call *awstest.Call, err error) error {
	if err == nil {
		return nil
	}
	status, h := http.StatusBadRequest, http.Header{}
	var api *awstest.APIError
	var answer *awshttp.ResponseError
	switch {
	case errors.As(err, &answer):
		status, h = answer.HTTPStatusCode(), answer.Response.Header
	case !errors.As(err, &api):
		return err
	case api.Status != 0:
		status = api.Status
	}
	text := http.StatusText(status)
	return shape(call, &awstest.APIError{Code: strings.ReplaceAll(text, " ", ""), Message: text, Status: status}, h)
}
