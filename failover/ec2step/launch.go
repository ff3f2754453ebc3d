package ec2step

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/awsstep"
	"github.com/awsha/awsha/internal/awserr"
)

// LaunchSpec describes a [Launch].
type LaunchSpec struct {
	ID       string
	Needs    []string
	Estimate time.Duration // default 30 s
	Timeout  time.Duration // zero is the engine's

	// Template is the launch template, and Image the AMI, which wins over that of the template. One of them is required. Name a version of the
	// template, not $Latest: a request that is repeated must be the same.
	Template LaunchTemplate
	Image    failover.Ref

	// Types are the instance types that will do, the preferred one first. Required.
	Types []string

	// Subnets are where it may run, the preferred one first: in several zones unless Zone is given. Required.
	Subnets []string

	// Zone is the only zone that will do, by ID or name, such as that of a volume. Zero is any. Avoid are zones that will not do, such as the one
	// that failed.
	Zone  failover.Ref
	Avoid []failover.Ref

	// Reservations are the targeted Capacity Reservations that it may use. Open ones and zonal Reserved Instances are used by themselves.
	Reservations []string

	// Platform is that of the reservations to look for. Default [DefaultPlatform].
	Platform string

	// Tags are given to the instance.
	Tags map[string]string

	// Edit completes the request, with what the template does not say: security groups, profile, user data. It is called for each candidate, and must
	// give the same each time. What decides about place, capacity, number and token stays.
	Edit func(*ec2.RunInstancesInput)

	// Shortages are shared between launches. Nil remembers nothing.
	Shortages *Shortages
}

// LaunchTemplate names a launch template by ID or by name, and a version of it.
type LaunchTemplate struct{ ID, Name, Version string }

func (t LaunchTemplate) zero() bool { return t == LaunchTemplate{} }

// Launch returns a step that launches one instance, where the [Ladder] finds capacity, and is done when it runs. It puts InstanceKey,
// InterfaceKey, PrivateIPKey, ZoneKey, SubnetKey and TypeKey.
//
// The ladder is made once and written into the journal, as is each candidate before it is asked for; so that after a crash the same candidates
// are asked for in the same order under the same client tokens, and one incident gets one instance. What has no capacity is passed over
// without a pause; when there is nothing left, the error is a [*CapacityError], and the next execution begins a new ladder. A limit of the account
// ends it for all types that count towards the limit. An instance that ends before it runs counts as refused.
//
// It costs the reads of a [Survey], one RunInstances a candidate, and one DescribeInstances a poll. Late requests do no harm: the token
// makes them the same request. Undo terminates the instance.
func Launch(api LaunchAPI, s LaunchSpec) failover.Step {
	l := &launch{api: api, s: s}
	return failover.NewStep(failover.StepFuncs{
		ID: s.ID, Needs: s.Needs, Plane: failover.PlaneCreate, Estimate: awsstep.Default(s.Estimate, 30*time.Second), Timeout: s.Timeout, API: apiEC2,
		Check: l.check, Do: l.do, Undo: l.undo, Ready: l.ready, Mistakes: l.mistakes(),
	})
}

type launch struct {
	api      LaunchAPI
	s        LaunchSpec
	patience awsstep.Patience
}

func (l *launch) mistakes() error {
	m := awsstep.Mistakes{Needs: l.s.Needs}
	if l.s.Template.zero() && l.s.Image.Zero() {
		m.Add("Template", "", "must be given, or Image")
	}
	if !l.s.Template.zero() {
		if (l.s.Template.ID == "") == (l.s.Template.Name == "") {
			m.Add("Template", l.s.Template.ID+l.s.Template.Name, "must have an ID or a name, and not both")
		}
		if v := l.s.Template.Version; v == "" || strings.HasPrefix(v, "$") {
			m.Add("Template.Version", v, "must be a number: what $Latest and $Default are may change between two requests")
		}
	}
	m.IfGiven("Image", l.s.Image)
	m.IfGiven("Zone", l.s.Zone)
	for i, r := range l.s.Avoid {
		m.Ref(fmt.Sprintf("Avoid[%d]", i), r)
	}
	m.Some("Types", l.s.Types)
	m.Some("Subnets", l.s.Subnets)
	return m.Err()
}

// The keys under which the journal has how far a launch has come.
const (
	keyLadder = "ladder" // what is left, the candidate that is asked for first
	keyRound  = "round"  // how many ladders there were
	keyAsk    = "ask"    // how often the first candidate was asked for anew, since its token was burned
	keyBurned = "burned" // not empty if EC2 has refused the token of the first candidate, once
)

// progress is what the journal has of a launch.
type progress struct {
	ladder     []Candidate
	round, ask int
	burned     string
}

func launchProgress(env *failover.Env) progress {
	out := env.Outputs()
	p := progress{ladder: parseLadder(out[keyLadder]), burned: out[keyBurned]}
	p.round, _ = strconv.Atoi(out[keyRound])
	p.ask, _ = strconv.Atoi(out[keyAsk])
	return p
}

func (p *progress) save(ctx context.Context, env *failover.Env) error {
	env.Put(keyLadder, formatLadder(p.ladder))
	env.Put(keyRound, strconv.Itoa(p.round))
	env.Put(keyAsk, strconv.Itoa(p.ask))
	env.Put(keyBurned, p.burned)
	return env.Save(ctx)
}

// token is that of the request for the first candidate.
func (p *progress) token(env *failover.Env) string {
	c := p.ladder[0]
	return env.ClientToken(strconv.Itoa(p.round), c.Type, c.SubnetID, c.Reservation, strconv.Itoa(p.ask))
}

func (l *launch) check(ctx context.Context, env *failover.Env) (failover.State, error) {
	i, err := l.find(ctx, env)
	switch {
	case err != nil:
		return 0, err
	case i == nil:
		return failover.NotDone, nil
	}
	switch i.State.Name {
	case types.InstanceStateNamePending:
		return failover.InProgress, nil
	case types.InstanceStateNameRunning:
		put(env, i)
		return failover.Done, nil
	}
	return failover.NotDone, nil
}

// find reads the instance that was asked for last: by its ID, or by the token if the reply has not come.
func (l *launch) find(ctx context.Context, env *failover.Env) (*types.Instance, error) {
	if id := env.Outputs()[InstanceKey]; id != "" {
		return readInstance(ctx, l.api, id)
	}
	p := launchProgress(env)
	if len(p.ladder) == 0 {
		return nil, nil
	}
	out, err := awsstep.Call(ctx, "ec2:DescribeInstances", "", l.api.DescribeInstances, &ec2.DescribeInstancesInput{
		Filters: []types.Filter{filter("client-token", p.token(env))},
	})
	if err != nil {
		return nil, err
	}
	for _, r := range out.Reservations {
		for i := range r.Instances {
			if v := &r.Instances[i]; v.State != nil {
				return v, nil
			}
		}
	}
	return nil, nil
}

func put(env *failover.Env, i *types.Instance) {
	env.Put(InstanceKey, aws.ToString(i.InstanceId))
	env.Put(TypeKey, string(i.InstanceType))
	env.Put(SubnetKey, aws.ToString(i.SubnetId))
	env.Put(PrivateIPKey, aws.ToString(i.PrivateIpAddress))
	if i.Placement != nil {
		env.Put(ZoneKey, cmp.Or(aws.ToString(i.Placement.AvailabilityZoneId), aws.ToString(i.Placement.AvailabilityZone))) // emulators leave the ID out
	}
	for _, n := range i.NetworkInterfaces {
		if n.Attachment != nil && aws.ToInt32(n.Attachment.DeviceIndex) == 0 {
			env.Put(InterfaceKey, aws.ToString(n.NetworkInterfaceId))
		}
	}
}

func (l *launch) do(ctx context.Context, env *failover.Env) error {
	p := launchProgress(env)
	tried := new(CapacityError)
	if len(p.ladder) > 0 {
		i, err := l.find(ctx, env)
		switch {
		case err != nil:
			return err
		case i == nil: // nobody knows whether it was asked for: the same request again settles that
		case i.State.Name == types.InstanceStateNamePending, i.State.Name == types.InstanceStateNameRunning:
			put(env, i)
			return failover.ErrInProgress
		default:
			tried.Tried = append(tried.Tried, CandidateError{p.ladder[0], endedBecause(i)})
			p.ladder = p.ladder[1:]
			env.Put(InstanceKey, "")
			if err := p.next(ctx, env); err != nil {
				return err
			}
		}
	}
	if len(p.ladder) == 0 && len(tried.Tried) == 0 {
		ladder, err := l.ladder(ctx, env)
		if err != nil {
			return err
		}
		p.ladder = ladder
		p.round++
		if err := p.next(ctx, env); err != nil {
			return err
		}
	}
	for len(p.ladder) > 0 {
		c := p.ladder[0]
		err := l.patience.Judge(env, l.run(ctx, env, &p))
		if err == nil {
			env.Note("launched %s as %s", env.Outputs()[InstanceKey], c)
			return failover.ErrInProgress
		}
		switch class := awserr.Of(err); class {
		case awserr.Capacity, awserr.Quota:
			if class == awserr.Capacity && awserr.Missing(err) == "" {
				l.s.Shortages.add(c)
			}
			p.ladder = Rest(p.ladder[1:], c, err)
			if err := p.next(ctx, env); err != nil {
				return err
			}
		case awserr.Burned:
			return p.burn(ctx, env, err)
		default:
			return err
		}
		env.Note("%s: %v", c, err)
		tried.Tried = append(tried.Tried, CandidateError{c, err})
	}
	return failover.Permanent(tried)
}

// next writes down which candidate is asked for from now on, before it is.
func (p *progress) next(ctx context.Context, env *failover.Env) error {
	p.ask, p.burned = 0, ""
	return p.save(ctx, env)
}

// burn deals with a token that EC2 refuses: it belongs to an instance that has ended, or to a request that was otherwise, of another version of
// this program. The next call of Do comes after reads have had the time to show an instance of that request, and takes that one; the one
// after it takes a new token.
func (p *progress) burn(ctx context.Context, env *failover.Env, err error) error {
	if p.burned == "" {
		p.burned = "once"
	} else {
		p.burned = ""
		p.ask++
	}
	if serr := p.save(ctx, env); serr != nil {
		return serr
	}
	return err
}

func (l *launch) ladder(ctx context.Context, env *failover.Env) ([]Candidate, error) {
	w := Wish{Types: l.s.Types, Subnets: l.s.Subnets, Reservations: l.s.Reservations, Platform: l.s.Platform}
	var err error
	if !l.s.Zone.Zero() {
		if w.Zone, err = l.s.Zone.Get(env); err != nil {
			return nil, err
		}
	}
	for _, r := range l.s.Avoid {
		zone, err := r.Get(env)
		if err != nil {
			return nil, err
		}
		w.Avoid = append(w.Avoid, zone)
	}
	inv, err := Survey(ctx, l.api, SurveyRequest{Types: l.s.Types, Subnets: l.s.Subnets, Timeout: 3 * time.Second})
	if err != nil {
		return nil, err
	}
	for _, what := range inv.Unread {
		env.Note("placed without %s", what)
	}
	return Ladder(inv, w, l.s.Shortages.List()), nil
}

// run asks for the first candidate.
func (l *launch) run(ctx context.Context, env *failover.Env, p *progress) error {
	in, err := l.request(env, p.ladder[0])
	if err != nil {
		return err
	}
	in.ClientToken = aws.String(p.token(env))
	out, err := awsstep.Change(ctx, env, "ec2:RunInstances", p.ladder[0].String(), l.api.RunInstances, in, once)
	if err != nil {
		return err
	}
	if len(out.Instances) != 1 {
		return &failover.CallError{Action: "ec2:RunInstances", Resource: p.ladder[0].String(), Err: fmt.Errorf("%d instances in the reply", len(out.Instances))}
	}
	put(env, &out.Instances[0])
	return nil
}

func (l *launch) request(env *failover.Env, c Candidate) (*ec2.RunInstancesInput, error) {
	in := new(ec2.RunInstancesInput)
	if t := l.s.Template; !t.zero() {
		in.LaunchTemplate = &types.LaunchTemplateSpecification{Version: aws.String(t.Version)}
		if t.ID != "" {
			in.LaunchTemplate.LaunchTemplateId = aws.String(t.ID)
		} else {
			in.LaunchTemplate.LaunchTemplateName = aws.String(t.Name)
		}
	}
	if !l.s.Image.Zero() {
		image, err := l.s.Image.Get(env)
		if err != nil {
			return nil, err
		}
		in.ImageId = aws.String(image)
	}
	if len(l.s.Tags) > 0 {
		in.TagSpecifications = []types.TagSpecification{{ResourceType: types.ResourceTypeInstance, Tags: tags(l.s.Tags)}}
	}
	if l.s.Edit != nil {
		l.s.Edit(in)
	}
	in.MinCount, in.MaxCount = aws.Int32(1), aws.Int32(1)
	in.InstanceType = types.InstanceType(c.Type)
	if len(in.NetworkInterfaces) > 0 && in.NetworkInterfaces[0].NetworkInterfaceId == nil { // EC2 takes the subnet in one place only
		in.NetworkInterfaces[0].SubnetId, in.SubnetId = aws.String(c.SubnetID), nil
	} else {
		in.SubnetId = aws.String(c.SubnetID)
	}
	in.CapacityReservationSpecification = nil
	if c.Reservation != "" {
		in.CapacityReservationSpecification = &types.CapacityReservationSpecification{
			CapacityReservationTarget: &types.CapacityReservationTarget{CapacityReservationId: aws.String(c.Reservation)},
		}
	}
	return in, nil
}

// endedBecause tells why an instance did not come to run.
func endedBecause(i *types.Instance) error {
	why := aws.ToString(i.StateTransitionReason)
	if i.StateReason != nil {
		why = aws.ToString(i.StateReason.Message)
	}
	return fmt.Errorf("%s is %s: %s: %w", aws.ToString(i.InstanceId), i.State.Name, why, ErrEnded)
}

func (l *launch) undo(ctx context.Context, env *failover.Env) error {
	i, err := l.find(ctx, env)
	switch {
	case err != nil:
		return err
	case i == nil, i.State.Name == types.InstanceStateNameTerminated:
		return nil
	case i.State.Name == types.InstanceStateNameShuttingDown:
		return failover.ErrInProgress
	}
	id := aws.ToString(i.InstanceId)
	in := &ec2.TerminateInstancesInput{InstanceIds: []string{id}}
	if _, err := awsstep.Change(ctx, env, "ec2:TerminateInstances", id, l.api.TerminateInstances, in); err != nil {
		return err
	}
	return failover.ErrInProgress
}

// ready looks for a place, and asks EC2 whether the first launch is permitted.
func (l *launch) ready(ctx context.Context, env *failover.Env) ([]failover.Finding, error) {
	for _, r := range append([]failover.Ref{l.s.Image, l.s.Zone}, l.s.Avoid...) {
		if _, err := r.Get(env); !r.Zero() && err != nil {
			return []failover.Finding{{Text: fmt.Sprintf("not looked at: %v", err)}}, nil
		}
	}
	ladder, err := l.ladder(ctx, env)
	if err != nil {
		return nil, err
	}
	if len(ladder) == 0 {
		return []failover.Finding{{Level: failover.LevelFail, Text: "no zone will do: no usable one has a subnet with a free address that offers a type"}}, nil
	}
	found := []failover.Finding{rungFinding(ladder)}
	in, err := l.request(env, ladder[0])
	if err != nil {
		return found, err
	}
	in.DryRun = aws.Bool(true)
	_, err = awsstep.Call(ctx, "ec2:RunInstances", ladder[0].String(), l.api.RunInstances, in, once)
	return append(found, failover.DryRun("ec2:RunInstances", ladder[0].String(), err)), nil
}

func rungFinding(ladder []Candidate) failover.Finding {
	first := ladder[0]
	f := failover.Finding{Text: fmt.Sprintf("%d candidates, first %s (%s)", len(ladder), first, first.Rung)}
	if first.Rung > RungReserved {
		f.Level, f.Text = failover.LevelWarn, f.Text+": no capacity is reserved for it"
	}
	return f
}

// formatLadder and parseLadder keep a ladder in an output. A ladder that cannot be read is none: whoever wrote it is not this version.
func formatLadder(ladder []Candidate) string {
	all := make([]string, len(ladder))
	for i, c := range ladder {
		all[i] = strings.Join([]string{strconv.Itoa(int(c.Rung)), c.Type, c.ZoneID, c.SubnetID, c.Reservation}, ",")
	}
	return strings.Join(all, ";")
}

func parseLadder(s string) []Candidate {
	if s == "" {
		return nil
	}
	var ladder []Candidate
	for part := range strings.SplitSeq(s, ";") {
		f := strings.Split(part, ",")
		if len(f) != 5 {
			return nil
		}
		rung, err := strconv.Atoi(f[0])
		if err != nil {
			return nil
		}
		ladder = append(ladder, Candidate{Rung(rung), f[1], f[2], f[3], f[4]})
	}
	return ladder
}
