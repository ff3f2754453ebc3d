// Package arczonalshiftsvc is the zonal shift of Amazon Application Recovery
// Controller for awstest: resources are moved out of an Availability Zone, and
// back, behind the SDK's own *arczonalshift.Client.
//
//	cloud, err := awstest.New([]awstest.Service{autoscalingsvc.New(), arczonalshiftsvc.New()})
//	client := arczonalshift.NewFromConfig(cloud.Config("us-east-1"))
//
// # When to use it
//
// Use it to test and to rehearse how a program leaves a zone: that it names
// zones by ID, that it starts one shift and not two, that it takes a shift back
// or lets it expire, and what the resources do meanwhile.
//
// It models what high availability depends on and nothing else: it has no
// practice runs. What it does not know it refuses with
// [awstest.ErrNotModelled], an operation or a parameter alike, and
// [awstest.Cloud.Close] returns the refusal once more.
//
// # How it works
//
// Which resources there are is up to the other services of the cloud: each
// registers its own that are enabled for zonal shift, and asks which zones they
// are to stay out of: autoscalingsvc groups, elbv2svc load balancers. Without
// such a service no resource is managed.
//
//	StartZonalShift --> ACTIVE --expiry time--------> EXPIRED
//	                      |  ^
//	                      |  UpdateZonalShift
//	                      CancelZonalShift ----------> CANCELED
//
// A shift is there at once. It takes effect after Options.Effect, which is none
// unless set, and ends as long after its end. A resource that is stuck
// ([awstest.Cloud.Stick], by its ARN) stays where it is until it is healed.
// Expiry is exact.
//
// [StartAutoshift] is the shift that AWS starts by itself. It moves every
// resource of the zone that is enabled for it; a shift of a customer comes
// before it, and no more than one zone of a resource is left at a time.
// The failure of a zone starts no shift, and none is hindered by it.
//
// Shifts are listed and shown as of [awstest.Options].VisibilityLag or the
// effect [awstest.Stale] ago; which resources there are is always seen as of
// now.
//
// # Operations
//
// Each line says what is as AWS documents it, what is simplified, and what is
// not there.
//
//   - StartZonalShift: a zone by its ID, in which the resource is deployed; from one minute up to three days, in minutes or hours; one shift for a resource. A load balancer without a healthy target elsewhere stays where it is, though the shift is shown as applied.
//   - UpdateZonalShift: a new expiry, counted from now, or a new comment, or both.
//   - CancelZonalShift: of a shift that is active.
//   - ListZonalShifts: the active ones, or those of a status; by resource, pages. Shifts that have ended are kept for good.
//   - GetManagedResource: zones with their weights, the active shift, the active autoshift, and which of them is applied. Whether a resource is enabled for autoshift is up to its service; there is no configuration of practice runs.
//   - ListManagedResources: the same for all resources, pages.
//   - ListAutoshifts: the active ones, or those of a status; pages.
//
// A token is a place in the result: what is added or goes between two pages
// may move something from one to the next.
//
// # Errors
//
// An error is the SDK's type of its code, such as *types.ConflictException,
// with the reason where there is one, inside a response error with an HTTP
// status and a request ID. The message begins with the reason: an injected
// error ([awstest.Reject]) gets its reason in this way too. The codes are those
// of https://docs.aws.amazon.com/arc-zonal-shift/latest/api/API_StartZonalShift.html
// (read 2026-11). Which reason answers which mistake AWS documents for few.
//
//   - AccessDeniedException: status 403, by the effect [awstest.Deny].
//   - ConflictException: status 409; ZonalShiftAlreadyExists for the same zone, SimultaneousZonalShiftsConflict for another, ZonalShiftStatusNotActive for a shift that has ended.
//   - InternalServerException: status 500, by the effect [awstest.Unavailable].
//   - ResourceNotFoundException: status 404, an unknown shift, or a resource that is not managed.
//   - ThrottlingException: status 429, by the effect [awstest.Throttle].
//   - ValidationException: status 400; InvalidResourceIdentifier, InvalidAz for what is no zone ID of the region, UnsupportedAz for a zone that the resource is not in, InvalidExpiresIn, InvalidStatus, InvalidToken, MissingValue, or no reason.
//
// # Cost
//
// A shift costs one event, at its expiry, and two if Options.Effect is set.
package arczonalshiftsvc
