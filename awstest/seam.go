package awstest

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Config returns an SDK configuration whose clients talk to this cloud. All
// of a client runs but HTTP: validation, endpoints, credentials, signing,
// retries, paginators, waiters.
//
// Clients of a region that the cloud does not have fail as they would if its
// endpoint did not resolve. The pseudo-region aws-global is at home in
// us-east-1.
func (c *Cloud) Config(region string) aws.Config { return c.config(region, nil) }

func (c *Cloud) config(region string, caller *Instance) aws.Config {
	seam := &seam{cloud: c, caller: caller}
	return aws.Config{
		Region:      region,
		Credentials: aws.CredentialsProviderFunc(staticCredentials),
		HTTPClient:  metadataOnly{caller},
		APIOptions:  []func(*middleware.Stack) error{seam.attach},

		// As config.LoadDefaultConfig has them.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
	}
}

// staticCredentials sign requests that nobody verifies. The key is the one
// that AWS's documentation uses in examples.
func staticCredentials(context.Context) (aws.Credentials, error) {
	return aws.Credentials{
		AccessKeyID:     "AKIAIOSFODNN7EXAMPLE",
		SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
		Source:          "awstest",
	}, nil
}

// seam is the place where a client leaves the SDK and enters the cloud: two
// middlewares. The first keeps the typed input, once it is validated; the
// second, outermost of the Deserialize step and so inside the retry loop,
// answers in place of the network.
type seam struct {
	cloud  *Cloud
	caller *Instance
}

type inputKey struct{}

func (s *seam) attach(stack *middleware.Stack) error {
	if _, retries := stack.Finalize.Get("Retry"); !retries {
		return nil // a presigned request is made, not sent
	}
	if err := stack.Initialize.Add(keepInput{}, middleware.After); err != nil {
		return err
	}
	return stack.Deserialize.Add(s, middleware.Before)
}

type keepInput struct{}

func (keepInput) ID() string { return "awstest:KeepInput" }

func (keepInput) HandleInitialize(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	return next.HandleInitialize(middleware.WithStackValue(ctx, inputKey{}, in.Parameters), in)
}

// ID implements middleware.DeserializeMiddleware.
func (*seam) ID() string { return "awstest:Seam" }

// HandleDeserialize implements middleware.DeserializeMiddleware.
func (s *seam) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (out middleware.DeserializeOutput, md middleware.Metadata, err error) {
	service := awsmiddleware.GetServiceID(ctx)
	if service == "" { // the client of the instance metadata service: plain HTTP
		return next.HandleDeserialize(ctx, in)
	}
	rec := &Record{
		Service:   service,
		Operation: awsmiddleware.GetOperationName(ctx),
		Region:    awsmiddleware.GetRegion(ctx),
	}
	if s.caller != nil {
		rec.Caller = s.caller.id
	}
	request, _ := in.Request.(*smithyhttp.Request)
	result, err := s.cloud.serve(ctx, s.caller, rec, middleware.GetStackValue(ctx, inputKey{}), request)
	var answered *awshttp.ResponseError
	if err == nil {
		out.Result = result
	}
	if err == nil || errors.As(err, &answered) { // a broken connection tells no request ID
		awsmiddleware.SetRequestIDMetadata(&md, rec.RequestID)
	}
	return out, md, err
}
