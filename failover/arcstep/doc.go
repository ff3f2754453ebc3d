// Package arcstep has steps for failover plans that shift traffic of a resource
// away from a zone, and back, by ARC zonal shift.
//
//	step := arcstep.Shift(client, arcstep.ShiftSpec{
//		ID: "shift", Away: failover.Fact(failover.FactZone),
//		Resource: "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/web/0123456789abcdef",
//	})
//
// # When to use it
//
// A zonal shift is what a plan should begin with where it can: one call to a
// data plane that is independent of the zone, reversible, and safe to be wrong
// about as long as the other zones carry the load. It does not help what has no
// healthy target elsewhere, and it moves no data.
//
// Package zonalhc shifts by itself, without a plan, by what a pool sees. Let one
// of the two do it.
//
// # How it works
//
//	Shift   GetManagedResource -> StartZonalShift  -> active
//	Cancel  GetManagedResource -> CancelZonalShift -> none
//
// A shift carries the service and the incident in its comment, by which it is
// known again.
//
// # Guarantees and failure modes
//
//   - A resource leaves one zone at most: ARC refuses a second shift, and the step
//     fails with [ErrOtherZone].
//   - An autoshift of AWS, or a shift of a person, away from the same zone counts
//     as done, and is never cancelled by a rollback.
//   - Reads may be behind: another zone is believed after a minute.
//   - A shift ends by itself at its expiry, also if all controllers are gone.
//   - StartZonalShift has no token. A request that comes late while a shift is
//     active is refused; one that comes after that shift was cancelled starts it
//     anew, until its expiry.
//
// # AWS calls and IAM actions
//
//	{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "ARN of the resource", "Action": [
//		"arc-zonal-shift:GetManagedResource", "arc-zonal-shift:StartZonalShift", "arc-zonal-shift:CancelZonalShift"]}]}
//
// Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapplicationrecoverycontroller-zonalshift.html
// (read 2026-11)
//
// # Limits
//
// Load balancers and Auto Scaling groups have to be enabled for zonal shift
// before the day. Routing controls of ARC clusters are not in this package.
//
// # Errors
//
// [ErrOtherZone], and [*failover.CallError] for calls. Zonal shift has no dry
// runs: a missing permission to start one shows when it is used.
//
// # Testing
//
// Package awstest with arczonalshiftsvc and elbv2svc or autoscalingsvc runs all of
// it in testing/synctest bubbles. Package stepmock has a mock of API.
package arcstep
