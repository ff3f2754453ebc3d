// Package zonalhc shifts a load balancer, or another resource that Application Recovery Controller manages, away from a
// zone that a pool of package healthcheck finds bad; or says that somebody should.
//
//	shifter, err := zonalhc.New(arczonalshift.NewFromConfig(cfg), pool, loadBalancerARN, func(o *zonalhc.Options) {
//		o.Expiry = 4 * time.Hour
//		o.Comment = "web: the zone fails its checks"
//		o.ZoneIDs = map[string]string{"us-east-1a": "use1-az2", "us-east-1b": "use1-az4", "us-east-1c": "use1-az6"}
//	})
//	...
//	err = shifter.Run(ctx)
//
// # When to use it
//
// Use it against gray failures: a zone that the load balancer's own checks call healthy, or healthy enough, and that
// answers badly all the same. What the pool checks should be what customers see, such as a request through each zone.
// When a zone is down altogether, load balancers leave it by themselves, and zonal autoshift, which AWS starts, needs no
// program.
//
// Begin with an [Adviser], or with Options.DryRun, and let somebody decide; a shift that is wrong takes a part of your
// capacity away. And have that capacity before: a shift helps at once only if the other zones carry everything as they are
// (static stability). What has to be launched first comes late, when everybody else in the Region wants the same.
//
// # How it works
//
//	                one zone is bad                    the others can carry, and
//	                and no other                       nothing else is active
//	calm ------------------------------> confirming ---------------------------> shifted
//	  ^                                    BadFor                                   |
//	  |                                                                             |  Expiry, Extend
//	  +----- well for WellFor, and Cancel; or the shift expires; or somebody ends it <--+
//
// A zone is bad if BadPercent of its targets are unhealthy to the pool, and well if no more than WellPercent are. In
// between it stays what it is, and neither time runs. What is to be done is a pure function of what is known, [Plan],
// and [Reason] lists what stands against a shift. The resource is read before each step.
//
// The pool should not see the zones through one of them: a Shifter in a zone that is cut off sees all others fail, and
// so does nothing; one that is in the zone that fails may fail with it. Run one in each of two zones.
//
// # Guarantees and failure modes
//
//   - Every shift expires, at Expiry from its start or extension, whatever becomes of the program.
//   - It is started only away from the one zone that is bad, and only while the others have MinHealthy and
//     MinHealthyPercent healthy targets: never when all zones are bad, nor two. A zone that the resource is not in carries
//     nothing, nor does one that the pool itself is shifted away from, or has Down.
//   - What others have started stands: a shift by hand or by another program, a practice run, an experiment, an autoshift.
//     Nothing is started beside it, and it is not touched. ARC refuses a second shift for a resource anyway, so that of any
//     number of Shifters one starts.
//   - A shift is one's own by its comment. It is found again after a restart or a lost reply, and shared by Shifters with
//     the same comment. Who edits the comment takes it over.
//   - The own shift is cancelled only with Options.Cancel, and extended only with Options.Extend.
//   - Who ends the own shift by hand, or lets it expire, is not overruled: the zone is not shifted away from again before it
//     has been well. A restart forgets that.
//   - StartZonalShift is sent once, without the SDK's retries; after an error the resource is read before it is sent again.
//     Reads may be behind by SettleTime without harm.
//   - BadFor and WellFor are without a break, as the pool sees it; but for what comes and goes while a call is under way.
//   - When the pool stops so does the Shifter: what was said last grows old, and is acted on no more.
//   - While zonal shift fails, or refuses, nothing happens but events, and it is asked less and less often, down to every
//     eighth Interval.
//   - A load balancer has no use for a shift while it has no healthy target, by its own checks, in any other zone.
//
// # AWS calls and IAM actions
//
// See [Shifter.Run] for their number. The policy, of which an Adviser needs the first action only:
//
//	{"Effect": "Allow", "Resource": "arn:aws:elasticloadbalancing:REGION:ACCOUNT:loadbalancer/app/web/...", "Action": [
//		"arc-zonal-shift:GetManagedResource",
//		"arc-zonal-shift:StartZonalShift", "arc-zonal-shift:UpdateZonalShift", "arc-zonal-shift:CancelZonalShift"]}
//
// Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapplicationrecoverycontroller-zonalshift.html (read 2026-11)
//
// The resource must be enabled for zonal shift; for load balancers that is the attribute zonal_shift.config.enabled.
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-zonal-shift.html (read 2026-11)
//
// # Limits
//
// A Shifter is for one resource: give each load balancer one, from one pool if they have the same zones. A shift lasts at
// most 72 hours at a time, and its comment has at most 128 characters. The traffic follows within minutes, as DNS and
// connections do. Names of zones mean other zones in other accounts, so that their IDs are given explicitly.
//
// # Errors
//
// New and NewAdviser report every mistake at once, each a [*FieldError]. Run returns [ErrAlreadyRun], the cause of its
// context, or [healthcheck.ErrStopped]; calls that fail are a [*CallError] in an [Event], which may match [ErrConflict] or
// [ErrDenied].
//
// # Testing
//
// Package awstest has zonal shift and load balancers behind the real clients. Package healthcheckmock has mocks of [Reader]
// and [API]. All time is that of package time.
package zonalhc
