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

// AnyLag is the value of PromoteSpec.MaxLag that consents to any loss, also to one that nobody can tell.
const AnyLag time.Duration = -1

// PromoteSpec describes a [Promote].
type PromoteSpec struct {
	ID       string
	Needs    []string
	Estimate time.Duration // default 5 minutes: RDS promises none
	Timeout  time.Duration // default 30 minutes

	Replica string // identifier of the read replica, in the Region of the client. Required
	Source  string // identifier or ARN of the DB instance that it must be a replica of. Empty is any

	// MaxLag is how much of the last data may be lost at most: the RPO of the plan. If the replica was further behind when the source was lost, or if
	// nobody knows, it is not promoted. [AnyLag] promotes it in any case. Required.
	MaxLag  time.Duration
	Metrics MetricAPI // of the replica's Region. Required, unless MaxLag is AnyLag

	// LostAt is when the source was lost, in the form of RFC 3339: the lag is that of the minutes before. Zero is when the step begins; with PostgreSQL,
	// whose lag grows while it hears nothing, a plan that is approved late needs it.
	LostAt failover.Ref

	// BackupRetention is for how many days the new database keeps backups. Zero leaves it as it is.
	BackupRetention int32

	// Probe has to succeed, and go on to for Steady, before the step is done. Nil takes RDS's word for it, which the ready check complains of.
	Probe  Probe
	Steady time.Duration // default 0: one success is enough
}

// Promote returns a step that makes a read replica a database of its own, and is done when RDS shows it as available without a source, and the probe
// passes. It puts EndpointKey, PortKey, ZoneKey and LagKey. The new database has another endpoint than its source: clients, or a name of yours, have to be
// led there.
//
// It loses what the replica had not received, and the source, if it lives, goes on with what it has: fence it first. So its radius is
// [failover.BlastData], and a controller asks a person. With a lag over MaxLag the step fails for good with [ErrLag].
//
// It costs a DescribeDBInstances a look, one GetMetricData, and one PromoteReadReplica, which may be repeated: RDS refuses the second. Undo cannot take it
// back.
//
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.html (read 2026-11)
func Promote(api ReplicaAPI, s PromoteSpec) failover.Step {
	p := &promotion{api: api, s: s, proof: proof{probe: s.Probe, steady: s.Steady}}
	m := awsstep.Mistakes{Needs: s.Needs}
	m.Text("Replica", s.Replica)
	m.NotNegative("Steady", s.Steady)
	m.IfGiven("LostAt", s.LostAt)
	if s.MaxLag <= 0 && s.MaxLag != AnyLag {
		m.Add("MaxLag", s.MaxLag, "must be greater than zero, or AnyLag")
	}
	if s.Metrics == nil && s.MaxLag != AnyLag {
		m.Add("Metrics", nil, "must be given, unless MaxLag is AnyLag")
	}
	if s.BackupRetention < 0 || s.BackupRetention > maxRetention {
		m.Add("BackupRetention", s.BackupRetention, "must be 0 to 35 days")
	}
	return failover.NewStep(failover.StepFuncs{
		ID: s.ID, Needs: s.Needs, Plane: failover.PlaneMutate, Blast: failover.BlastData, API: apiRDS, Writes: []string{s.Replica},
		Estimate: awsstep.Default(s.Estimate, 5*time.Minute), Timeout: awsstep.Default(s.Timeout, 30*time.Minute),
		Check: p.check, Do: p.do, Ready: p.ready, Mistakes: m.Err(),
		Undo: func(context.Context, *failover.Env) error {
			return fmt.Errorf("%s is a database of its own, and cannot become a replica again: %w", s.Replica, failover.ErrIrreversible)
		},
	})
}

// maxRetention is in days.
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_PromoteReadReplica.html (read 2026-11)
const maxRetention = 35

type promotion struct {
	api      ReplicaAPI
	s        PromoteSpec
	proof    proof
	patience awsstep.Patience
}

// source is what a DB instance is a replica of; empty: it is none.
func source(i *types.DBInstance) string {
	if id := aws.ToString(i.ReadReplicaSourceDBInstanceIdentifier); id != "" {
		return id
	}
	return aws.ToString(i.ReadReplicaSourceDBClusterIdentifier)
}

// strange tells a replica of something else.
func (p *promotion) strange(i *types.DBInstance) bool {
	is := source(i)
	return is != "" && p.s.Source != "" && is != p.s.Source
}

func (p *promotion) check(ctx context.Context, env *failover.Env) (failover.State, error) {
	i, err := database(ctx, env, p.api, p.s.Replica)
	if err != nil {
		return 0, p.patience.Judge(env, err)
	}
	if p.strange(i) {
		return 0, failover.Permanent(fmt.Errorf("%s, of %s: %w: %s", p.s.Replica, source(i), ErrNotReplica, p.s.Source))
	}
	switch {
	case !serves(i.DBInstanceStatus):
		return failover.InProgress, fmt.Errorf("%s", state(i))
	case source(i) == "":
		w := writer(i)
		put(env, w)
		return p.proof.ask(ctx, env, w)
	case asked(env):
		return failover.InProgress, fmt.Errorf("%s, and RDS may have been asked to promote it", state(i))
	}
	return failover.NotDone, nil
}

func (p *promotion) do(ctx context.Context, env *failover.Env) error {
	i, err := database(ctx, env, p.api, p.s.Replica)
	if err != nil {
		return err
	}
	if !serves(i.DBInstanceStatus) || source(i) == "" { // Check says what follows
		return failover.ErrInProgress
	}
	if env.Outputs()[LagKey] == "" {
		text, err := p.measure(ctx, env)
		if err != nil {
			return err
		}
		env.Put(LagKey, text)
	}
	err = ask(ctx, env, func() error {
		in := &rds.PromoteReadReplicaInput{DBInstanceIdentifier: &p.s.Replica}
		if p.s.BackupRetention > 0 {
			in.BackupRetentionPeriod = &p.s.BackupRetention
		}
		_, err := awsstep.Change(ctx, env, "rds:PromoteReadReplica", p.s.Replica, p.api.PromoteReadReplica, in, once)
		return err
	})
	if err != nil {
		return err
	}
	env.Note("%s leaves %s; it was behind by %s", p.s.Replica, source(i), env.Outputs()[LagKey])
	return failover.ErrInProgress
}

// measure holds the lag to the limit.
func (p *promotion) measure(ctx context.Context, env *failover.Env) (text string, err error) {
	value, known, err := p.lag(ctx, env)
	if err != nil && p.s.MaxLag != AnyLag {
		return "", err
	}
	if err := gate(p.s.Replica, value, known, p.s.MaxLag); err != nil {
		return "", failover.Permanent(err)
	}
	if !known {
		return "unknown", nil
	}
	return value.String(), nil
}

// lag is how far the replica was behind when the source was lost.
func (p *promotion) lag(ctx context.Context, env *failover.Env) (value time.Duration, known bool, err error) {
	if p.s.Metrics == nil {
		return 0, false, nil
	}
	at := time.Now()
	if !p.s.LostAt.Zero() {
		text, err := p.s.LostAt.Get(env)
		if err != nil {
			return 0, false, err
		}
		if at, err = time.Parse(time.RFC3339, text); err != nil {
			return 0, false, failover.Permanent(fmt.Errorf("LostAt: %w", err))
		}
	}
	return lag(ctx, p.s.Metrics, p.s.Replica, at)
}

func (p *promotion) ready(ctx context.Context, env *failover.Env) ([]failover.Finding, error) {
	i, err := database(ctx, env, p.api, p.s.Replica)
	if err != nil {
		return nil, err
	}
	found := []failover.Finding{{Text: state(i)}}
	if !serves(i.DBInstanceStatus) {
		found[0].Level = failover.LevelWarn
	}
	found = append(found, p.proof.finding(p.s.Replica)...)
	if source(i) == "" {
		return append(found, failover.Finding{Level: failover.LevelWarn, Text: p.s.Replica + " is no read replica: there is nothing to promote"}), nil
	}
	if p.strange(i) {
		return append(found, failover.Finding{Level: failover.LevelFail, Text: fmt.Sprintf("%s is a replica of %s, and not of %s", p.s.Replica, source(i), p.s.Source)}), nil
	}
	if !aws.ToBool(i.MultiAZ) {
		found = append(found, failover.Finding{Level: failover.LevelWarn, Text: p.s.Replica + " has no standby: once promoted, it is a database in one zone"})
	}
	if aws.ToInt32(i.BackupRetentionPeriod) == 0 && p.s.BackupRetention == 0 {
		found = append(found, failover.Finding{Level: failover.LevelWarn, Text: p.s.Replica + " keeps no backups, and BackupRetention asks for none"})
	}
	return p.readyLag(ctx, found)
}

// readyLag adds what would be lost now.
func (p *promotion) readyLag(ctx context.Context, found []failover.Finding) ([]failover.Finding, error) {
	if p.s.Metrics == nil {
		return append(found, failover.Finding{Level: failover.LevelWarn, Text: p.s.Replica + ": nobody looks how far it is behind"}), nil
	}
	value, known, err := lag(ctx, p.s.Metrics, p.s.Replica, time.Now())
	if err != nil {
		return found, err
	}
	f := failover.Finding{RPO: value, Text: fmt.Sprintf("%s is %s behind", p.s.Replica, value)}
	if !known {
		f.Level, f.Text = failover.LevelWarn, "nobody knows how far "+p.s.Replica+" is behind"
	}
	if err := gate(p.s.Replica, value, known, p.s.MaxLag); err != nil {
		f.Level, f.Text = failover.LevelFail, err.Error()
	}
	return append(found, f), nil
}
