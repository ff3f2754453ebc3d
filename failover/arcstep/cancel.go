package arcstep

import (
	"context"
	"strings"
	"time"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/awsstep"
)

// CancelSpec describes a [Cancel].
type CancelSpec struct {
	ID       string
	Needs    []string
	Estimate time.Duration // default 1 s
	Timeout  time.Duration // zero is the engine's

	Resource string       // ARN. Required
	Away     failover.Ref // ID of the zone that traffic shall come back to. Required
}

// Cancel returns a step that ends a shift away from a zone: for a failback. It ends only shifts that a [Shift] of the same service has started; one
// of somebody else, and an autoshift, stay, and the step is done then, with a note.
//
// It costs a GetManagedResource a look and one CancelZonalShift, which may be repeated: a shift that has ended does not come back. It cannot
// be undone: start another shift.
func Cancel(api API, s CancelSpec) failover.Step {
	c := &back{api: api, s: s}
	m := awsstep.Mistakes{Needs: s.Needs}
	m.Text("Resource", s.Resource)
	m.Ref("Away", s.Away)
	return failover.NewStep(failover.StepFuncs{
		ID: s.ID, Needs: s.Needs, Plane: failover.PlaneData, API: apiARC, Writes: []string{s.Resource + " zonal shift"},
		Estimate: awsstep.Default(s.Estimate, time.Second), Timeout: s.Timeout,
		Check: c.check, Do: c.do, Mistakes: m.Err(),
	})
}

type back struct {
	api      API
	s        CancelSpec
	patience awsstep.Patience
}

// own returns the ID of the shift that is to be ended; empty if there is none.
func (c *back) own(ctx context.Context, env *failover.Env) (id string, err error) {
	away, err := c.s.Away.Get(env)
	if err != nil {
		return "", err
	}
	r, err := read(ctx, env, c.api, c.s.Resource)
	if err != nil {
		return "", c.patience.Judge(env, err)
	}
	zone, id, comment := active(r)
	if zone != away {
		return "", nil
	}
	if id == "" || !strings.HasPrefix(comment, "awsha "+env.Service+" ") {
		env.Note("%s stays away from %s: that is not this service's to end", c.s.Resource, away)
		return "", nil
	}
	return id, nil
}

func (c *back) check(ctx context.Context, env *failover.Env) (failover.State, error) {
	id, err := c.own(ctx, env)
	switch {
	case err != nil:
		return 0, err
	case id == "":
		return failover.Done, nil
	}
	return failover.NotDone, nil
}

func (c *back) do(ctx context.Context, env *failover.Env) error {
	id, err := c.own(ctx, env)
	if err != nil || id == "" {
		return err
	}
	return cancel(ctx, env, c.api, c.s.Resource, id)
}
