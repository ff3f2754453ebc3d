package arcstep

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift/types"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/awsstep"
	"github.com/awsha/awsha/internal/awserr"
)

// apiARC is by which [failover.Options.Limits] counts the steps of this package.
const apiARC = "arc-zonal-shift"

// ShiftKey is the key under which [Shift] puts the ID of the shift that it has started or found.
const ShiftKey = "shift"

// ErrOtherZone reports that the resource is shifted away from another zone: two zones are never left at once.
var ErrOtherZone = errors.New("shifted away from another zone")

// ShiftSpec describes a [Shift].
type ShiftSpec struct {
	ID       string
	Needs    []string
	Estimate time.Duration // default 1 s
	Timeout  time.Duration // zero is the engine's

	Resource string       // ARN of the load balancer, Auto Scaling group or EKS cluster. Required
	Away     failover.Ref // ID of the zone to leave, such as "use1-az1", not its name. Required

	// Expiry is when the shift ends by itself: whole minutes, up to 72 hours. Default 12 hours: long enough for somebody to look, and it
	// can be extended.
	// Source: https://docs.aws.amazon.com/arc-zonal-shift/latest/api/API_StartZonalShift.html (read 2026-11).
	Expiry time.Duration

	// Comment is the comment of the shift, after "awsha SERVICE INCIDENT". Empty is none. ARC takes 128 characters in all; what is longer is cut off.
	Comment string
}

// Shift returns a step that shifts traffic away from a zone, and is done when ARC shows the shift as active: connections go away within minutes,
// as clients ask DNS again. An autoshift of AWS away from the same zone is as good. If the resource is shifted away from another zone, by
// anybody, the step fails with ErrOtherZone.
//
// A load balancer that has no healthy target in the other zones is not helped by it, of which the ready check of an elbstep tells; nor is new
// capacity launched there for an Auto Scaling group by the shift itself. While it lasts, launches go to the other zones, and scaling policies do not
// make the group smaller.
//
// It costs a GetManagedResource a look and one StartZonalShift. ARC allows one shift for a resource: a late or repeated request is refused if a
// shift is active, and starts it again if it has been cancelled meanwhile. Undo cancels the shift that the step has started, and no other.
func Shift(api API, s ShiftSpec) failover.Step {
	s.Expiry = awsstep.Default(s.Expiry, 12*time.Hour)
	h := &shift{api: api, s: s}
	m := awsstep.Mistakes{Needs: s.Needs}
	m.Text("Resource", s.Resource)
	m.Ref("Away", s.Away)
	if s.Expiry < time.Minute || s.Expiry > 72*time.Hour || s.Expiry%time.Minute != 0 {
		m.Add("Expiry", s.Expiry, "must be whole minutes, from 1 minute to 72 hours")
	}
	return failover.NewStep(failover.StepFuncs{
		ID: s.ID, Needs: s.Needs, Plane: failover.PlaneData, API: apiARC, Writes: []string{s.Resource + " zonal shift"},
		Estimate: awsstep.Default(s.Estimate, time.Second), Timeout: s.Timeout,
		Check: h.check, Do: h.do, Undo: h.undo, Ready: h.ready, Mistakes: m.Err(),
	})
}

type shift struct {
	api                API
	s                  ShiftSpec
	patience, stranger awsstep.Patience
}

func read(ctx context.Context, env *failover.Env, api API, resource string) (*arczonalshift.GetManagedResourceOutput, error) {
	const action = "arc-zonal-shift:GetManagedResource"
	return failover.Share(ctx, env, action+" "+resource, func(ctx context.Context) (*arczonalshift.GetManagedResourceOutput, error) {
		return awsstep.Call(ctx, action, resource, api.GetManagedResource, &arczonalshift.GetManagedResourceInput{ResourceIdentifier: aws.String(resource)})
	})
}

// active returns the zone that a resource is shifted away from, and the shift's ID and comment, which an autoshift does not have.
func active(r *arczonalshift.GetManagedResourceOutput) (zone, id, comment string) {
	for i := range r.ZonalShifts {
		if z := &r.ZonalShifts[i]; z.AppliedStatus == types.AppliedStatusApplied {
			return aws.ToString(z.AwayFrom), aws.ToString(z.ZonalShiftId), aws.ToString(z.Comment)
		}
	}
	for i := range r.Autoshifts {
		if a := &r.Autoshifts[i]; a.AppliedStatus == types.AutoshiftAppliedStatusApplied {
			return aws.ToString(a.AwayFrom), "", ""
		}
	}
	return "", "", ""
}

func (h *shift) check(ctx context.Context, env *failover.Env) (failover.State, error) {
	away, err := h.s.Away.Get(env)
	if err != nil {
		return 0, err
	}
	r, err := read(ctx, env, h.api, h.s.Resource)
	if err != nil {
		return 0, h.patience.Judge(env, err)
	}
	zone, id, _ := active(r)
	switch {
	case zone == "":
		return failover.NotDone, nil
	case zone == away:
		env.Put(ShiftKey, id)
		return failover.Done, nil
	case h.stranger.Over(env): // and not a read that is behind
		return 0, failover.Permanent(fmt.Errorf("%s: %s: %w", h.s.Resource, zone, ErrOtherZone))
	}
	return failover.InProgress, nil
}

// comment says whose shift it is, for people and for Undo.
func (h *shift) comment(env *failover.Env) string {
	text := []rune("awsha " + env.Service + " " + env.Incident)
	if h.s.Comment != "" {
		text = append(append(text, ' '), []rune(h.s.Comment)...)
	}
	return string(text[:min(len(text), maxComment)])
}

// maxComment is the longest comment.
// Source: https://docs.aws.amazon.com/arc-zonal-shift/latest/api/API_StartZonalShift.html (read 2026-11)
const maxComment = 128

func (h *shift) do(ctx context.Context, env *failover.Env) error {
	away, err := h.s.Away.Get(env)
	if err != nil {
		return err
	}
	out, err := awsstep.Change(ctx, env, "arc-zonal-shift:StartZonalShift", h.s.Resource+" away from "+away, h.api.StartZonalShift,
		&arczonalshift.StartZonalShiftInput{
			ResourceIdentifier: aws.String(h.s.Resource), AwayFrom: aws.String(away), Comment: aws.String(h.comment(env)),
			ExpiresIn: aws.String(fmt.Sprintf("%dm", int(h.s.Expiry.Minutes()))),
		}, func(o *arczonalshift.Options) { o.RetryMaxAttempts = 1 })
	switch {
	case awserr.Of(err) == awserr.Conflict: // one is active: a look tells which
		return failover.ErrInProgress
	case err != nil:
		return h.patience.Judge(env, err)
	}
	env.Put(ShiftKey, aws.ToString(out.ZonalShiftId))
	env.Note("%s leaves %s until %s", h.s.Resource, away, aws.ToTime(out.ExpiryTime).UTC().Format(time.RFC3339))
	return nil
}

func (h *shift) undo(ctx context.Context, env *failover.Env) error {
	id := env.Outputs()[ShiftKey]
	r, err := read(ctx, env, h.api, h.s.Resource)
	if err != nil {
		return err
	}
	_, current, comment := active(r)
	switch {
	case id != "" && current != "" && current != id: // somebody else's, or a later one
		return nil
	case comment == h.comment(env):
		id = current
	case current != "":
		return nil // it was found, and not started
	}
	if id == "" {
		return nil
	}
	return cancel(ctx, env, h.api, h.s.Resource, id)
}

// cancel ends a shift, which may have ended.
func cancel(ctx context.Context, env *failover.Env, api API, resource, id string) error {
	_, err := awsstep.Change(ctx, env, "arc-zonal-shift:CancelZonalShift", resource+" "+id, api.CancelZonalShift,
		&arczonalshift.CancelZonalShiftInput{ZonalShiftId: aws.String(id)})
	switch awserr.Of(err) {
	case awserr.Conflict, awserr.NotFound: // it is not active any more
		return nil
	}
	return err
}

func (h *shift) ready(ctx context.Context, env *failover.Env) ([]failover.Finding, error) {
	r, err := read(ctx, env, h.api, h.s.Resource)
	if err != nil {
		if awserr.Of(err) == awserr.NotFound {
			return []failover.Finding{{Level: failover.LevelFail, Text: h.s.Resource + " is not managed by zonal shift: enable it for the resource"}}, nil
		}
		return nil, err
	}
	away, err := h.s.Away.Get(env)
	if errors.Is(err, failover.ErrNoValue) {
		return []failover.Finding{{Text: "not looked at: " + err.Error()}}, nil
	}
	var found []failover.Finding
	if _, in := r.AppliedWeights[away]; !in {
		found = append(found, failover.Finding{Level: failover.LevelFail, Text: fmt.Sprintf("%s is not in %s; zones are named by their IDs", h.s.Resource, away)})
	}
	if len(r.AppliedWeights) < 2 {
		found = append(found, failover.Finding{Level: failover.LevelFail, Text: h.s.Resource + " is in one zone only: there is nowhere to go"})
	}
	if zone, _, _ := active(r); zone != "" && zone != away {
		found = append(found, failover.Finding{Level: failover.LevelFail, Text: fmt.Sprintf("%s is shifted away from %s", h.s.Resource, zone)})
	}
	return found, nil
}
