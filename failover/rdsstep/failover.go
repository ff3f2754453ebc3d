package rdsstep

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/awsstep"
)

// FailoverSpec describes a [Failover].
type FailoverSpec struct {
	ID       string
	Needs    []string
	Estimate time.Duration // default 2 minutes: RDS names 60 to 120 seconds
	Timeout  time.Duration // zero is the engine's

	Database string // identifier of a DB instance that is Multi-AZ. Required

	// Away is the zone that the primary is to leave, by name or ID. If it is elsewhere already, as RDS brings it there by itself when a zone fails,
	// nothing is asked for. Zero leaves whatever zone it is in.
	Away  failover.Ref
	Zones ZoneAPI // Required with Away

	// Grace is for how long RDS may do it by itself before it is asked, from when the step is first looked at: when a zone fails it has begun already,
	// and does not always show it. Default 0: it is asked at once, as for a zone that is left on purpose.
	Grace time.Duration

	// Probe has to succeed, and go on to for Steady, before the step is done. Nil takes RDS's word for it, which the ready check complains of.
	Probe  Probe
	Steady time.Duration // default 0: one success is enough
}

// Failover returns a step that has the standby of a Multi-AZ DB instance take over, and is done when RDS shows the primary in another zone than before,
// the instance as available, and the probe passes. It puts EndpointKey, PortKey and ZoneKey; the endpoint stays the same.
//
// An instance that is not Multi-AZ fails it with [ErrNoStandby]: a read replica is no standby, and rebooting would only be an outage.
//
// It costs a DescribeDBInstances a look, which is shared, a DescribeAvailabilityZones with Away, and one RebootDBInstance. That has no token: it is sent
// once, and if nobody knows whether RDS has taken it, it is not sent again for a minute in which nothing shows. A request that comes later than that,
// or one that somebody else sends between the last read and ours, moves the primary back; RDS has no condition that would prevent it.
//
// Undo does nothing: in either of its zones the database is where it may be.
//
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.MultiAZ.Failover.html (read 2026-11)
func Failover(api DatabaseAPI, s FailoverSpec) failover.Step {
	f := &multiAZ{api: api, s: s, proof: proof{probe: s.Probe, steady: s.Steady}, grace: grace{of: s.Grace}}
	m := awsstep.Mistakes{Needs: s.Needs}
	m.Text("Database", s.Database)
	m.NotNegative("Steady", s.Steady)
	m.NotNegative("Grace", s.Grace)
	away(&m, s.Away, s.Zones)
	return failover.NewStep(failover.StepFuncs{
		ID: s.ID, Needs: s.Needs, Plane: failover.PlaneMutate, API: apiRDS, Writes: []string{s.Database},
		Estimate: awsstep.Default(s.Estimate, 2*time.Minute), Timeout: s.Timeout,
		Check: f.check, Do: f.do, Undo: func(context.Context, *failover.Env) error { return nil }, Ready: f.ready, Mistakes: m.Err(),
	})
}

type multiAZ struct {
	api      DatabaseAPI
	s        FailoverSpec
	proof    proof
	grace    grace
	patience awsstep.Patience
}

func (f *multiAZ) check(ctx context.Context, env *failover.Env) (failover.State, error) {
	i, err := database(ctx, env, f.api, f.s.Database)
	if err != nil {
		return 0, f.patience.Judge(env, err)
	}
	zone, err := zoneName(ctx, env, f.s.Zones, f.s.Away)
	switch {
	case err != nil:
		return 0, err
	case !aws.ToBool(i.MultiAZ):
		return 0, failover.Permanent(fmt.Errorf("%s is not Multi-AZ: %w", f.s.Database, ErrNoStandby))
	case !serves(i.DBInstanceStatus):
		return failover.InProgress, fmt.Errorf("%s", state(i))
	case moved(env, aws.ToString(i.AvailabilityZone), zone):
		w := writer(i)
		put(env, w)
		return f.proof.ask(ctx, env, w)
	case asked(env):
		return failover.InProgress, fmt.Errorf("%s, and RDS may have been asked to fail over", state(i))
	case f.grace.lasts(env):
		return failover.InProgress, fmt.Errorf("%s, and RDS may fail over by itself until %s have passed", state(i), f.s.Grace)
	}
	return failover.NotDone, nil
}

// moved tells whether a role is elsewhere than it was when the step began, or than in what it is to leave.
func moved(env *failover.Env, now, away string) bool {
	from := env.Outputs()[keyFrom]
	if from == "" {
		from = away
	}
	return now != "" && from != "" && now != from
}

func (f *multiAZ) do(ctx context.Context, env *failover.Env) error {
	i, err := database(ctx, env, f.api, f.s.Database)
	if err != nil {
		return err
	}
	zone := aws.ToString(i.AvailabilityZone)
	if !serves(i.DBInstanceStatus) || moved(env, zone, "") { // Check says what follows
		return failover.ErrInProgress
	}
	if env.Outputs()[keyFrom] == "" {
		env.Put(keyFrom, zone)
	}
	err = ask(ctx, env, func() error {
		_, err := awsstep.Change(ctx, env, "rds:RebootDBInstance", f.s.Database, f.api.RebootDBInstance,
			&rds.RebootDBInstanceInput{DBInstanceIdentifier: &f.s.Database, ForceFailover: aws.Bool(true)}, once)
		return err
	})
	if err != nil {
		return err
	}
	env.Note("%s leaves %s", f.s.Database, zone)
	return failover.ErrInProgress
}

func (f *multiAZ) ready(ctx context.Context, env *failover.Env) ([]failover.Finding, error) {
	i, err := database(ctx, env, f.api, f.s.Database)
	if err != nil {
		return nil, err
	}
	found := append(instanceFindings(i), f.proof.finding(f.s.Database)...)
	if !aws.ToBool(i.MultiAZ) {
		text := f.s.Database + " is not Multi-AZ: " + ErrNoStandby.Error()
		if len(i.ReadReplicaDBInstanceIdentifiers) > 0 {
			text += ", and its read replicas are none"
		}
		found = append(found, failover.Finding{Level: failover.LevelFail, Text: text})
	}
	zone, err := zoneName(ctx, env, f.s.Zones, f.s.Away)
	if err != nil {
		more, err := awsstep.NotYetKnown(err)
		return append(found, more...), err
	}
	if now := aws.ToString(i.AvailabilityZone); zone != "" && now != zone {
		found = append(found, failover.Finding{Text: fmt.Sprintf("%s is in %s already", f.s.Database, now)})
	}
	return found, nil
}

// instanceFindings tells what a DB instance is like for whoever relies on it.
func instanceFindings(i *types.DBInstance) []failover.Finding {
	found := []failover.Finding{{Text: state(i)}}
	if !serves(i.DBInstanceStatus) {
		found[0].Level = failover.LevelWarn
	}
	return append(append(found, backups(i)...), abroad(i)...)
}
