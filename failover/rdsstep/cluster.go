package rdsstep

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/awsstep"
	"github.com/awsha/awsha/internal/awserr"
)

// ClusterSpec describes a [FailoverCluster].
type ClusterSpec struct {
	ID       string
	Needs    []string
	Estimate time.Duration // default 30 s: 35 of a Multi-AZ DB cluster, less of Aurora
	Timeout  time.Duration // zero is the engine's

	Cluster string // identifier of a cluster of Aurora, or of a Multi-AZ DB cluster. Required

	// Target is the identifier of the reader that takes over. Zero is the available one of the best promotion tier that is not in the zone Away.
	Target failover.Ref

	// Away is the zone that the writer is to leave, by name or ID. If it is elsewhere already, nothing is asked for. Zero leaves whatever writer there
	// is.
	Away  failover.Ref
	Zones ZoneAPI // Required with Away

	// Grace is for how long RDS may do it by itself before it is asked: see FailoverSpec. Default 0.
	Grace time.Duration

	// Probe has to succeed, and go on to for Steady, before the step is done. Nil takes RDS's word for it, which the ready check complains of.
	Probe  Probe
	Steady time.Duration // default 0: one success is enough
}

// FailoverCluster returns a step that has a reader of a DB cluster become its writer, and is done when RDS shows another writer than before, the cluster and
// the writer as available, and the probe passes. It puts EndpointKey, PortKey, ZoneKey and WriterKey; the endpoint stays the same.
//
// Without a reader that may take over it waits for one until its time is up, with [ErrNoReader].
//
// It costs a DescribeDBClusters and a DescribeDBInstances a look, a DescribeAvailabilityZones with Away, and one FailoverDBCluster. That has no token: it
// is sent once, and if nobody knows whether RDS has taken it, it is not sent again for a minute in which nothing shows. Since it names the reader that
// takes over, one that comes late does no more than to bring the role to where the step wanted it.
//
// Undo does nothing: any of its instances may be the writer.
//
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_FailoverDBCluster.html (read 2026-11)
func FailoverCluster(api ClusterAPI, s ClusterSpec) failover.Step {
	f := &clusterFailover{api: api, s: s, proof: proof{probe: s.Probe, steady: s.Steady}, grace: grace{of: s.Grace}}
	m := awsstep.Mistakes{Needs: s.Needs}
	m.Text("Cluster", s.Cluster)
	m.IfGiven("Target", s.Target)
	m.NotNegative("Steady", s.Steady)
	m.NotNegative("Grace", s.Grace)
	away(&m, s.Away, s.Zones)
	return failover.NewStep(failover.StepFuncs{
		ID: s.ID, Needs: s.Needs, Plane: failover.PlaneMutate, API: apiRDS, Writes: []string{s.Cluster},
		Estimate: awsstep.Default(s.Estimate, 30*time.Second), Timeout: s.Timeout,
		Check: f.check, Do: f.do, Undo: func(context.Context, *failover.Env) error { return nil }, Ready: f.ready, Mistakes: m.Err(),
	})
}

type clusterFailover struct {
	api      ClusterAPI
	s        ClusterSpec
	proof    proof
	grace    grace
	patience awsstep.Patience
}

// cluster is a cluster with its instances.
type cluster struct {
	*types.DBCluster

	instances map[string]*types.DBInstance // by identifier
	writer    string                       // identifier; empty: there is none
}

func (f *clusterFailover) read(ctx context.Context, env *failover.Env) (*cluster, error) {
	id := f.s.Cluster
	return failover.Share(ctx, env, "rds:DescribeDBClusters "+id, func(ctx context.Context) (*cluster, error) {
		out, err := awsstep.Call(ctx, "rds:DescribeDBClusters", id, f.api.DescribeDBClusters, &rds.DescribeDBClustersInput{DBClusterIdentifier: &id})
		if err != nil {
			return nil, err
		}
		if len(out.DBClusters) != 1 {
			return nil, &failover.CallError{Action: "rds:DescribeDBClusters", Resource: id, Err: awserr.NoSuch(awserr.Database)}
		}
		c := &cluster{DBCluster: &out.DBClusters[0], instances: make(map[string]*types.DBInstance)}
		for _, m := range c.DBClusterMembers {
			if aws.ToBool(m.IsClusterWriter) {
				c.writer = aws.ToString(m.DBInstanceIdentifier)
			}
		}
		list, err := awsstep.Call(ctx, "rds:DescribeDBInstances", id, f.api.DescribeDBInstances, // a cluster has no more than fit on a page
			&rds.DescribeDBInstancesInput{Filters: []types.Filter{{Name: aws.String("db-cluster-id"), Values: []string{id}}}})
		if err != nil {
			return nil, err
		}
		for i := range list.DBInstances {
			c.instances[aws.ToString(list.DBInstances[i].DBInstanceIdentifier)] = &list.DBInstances[i]
		}
		return c, nil
	})
}

// where is the writer as a probe needs it.
func (c *cluster) where() Writer {
	w := Writer{Database: c.writer, Endpoint: aws.ToString(c.Endpoint), Port: aws.ToInt32(c.Port)}
	if i := c.instances[c.writer]; i != nil {
		w.Zone = aws.ToString(i.AvailabilityZone)
	}
	return w
}

func (f *clusterFailover) check(ctx context.Context, env *failover.Env) (failover.State, error) {
	c, err := f.read(ctx, env)
	if err != nil {
		return 0, f.patience.Judge(env, err)
	}
	there, err := f.there(ctx, env, c)
	switch {
	case err != nil:
		return 0, err
	case !serves(c.Status) || c.writer == "":
		return failover.InProgress, fmt.Errorf("%s is %s, and its writer %q", f.s.Cluster, aws.ToString(c.Status), c.writer)
	case there:
		if i := c.instances[c.writer]; i == nil || !serves(i.DBInstanceStatus) {
			return failover.InProgress, fmt.Errorf("the writer %s is not available yet", c.writer)
		}
		w := c.where()
		put(env, w)
		env.Put(WriterKey, c.writer)
		return f.proof.ask(ctx, env, w)
	case asked(env):
		return failover.InProgress, fmt.Errorf("the writer is %s, and RDS may have been asked to fail over", c.writer)
	case f.grace.lasts(env):
		return failover.InProgress, fmt.Errorf("the writer is %s, and RDS may fail over by itself until %s have passed", c.writer, f.s.Grace)
	}
	return failover.NotDone, nil
}

// there tells whether the writer is where the step wants it.
func (f *clusterFailover) there(ctx context.Context, env *failover.Env, c *cluster) (bool, error) {
	if !f.s.Target.Zero() {
		target, err := f.s.Target.Get(env)
		return err == nil && c.writer == target, err
	}
	if from := env.Outputs()[keyFrom]; from != "" {
		return c.writer != "" && c.writer != from, nil
	}
	zone, err := zoneName(ctx, env, f.s.Zones, f.s.Away)
	now := c.where().Zone
	return err == nil && zone != "" && now != "" && now != zone, err
}

// target is the reader that takes over.
func (f *clusterFailover) target(ctx context.Context, env *failover.Env, c *cluster) (string, error) {
	if !f.s.Target.Zero() {
		return f.s.Target.Get(env)
	}
	zone, err := zoneName(ctx, env, f.s.Zones, f.s.Away)
	if err != nil {
		return "", err
	}
	var readers []types.DBClusterMember
	for _, m := range c.DBClusterMembers {
		i := c.instances[aws.ToString(m.DBInstanceIdentifier)]
		if !aws.ToBool(m.IsClusterWriter) && i != nil && serves(i.DBInstanceStatus) && (zone == "" || aws.ToString(i.AvailabilityZone) != zone) {
			readers = append(readers, m)
		}
	}
	if len(readers) == 0 {
		return "", fmt.Errorf("%s: %w", f.s.Cluster, ErrNoReader)
	}
	best := slices.MinFunc(readers, func(a, b types.DBClusterMember) int {
		return cmp.Or(cmp.Compare(aws.ToInt32(a.PromotionTier), aws.ToInt32(b.PromotionTier)),
			cmp.Compare(aws.ToString(a.DBInstanceIdentifier), aws.ToString(b.DBInstanceIdentifier)))
	})
	return aws.ToString(best.DBInstanceIdentifier), nil
}

func (f *clusterFailover) do(ctx context.Context, env *failover.Env) error {
	c, err := f.read(ctx, env)
	if err != nil {
		return err
	}
	if from := env.Outputs()[keyFrom]; !serves(c.Status) || c.writer == "" || from != "" && from != c.writer { // Check says what follows
		return failover.ErrInProgress
	}
	target, err := f.target(ctx, env, c)
	if err != nil {
		return err
	}
	env.Put(keyFrom, c.writer)
	err = ask(ctx, env, func() error {
		_, err := awsstep.Change(ctx, env, "rds:FailoverDBCluster", f.s.Cluster, f.api.FailoverDBCluster,
			&rds.FailoverDBClusterInput{DBClusterIdentifier: &f.s.Cluster, TargetDBInstanceIdentifier: &target}, once)
		return err
	})
	if err != nil {
		return err
	}
	env.Note("%s: %s takes over from %s", f.s.Cluster, target, c.writer)
	return failover.ErrInProgress
}

func (f *clusterFailover) ready(ctx context.Context, env *failover.Env) ([]failover.Finding, error) {
	c, err := f.read(ctx, env)
	if err != nil {
		return nil, err
	}
	text := failover.Finding{Text: fmt.Sprintf("%s is %s; its writer is %s", f.s.Cluster, aws.ToString(c.Status), c.writer)}
	if !serves(c.Status) {
		text.Level = failover.LevelWarn
	}
	found := append([]failover.Finding{text}, f.proof.finding(f.s.Cluster)...)
	target, err := f.target(ctx, env, c)
	switch {
	case errors.Is(err, ErrNoReader):
		return append(found, failover.Finding{Level: failover.LevelFail, Text: err.Error()}), nil
	case err != nil:
		more, err := awsstep.NotYetKnown(err)
		return append(found, more...), err
	}
	i := c.instances[target]
	if i == nil {
		return append(found, failover.Finding{Level: failover.LevelFail, Text: target + " is no instance of " + f.s.Cluster}), nil
	}
	return append(found, failover.Finding{Text: fmt.Sprintf("%s in %s would take over", target, aws.ToString(i.AvailabilityZone))}), nil
}
