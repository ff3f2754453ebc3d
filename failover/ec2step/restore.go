package ec2step

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/awsstep"
	"github.com/awsha/awsha/snapshot"
)

// RestoreSpec describes a [Restore].
type RestoreSpec struct {
	ID       string
	Needs    []string
	Estimate time.Duration // default 15 s
	Timeout  time.Duration // zero is the engine's

	Policy *snapshot.Policy // what has taken the snapshots. Required
	Series snapshot.Series  // of which volume or instance. Required
	Region string           // where to restore, the policy's own or one of its copies. Default the policy's own
	Zone   failover.Ref     // where the volumes are to be, by name or ID. Required

	// MaxAge is how much of the last data may be lost at most: the RPO of the plan. If the newest completed snapshot is older, nothing is restored,
	// and the step fails with [snapshot.ErrTooOld]. Required.
	MaxAge time.Duration

	// Edit completes the request: types, keys, initialization, tags. What the other fields say stays.
	Edit func(*snapshot.RestoreRequest)

	// Managers configures the [snapshot.Manager] that restores: its Owner, above all, if that of the policy's manager is not the default.
	Managers func(*snapshot.Options)
}

// Restore returns a step that makes volumes of the newest completed snapshots, in another zone or Region, and is done when they are available. It
// puts VolumeKey if it is one volume, "volume vol-1" for each of several, by the ID that it had, and AsOfKey.
//
// A volume that is lost with its zone is not waited for: its snapshots are of the Region. What was written since the snapshot is lost, so that
// the radius of the step is [failover.BlastData] and a controller asks a person first. The data come from the snapshot as they are needed and
// slowly, unless Edit asks for initialization.
//
// It costs what [snapshot.Manager.Restore] costs. The volumes are made under a client token that is derived from the incident, so that they are made
// once; for that, the newest snapshot is the newest at the time of the first try. Undo leaves the volumes: they may have been written
// to, and nothing uses them once what attached them is undone.
func Restore(clients func(region string) snapshot.Clients, s RestoreSpec) failover.Step {
	r := &restore{clients: clients, s: s}
	m := awsstep.Mistakes{Needs: s.Needs}
	if clients == nil {
		m.Add("clients", nil, "must be given")
	}
	m.Ref("Zone", s.Zone)
	if s.Policy == nil {
		m.Add("Policy", nil, "must be given")
	}
	if s.Series.Kind != snapshot.KindVolume && s.Series.Kind != snapshot.KindInstance || s.Series.ID == "" {
		m.Add("Series", s.Series.String(), "must be a volume or an instance")
	}
	if s.MaxAge <= 0 {
		m.Add("MaxAge", s.MaxAge, "must be greater than zero")
	}
	return failover.NewStep(failover.StepFuncs{
		ID: s.ID, Needs: s.Needs, Plane: failover.PlaneCreate, Blast: failover.BlastData, API: apiEC2,
		Estimate: awsstep.Default(s.Estimate, 15*time.Second), Timeout: s.Timeout,
		Do: r.do, Undo: r.undo, Ready: r.ready, Mistakes: m.Err(),
	})
}

type restore struct {
	clients func(region string) snapshot.Clients
	s       RestoreSpec
}

// manager makes changes under the fence of env only.
func (r *restore) manager(env *failover.Env) (*snapshot.Manager, error) {
	return snapshot.New(r.clients, func(o *snapshot.Options) {
		if r.s.Managers != nil {
			r.s.Managers(o)
		}
		o.Fence = func(context.Context) error { return env.Valid() }
	})
}

// keyAt is under which the journal has when the first try was: of the snapshots that were there then, the newest is restored.
const keyAt = "at"

func (r *restore) do(ctx context.Context, env *failover.Env) error {
	zone, err := r.s.Zone.Get(env)
	if err != nil {
		return err
	}
	at, err := time.Parse(time.RFC3339Nano, env.Outputs()[keyAt])
	if err != nil {
		at = time.Now().UTC()
		env.Put(keyAt, at.Format(time.RFC3339Nano))
		if err := env.Save(ctx); err != nil {
			return err
		}
	}
	m, err := r.manager(env)
	if err != nil {
		return failover.Permanent(err)
	}
	req := snapshot.RestoreRequest{}
	if r.s.Edit != nil {
		r.s.Edit(&req)
	}
	req.Policy, req.Series, req.Region, req.Zone, req.At, req.MaxAge = r.s.Policy, r.s.Series, r.s.Region, zone, at, r.s.MaxAge
	req.Token = env.ClientToken(zone)
	restored, err := m.Restore(ctx, req)
	if err != nil {
		for _, final := range []error{snapshot.ErrTooOld, snapshot.ErrNoPoint, snapshot.ErrQuota, snapshot.ErrKey} {
			if errors.Is(err, final) {
				env.Put(keyAt, "") // nothing was made: whoever tries again looks anew
				return failover.Permanent(errors.Join(err, env.Save(ctx)))
			}
		}
		return err
	}
	for _, v := range restored.Volumes {
		env.Put(VolumeKey+" "+v.Point.VolumeID, v.ID)
	}
	if len(restored.Volumes) == 1 {
		env.Put(VolumeKey, restored.Volumes[0].ID)
	}
	env.Put(AsOfKey, restored.Time.UTC().Format(time.RFC3339))
	env.Note("restored %s as of %s: the last %s are lost", r.s.Series, restored.Time.UTC().Format(time.RFC3339), restored.Age.Round(time.Second))
	return nil
}

func (r *restore) undo(_ context.Context, env *failover.Env) error {
	if id := env.Outputs()[VolumeKey]; id != "" {
		env.Note("%s stays: delete it when nobody needs what was written to it", id)
	}
	return nil
}

// ready tells how much would be lost now.
func (r *restore) ready(ctx context.Context, env *failover.Env) ([]failover.Finding, error) {
	m, err := r.manager(env)
	if err != nil {
		return nil, err
	}
	points, err := m.Points(ctx, r.s.Policy)
	if err != nil {
		return nil, err
	}
	region := r.s.Region
	if region == "" {
		region = r.s.Policy.Region
	}
	for _, p := range points { // the newest first
		if p.Series != r.s.Series || p.Region != region || p.State != snapshot.Completed {
			continue
		}
		age := time.Since(p.Time)
		f := failover.Finding{RPO: age, Text: fmt.Sprintf("%s of %s is %s old", p.ID, r.s.Series, age.Round(time.Second))}
		if age > r.s.MaxAge {
			f.Level, f.Text = failover.LevelFail, fmt.Sprintf("%s: older than MaxAge, which is %s", f.Text, r.s.MaxAge)
		}
		return []failover.Finding{f}, nil
	}
	return []failover.Finding{{Level: failover.LevelFail, Text: fmt.Sprintf("no completed snapshot of %s in %s", r.s.Series, region)}}, nil
}
