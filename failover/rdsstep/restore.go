package rdsstep

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/awsstep"
	"github.com/awsha/awsha/snapshot"
)

// RestoreSpec describes a [Restore].
type RestoreSpec struct {
	ID       string
	Needs    []string
	Estimate time.Duration // default 15 minutes
	Timeout  time.Duration // default 1 hour

	// Request says what to restore, and how: a point of a policy, or RDS's own backups by Latest or PointInTime. Its ID names the new database, and keeps
	// it from being made twice. At is the step's, and so is what Managers sets.
	Request snapshot.DatabaseRequest

	// MaxAge is how much of the last data may be lost at most: the RPO of the plan. If the newest completed point is older, nothing is restored, and the
	// step fails with [snapshot.ErrTooOld]. Required, unless RDS's own backups are restored, which are behind by five minutes.
	MaxAge time.Duration

	// Managers configures the [snapshot.Manager] that restores: its Owner, above all, if that of the policy's manager is not the default.
	Managers func(*snapshot.Options)

	// Probe has to succeed before the step is done. Nil takes RDS's word for it.
	Probe Probe
}

// Restore returns a step that makes a database or a cluster of the newest completed point of a policy, or of RDS's own backups, in the policy's Region or in
// one that has its copies, and is done when it is available and the probe passes. It puts EndpointKey, PortKey and AsOfKey.
//
// What was written since is lost, so that its radius is [failover.BlastData]. It is the last resort: a promotion takes minutes and loses seconds.
//
// It costs what [snapshot.Manager.RestoreDatabase] costs. The name of the new database keeps it from being made twice; the point is the newest at the time
// of the first try. Undo leaves the database, which may have been written to.
func Restore(clients func(region string) snapshot.Clients, s RestoreSpec) failover.Step {
	r := &restore{clients: clients, s: s, proof: proof{probe: s.Probe}}
	m := awsstep.Mistakes{Needs: s.Needs}
	q := &s.Request
	if clients == nil {
		m.Add("clients", nil, "must be given")
	}
	if q.Policy == nil {
		m.Add("Request.Policy", nil, "must be given")
	}
	if q.Series.Kind != snapshot.KindDatabase && q.Series.Kind != snapshot.KindCluster || q.Series.ID == "" {
		m.Add("Request.Series", q.Series.String(), "must be a database or a cluster")
	}
	m.Text("Request.ID", q.ID)
	switch own := r.own(); {
	case !q.At.IsZero():
		m.Add("Request.At", q.At, "must not be given: it is the step's")
	case own && s.MaxAge != 0:
		m.Add("MaxAge", s.MaxAge, "is for points of the policy, and not for RDS's own backups")
	case !own && s.MaxAge <= 0:
		m.Add("MaxAge", s.MaxAge, "must be greater than zero")
	}
	return failover.NewStep(failover.StepFuncs{
		ID: s.ID, Needs: s.Needs, Plane: failover.PlaneCreate, Blast: failover.BlastData, API: apiRDS, Writes: []string{q.ID},
		Estimate: awsstep.Default(s.Estimate, 15*time.Minute), Timeout: awsstep.Default(s.Timeout, time.Hour),
		Do: r.do, Undo: r.undo, Ready: r.ready, Mistakes: m.Err(),
	})
}

type restore struct {
	clients func(region string) snapshot.Clients
	s       RestoreSpec
	proof   proof
}

// own tells that RDS's own backups are restored, and no point of the policy.
func (r *restore) own() bool { return r.s.Request.Latest || !r.s.Request.PointInTime.IsZero() }

// manager makes changes under the fence of env only.
func (r *restore) manager(env *failover.Env) (*snapshot.Manager, error) {
	return snapshot.New(r.clients, func(o *snapshot.Options) {
		if r.s.Managers != nil {
			r.s.Managers(o)
		}
		o.Fence = func(context.Context) error { return env.Valid() }
	})
}

// keyAt is under which the journal has when the first try was: of the points that were there then, the newest is restored.
const keyAt = "at"

func (r *restore) do(ctx context.Context, env *failover.Env) error {
	m, err := r.manager(env)
	if err != nil {
		return failover.Permanent(err)
	}
	q := r.s.Request
	if !r.own() {
		if q.At, err = r.first(ctx, env, m); err != nil {
			return err
		}
	}
	restored, err := m.RestoreDatabase(ctx, q)
	if err != nil {
		for _, final := range []error{snapshot.ErrNoPoint, snapshot.ErrQuota, snapshot.ErrKey, snapshot.ErrExists, snapshot.ErrFailed} {
			if errors.Is(err, final) {
				return failover.Permanent(err)
			}
		}
		return err
	}
	env.Put(EndpointKey, restored.Endpoint)
	env.Put(PortKey, strconv.Itoa(int(restored.Port)))
	text := "nobody says how old its data are"
	if !restored.Time.IsZero() {
		env.Put(AsOfKey, restored.Time.UTC().Format(time.RFC3339))
		text = fmt.Sprintf("as of %s: the last %s are lost", restored.Time.UTC().Format(time.RFC3339), restored.Age.Round(time.Second))
	}
	env.Note("restored %s of %s, %s", restored.ID, q.Series, text)
	state, err := r.proof.ask(ctx, env, Writer{Database: q.ID, Endpoint: restored.Endpoint, Port: restored.Port, Zone: q.Zone})
	if err == nil && state != failover.Done {
		err = failover.ErrInProgress
	}
	return err
}

// first returns when the first try was, and holds what there was then to the limit.
func (r *restore) first(ctx context.Context, env *failover.Env, m *snapshot.Manager) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339Nano, env.Outputs()[keyAt]); err == nil {
		return at, nil
	}
	at := time.Now().UTC()
	age, _, err := r.newest(ctx, m)
	if err != nil {
		return at, err
	}
	if age > r.s.MaxAge {
		return at, failover.Permanent(fmt.Errorf("the newest point of %s is %s old, and %s may be lost: %w", r.s.Request.Series, age.Round(time.Second), r.s.MaxAge, snapshot.ErrTooOld))
	}
	env.Put(keyAt, at.Format(time.RFC3339Nano))
	return at, env.Save(ctx)
}

// newest is the age of the newest completed point in the Region where it is restored.
func (r *restore) newest(ctx context.Context, m *snapshot.Manager) (age time.Duration, id string, err error) {
	q := &r.s.Request
	region := q.Region
	if region == "" {
		region = q.Policy.Region
	}
	points, err := m.Points(ctx, q.Policy)
	if err != nil {
		return 0, "", err
	}
	for _, p := range points { // the newest first
		if p.Series == q.Series && p.Region == region && p.State == snapshot.Completed {
			return time.Since(p.Time), p.ID, nil
		}
	}
	return 0, "", failover.Permanent(fmt.Errorf("%s in %s: %w", q.Series, region, snapshot.ErrNoPoint))
}

func (r *restore) undo(_ context.Context, env *failover.Env) error {
	if env.Outputs()[EndpointKey] != "" {
		env.Note("%s stays: delete it when nobody needs what was written to it", r.s.Request.ID)
	}
	return nil
}

// ready tells how much would be lost now.
func (r *restore) ready(ctx context.Context, env *failover.Env) ([]failover.Finding, error) {
	if r.own() {
		return []failover.Finding{{Text: r.s.Request.Series.String() + " is restored from RDS's own backups"}}, nil
	}
	m, err := r.manager(env)
	if err != nil {
		return nil, err
	}
	age, id, err := r.newest(ctx, m)
	if errors.Is(err, snapshot.ErrNoPoint) {
		return []failover.Finding{{Level: failover.LevelFail, Text: err.Error()}}, nil
	}
	if err != nil {
		return nil, err
	}
	f := failover.Finding{RPO: age, Text: fmt.Sprintf("%s of %s is %s old", id, r.s.Request.Series, age.Round(time.Second))}
	if age > r.s.MaxAge {
		f.Level, f.Text = failover.LevelFail, fmt.Sprintf("%s: older than MaxAge, which is %s", f.Text, r.s.MaxAge)
	}
	return []failover.Finding{f}, nil
}
