package awscall

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/internal/awserr"
)

// Record has the clients that are made of cfg from now on tell of their calls. To record twice is the same as once. It is not safe for concurrent use with other
// uses of cfg.
func Record(cfg *aws.Config) {
	cfg.APIOptions = append(cfg.APIOptions[:len(cfg.APIOptions):len(cfg.APIOptions)], attach)
}

const id = "awsha.RecordCall"

// attach adds the middleware to the calls of one operation.
func attach(stack *middleware.Stack) error {
	if _, there := stack.Initialize.Get(id); there {
		return nil
	}
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc(id, func(
		ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (middleware.InitializeOutput, middleware.Metadata, error) {
		began := time.Now()
		out, metadata, err := next.HandleInitialize(ctx, in)
		if _, sends := stack.Finalize.Get("Retry"); !sends { // it only signs a request
			return out, metadata, err
		}
		call := failover.Call{Service: awsmiddleware.GetServiceID(ctx), Operation: awsmiddleware.GetOperationName(ctx), RequestID: awserr.RequestID(err)}
		if of, ok := awsmiddleware.GetRequestIDMetadata(metadata); ok && call.RequestID == "" {
			call.RequestID = of
		}
		failover.RecordCall(ctx, call, time.Since(began), err)
		return out, metadata, err
	}), middleware.After)
}
