package kmssvc_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/kmsmodel"
	"github.com/awsha/awsha/awstest/internal/svctest"
	"github.com/awsha/awsha/awstest/kmssvc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const day = 24 * time.Hour

type world struct {
	*testing.T
	*kms.Client
	cloud *awstest.Cloud
	model *kmsmodel.Model
	start time.Time
}

func inBubble(t *testing.T, test func(*world), optFns ...func(*awstest.Options)) {
	t.Helper()
	var model *kmsmodel.Model
	services := []awstest.Service{kmssvc.New(), func(r *awstest.Registry) error { model = kmsmodel.Of(r); return nil }}
	svctest.InBubble(t, services, func(t *testing.T, cloud *awstest.Cloud) {
		test(&world{T: t, Client: kms.NewFromConfig(cloud.Config("us-east-1")), cloud: cloud, model: model, start: time.Now()})
	}, optFns...)
}

func (w *world) until(d time.Duration) { time.Sleep(time.Until(w.start.Add(d))) }

func (w *world) key() *types.KeyMetadata {
	w.Helper()
	return svctest.Must(w.CreateKey(w.Context(), &kms.CreateKeyInput{}))(w).KeyMetadata
}

func (w *world) describe(ref string) (*types.KeyMetadata, error) {
	out, err := w.DescribeKey(w.Context(), &kms.DescribeKeyInput{KeyId: &ref})
	if err != nil {
		return nil, err
	}
	return out.KeyMetadata, nil
}

// state tells the state of a key, or the code of the error that DescribeKey
// has.
func (w *world) state(ref string) string {
	k, err := w.describe(ref)
	if err != nil {
		return code(err)
	}
	return string(k.KeyState)
}

func code(err error) string {
	var api interface{ ErrorCode() string }
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &api):
		return api.ErrorCode()
	}
	return err.Error()
}

// usable tells what a service meets that uses a key.
func (w *world) usable(ref string) (told string) {
	region := svctest.Must(w.cloud.Region("us-east-1"))(w)
	w.cloud.Update(func(tx *awstest.Tx) {
		err := w.model.Region(region).Usable(tx, ref)
		var api *awstest.APIError
		switch {
		case err == nil:
			told = "ok"
		case errors.As(err, &api):
			told = api.Code
		}
	})
	return told
}

func (w *world) enable(id string) error {
	_, err := w.EnableKey(w.Context(), &kms.EnableKeyInput{KeyId: &id})
	return err
}

func (w *world) disable(id string) error {
	_, err := w.DisableKey(w.Context(), &kms.DisableKeyInput{KeyId: &id})
	return err
}

func (w *world) schedule(id string, days int32) error {
	_, err := w.ScheduleKeyDeletion(w.Context(), &kms.ScheduleKeyDeletionInput{KeyId: &id, PendingWindowInDays: &days})
	return err
}

func (w *world) cancel(id string) error {
	_, err := w.CancelKeyDeletion(w.Context(), &kms.CancelKeyDeletionInput{KeyId: &id})
	return err
}

func (w *world) createAlias(name, id string) error {
	_, err := w.CreateAlias(w.Context(), &kms.CreateAliasInput{AliasName: &name, TargetKeyId: &id})
	return err
}

func (w *world) updateAlias(name, id string) error {
	_, err := w.UpdateAlias(w.Context(), &kms.UpdateAliasInput{AliasName: &name, TargetKeyId: &id})
	return err
}

func (w *world) deleteAlias(name string) error {
	_, err := w.DeleteAlias(w.Context(), &kms.DeleteAliasInput{AliasName: &name})
	return err
}

func TestKeyShowsWhatItIs(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		k := svctest.Must(w.CreateKey(w.Context(), &kms.CreateKeyInput{Description: aws.String("volumes")}))(w).KeyMetadata
		if *k.Arn != "arn:aws:kms:us-east-1:123456789012:key/"+*k.KeyId || *k.AWSAccountId != "123456789012" || *k.Description != "volumes" ||
			k.KeyManager != types.KeyManagerTypeCustomer || k.KeyState != types.KeyStateEnabled || !k.Enabled || *k.MultiRegion ||
			k.KeySpec != types.KeySpecSymmetricDefault || k.Origin != types.OriginTypeAwsKms || k.CreationDate.Sub(w.start) != time.Millisecond {
			w.Errorf("got %+v", k)
		}
		multi := svctest.Must(w.CreateKey(w.Context(), &kms.CreateKeyInput{MultiRegion: aws.Bool(true)}))(w).KeyMetadata
		if !strings.HasPrefix(*multi.KeyId, "mrk-") || len(*multi.KeyId) != 36 || !*multi.MultiRegion || multi.MultiRegionConfiguration.MultiRegionKeyType != types.MultiRegionKeyTypePrimary {
			w.Errorf("got %+v", multi)
		}
		_, err := w.CreateKey(w.Context(), &kms.CreateKeyInput{Description: aws.String(strings.Repeat("d", 8193))})
		svctest.WantCode(w, err, "ValidationException")
	})
}

// Each row is an operation; the columns are what it answers for a key that is
// enabled, disabled, pending deletion and unavailable.
// Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html (read 2026-11)
func TestStatesAllowWhatTheGuideHas(t *testing.T) {
	t.Parallel()
	const state = "KMSInvalidStateException"
	states := map[types.KeyState]func(*world, string) error{
		types.KeyStateEnabled:         func(*world, string) error { return nil },
		types.KeyStateDisabled:        (*world).disable,
		types.KeyStatePendingDeletion: func(w *world, id string) error { return w.schedule(id, 7) },
		types.KeyStateUnavailable: func(w *world, id string) error {
			_, err := kmssvc.Disconnect(w.cloud, "us-east-1", id)
			return err
		},
	}
	order := []types.KeyState{types.KeyStateEnabled, types.KeyStateDisabled, types.KeyStatePendingDeletion, types.KeyStateUnavailable}
	for name, c := range map[string]struct {
		call func(*world, string) error
		want [4]string
	}{
		"CancelKeyDeletion":   {(*world).cancel, [4]string{state, state, "ok", state}},
		"CreateAlias":         {func(w *world, id string) error { return w.createAlias("alias/new", id) }, [4]string{"ok", "ok", state, "ok"}},
		"DeleteAlias":         {func(w *world, _ string) error { return w.deleteAlias("alias/old") }, [4]string{"ok", "ok", "ok", "ok"}},
		"DescribeKey":         {func(w *world, id string) error { _, err := w.describe(id); return err }, [4]string{"ok", "ok", "ok", "ok"}},
		"DisableKey":          {(*world).disable, [4]string{"ok", "ok", state, "ok"}},
		"EnableKey":           {(*world).enable, [4]string{"ok", "ok", state, "ok"}},
		"ScheduleKeyDeletion": {func(w *world, id string) error { return w.schedule(id, 7) }, [4]string{"ok", "ok", state, "ok"}},
		"UpdateAlias":         {func(w *world, id string) error { return w.updateAlias("alias/other", id) }, [4]string{"ok", "ok", state, "ok"}},
		"use":                 {func(w *world, id string) error { return errorOf(w.usable(id)) }, [4]string{"ok", "DisabledException", state, state}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i, s := range order {
				inBubble(t, func(w *world) {
					id := *w.key().KeyId
					for _, err := range []error{w.createAlias("alias/old", id), w.createAlias("alias/other", *w.key().KeyId), states[s](w, id)} {
						if err != nil {
							w.Fatal(err)
						}
					}
					if got := w.state(id); got != string(s) {
						w.Fatalf("the key is %s, want %s", got, s)
					}
					if got := code(c.call(w, id)); got != c.want[i] {
						w.Errorf("%s: got %s, want %s", s, got, c.want[i])
					}
				})
			}
		})
	}
}

// errorOf makes an error of what usable tells.
func errorOf(told string) error {
	if told == "ok" {
		return nil
	}
	return &types.KMSInvalidStateException{ErrorCodeOverride: &told}
}

func TestKeyIsEnabledAndDisabled(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		k := w.key()
		for _, c := range []struct {
			call  func(string) error
			state string
		}{{w.disable, "Disabled"}, {w.disable, "Disabled"}, {w.enable, "Enabled"}} {
			if err := c.call(*k.Arn); err != nil {
				w.Error(err)
			}
			if got := w.state(*k.KeyId); got != c.state {
				w.Errorf("got %s, want %s", got, c.state)
			}
		}
	})
}

func TestKeyIsDeletedWithItsAliases(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		k := w.key()
		if err := w.createAlias("alias/volumes", *k.KeyId); err != nil {
			w.Fatal(err)
		}
		out := svctest.Must(w.ScheduleKeyDeletion(w.Context(), &kms.ScheduleKeyDeletionInput{KeyId: k.KeyId}))(w)
		if *out.KeyId != *k.Arn || out.KeyState != types.KeyStatePendingDeletion || *out.PendingWindowInDays != 30 {
			w.Errorf("got %+v", out)
		}
		due := *out.DeletionDate
		if d := svctest.Must(w.describe("alias/volumes"))(w).DeletionDate; !d.Equal(due) || due.Sub(w.start).Truncate(time.Second) != 30*day {
			w.Errorf("due %v, shown %v", due, d)
		}
		w.until(due.Sub(w.start) - 2*time.Millisecond)
		if got := w.state(*k.KeyId); got != "PendingDeletion" {
			w.Errorf("the day before: %s", got)
		}
		for _, ref := range []string{*k.KeyId, *k.Arn, "alias/volumes"} {
			if got := w.state(ref); got != "NotFoundException" {
				w.Errorf("%s: %s", ref, got)
			}
		}
		if got := w.usable(*k.KeyId); got != "NotFoundException" {
			w.Errorf("a service meets %s", got)
		}
		if err := w.createAlias("alias/volumes", *w.key().KeyId); err != nil {
			w.Errorf("the name is not free: %v", err)
		}
	})
}

func TestDeletionIsCanceled(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := *w.key().KeyId
		for days, want := range map[int32]string{6: "ValidationException", 31: "ValidationException", 7: "ok"} {
			if got := code(w.schedule(id, days)); got != want {
				w.Errorf("%d days: %s", days, got)
			}
		}
		w.until(6 * day)
		if err := w.cancel(id); err != nil {
			w.Error(err)
		}
		w.until(40 * day)
		k := svctest.Must(w.describe(id))(w)
		if k.KeyState != types.KeyStateDisabled || k.DeletionDate != nil {
			w.Errorf("got %+v", k)
		}
	})
}

// A key that is stuck stays, and its deletion can still be taken back.
func TestStuckKeyStaysPendingDeletion(t *testing.T) {
	t.Parallel()
	for _, saved := range []bool{true, false} {
		inBubble(t, func(w *world) {
			id := *w.key().KeyId
			heal := svctest.Must(w.cloud.Stick(id))(w)
			if err := w.schedule(id, 7); err != nil {
				w.Error(err)
			}
			w.until(8 * day)
			if got := w.state(id); got != "PendingDeletion" {
				w.Errorf("got %s", got)
			}
			want := "NotFoundException"
			if saved {
				want = "Disabled"
				if err := w.cancel(id); err != nil {
					w.Error(err)
				}
			}
			heal()
			if got := w.state(id); got != want {
				w.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// A deletion that was taken back does not come after all, when another one is
// scheduled.
func TestDeletionThatWasCanceledStaysSo(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := *w.key().KeyId
		heal := svctest.Must(w.cloud.Stick(id))(w)
		for _, c := range []struct {
			at   time.Duration
			call func() error
		}{
			{0, func() error { return w.schedule(id, 7) }},
			{8 * day, func() error { return w.cancel(id) }},
			{9 * day, func() error { return w.schedule(id, 7) }},
		} {
			w.until(c.at)
			if err := c.call(); err != nil {
				w.Error(err)
			}
		}
		heal()
		if got := w.state(id); got != "PendingDeletion" {
			w.Errorf("got %s", got)
		}
		w.until(17 * day)
		if got := w.state(id); got != "NotFoundException" {
			w.Errorf("got %s", got)
		}
	})
}

func TestReferences(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		k := w.key()
		if err := w.createAlias("alias/volumes", *k.KeyId); err != nil {
			w.Fatal(err)
		}
		const account = "arn:aws:kms:us-east-1:123456789012:"
		for ref, want := range map[string]string{
			*k.KeyId: "Enabled", *k.Arn: "Enabled", "alias/volumes": "Enabled", account + "alias/volumes": "Enabled",
			"none": "NotFoundException", account + "key/none": "NotFoundException", "alias/none": "NotFoundException", account + "alias/none": "NotFoundException",
			strings.Replace(*k.Arn, "us-east-1", "eu-west-1", 1):                    "NotFoundException",
			strings.Replace(*k.Arn, "123456789012", "210987654321", 1):              "NotFoundException",
			strings.Replace(account, "us-east-1", "eu-west-1", 1) + "alias/volumes": "NotFoundException",
			"arn:aws:ec2:us-east-1:123456789012:volume/v":                           "InvalidArnException", "arn:aws:kms": "InvalidArnException", account + "grant/x": "InvalidArnException",
		} {
			if got := w.state(ref); got != want {
				w.Errorf("%s: got %s, want %s", ref, got, want)
			}
		}
		elsewhere := kms.NewFromConfig(w.cloud.Config("eu-west-1"))
		_, err := elsewhere.DescribeKey(w.Context(), &kms.DescribeKeyInput{KeyId: k.KeyId})
		svctest.WantCode(w, err, "NotFoundException")
		// Changes take no aliases.
		svctest.WantCode(w, w.disable("alias/volumes"), "NotFoundException")
	})
}

func (w *world) aliases(change func(*kms.ListAliasesInput)) (told string) {
	in := &kms.ListAliasesInput{}
	change(in)
	pages := kms.NewListAliasesPaginator(w, in)
	for pages.HasMorePages() {
		for _, a := range svctest.Must(pages.NextPage(w.Context()))(w).Aliases {
			told += *a.AliasName
			if a.TargetKeyId != nil {
				told += "=" + (*a.TargetKeyId)[35:]
			}
			told += " "
		}
	}
	return told
}

func TestAliases(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		one, two := *w.key().KeyId, *w.key().KeyId
		for _, err := range []error{w.createAlias("alias/a", one), w.createAlias("alias/b/c", one), w.updateAlias("alias/b/c", two)} {
			if err != nil {
				w.Error(err)
			}
		}
		const aws5 = "alias/aws/dynamodb alias/aws/ebs alias/aws/rds alias/aws/s3 alias/aws/sqs "
		for name, c := range map[string]struct {
			change func(*kms.ListAliasesInput)
			want   string
		}{
			"all":      {func(*kms.ListAliasesInput) {}, aws5 + "alias/a=1 alias/b/c=2 "},
			"in pages": {func(in *kms.ListAliasesInput) { in.Limit = aws.Int32(2) }, aws5 + "alias/a=1 alias/b/c=2 "},
			"of a key": {func(in *kms.ListAliasesInput) { in.KeyId = &two }, "alias/b/c=2 "},
		} {
			if got := w.aliases(c.change); got != c.want {
				w.Errorf("%s: got %s, want %s", name, got, c.want)
			}
		}
		if k := svctest.Must(w.describe("alias/b/c"))(w); *k.KeyId != two {
			w.Errorf("got %s", *k.KeyId)
		}
		if err := w.deleteAlias("alias/a"); err != nil {
			w.Error(err)
		}
		for name, c := range map[string]struct {
			err  error
			code string
		}{
			"a name that is taken":       {w.createAlias("alias/b/c", one), "AlreadyExistsException"},
			"a name without alias/":      {w.createAlias("a", one), "ValidationException"},
			"a name that is empty":       {w.createAlias("alias/", one), "InvalidAliasNameException"},
			"a name with a space":        {w.createAlias("alias/a b", one), "InvalidAliasNameException"},
			"a name that is too long":    {w.createAlias("alias/"+strings.Repeat("a", 251), one), "InvalidAliasNameException"},
			"a name of AWS":              {w.createAlias("alias/aws/mine", one), "InvalidAliasNameException"},
			"a key that is not there":    {w.createAlias("alias/new", "none"), "NotFoundException"},
			"an alias in place of a key": {w.createAlias("alias/new", "alias/b/c"), "NotFoundException"},
			"an update of none":          {w.updateAlias("alias/none", one), "NotFoundException"},
			"an update to no key":        {w.updateAlias("alias/b/c", "none"), "NotFoundException"},
			"a deletion of none":         {w.deleteAlias("alias/a"), "NotFoundException"},
			"a deletion of one of AWS":   {w.deleteAlias("alias/aws/ebs"), "InvalidAliasNameException"},
			"aliases of no key": {func() error {
				_, err := w.ListAliases(w.Context(), &kms.ListAliasesInput{KeyId: aws.String("none")})
				return err
			}(), "NotFoundException"},
			"a foreign marker": {func() error {
				_, err := w.ListAliases(w.Context(), &kms.ListAliasesInput{Marker: aws.String("x")})
				return err
			}(), "InvalidMarkerException"},
			"a page of 101": {func() error {
				_, err := w.ListAliases(w.Context(), &kms.ListAliasesInput{Limit: aws.Int32(101)})
				return err
			}(), "ValidationException"},
		} {
			w.Log(name)
			svctest.WantCode(w, c.err, c.code)
			svctest.WantStatus(w, c.err, 400)
		}
	})
}

func TestKeysOfAWSAreMadeWhenAskedFor(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		if got := w.usable("alias/aws/ebs"); got != "ok" {
			w.Errorf("a service meets %s", got)
		}
		k := svctest.Must(w.describe("alias/aws/ebs"))(w)
		again := svctest.Must(w.describe("arn:aws:kms:us-east-1:123456789012:alias/aws/ebs"))(w)
		if k.KeyManager != types.KeyManagerTypeAws || *again.KeyId != *k.KeyId {
			w.Errorf("got %+v and %+v", k, again)
		}
		if got := w.aliases(func(in *kms.ListAliasesInput) { in.KeyId = k.KeyId }); !strings.HasPrefix(got, "alias/aws/ebs=") {
			w.Errorf("got %s", got)
		}
		for name, err := range map[string]error{
			"disable": w.disable(*k.KeyId), "enable": w.enable(*k.KeyId), "schedule": w.schedule(*k.KeyId, 7), "cancel": w.cancel(*k.KeyId), "alias": w.createAlias("alias/mine", *k.KeyId),
		} {
			w.Log(name)
			svctest.WantCode(w, err, "AccessDeniedException")
		}
		// Who reads the past sees the same key, and makes no second one.
		svctest.Must(w.cloud.Inject(awstest.Match{}, awstest.Stale(time.Minute)))(w)
		if stale := svctest.Must(w.describe("alias/aws/ebs"))(w); *stale.KeyId != *k.KeyId {
			w.Errorf("got %s", *stale.KeyId)
		}
	})
}

func TestListKeys(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		var want, got []string
		for range 5 {
			want = append(want, *w.key().KeyId)
		}
		pages := kms.NewListKeysPaginator(w, &kms.ListKeysInput{Limit: aws.Int32(2)})
		for pages.HasMorePages() {
			for _, k := range svctest.Must(pages.NextPage(w.Context()))(w).Keys {
				got = append(got, *k.KeyId)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			w.Errorf("got %v, want %v", got, want)
		}
		_, err := w.ListKeys(w.Context(), &kms.ListKeysInput{Limit: aws.Int32(1001)})
		svctest.WantCode(w, err, "ValidationException")
	})
}

func TestReadsOfThePast(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := *w.key().KeyId
		w.until(10 * time.Second)
		if err := w.disable(id); err != nil {
			w.Error(err)
		}
		if err := w.createAlias("alias/a", id); err != nil {
			w.Error(err)
		}
		w.until(20 * time.Second)
		for ago, want := range map[time.Duration]string{
			time.Second: "Disabled Disabled", 15 * time.Second: "Enabled NotFoundException", time.Minute: "NotFoundException NotFoundException",
		} {
			heal := svctest.Must(w.cloud.Inject(awstest.Match{}, awstest.Stale(ago)))(w)
			got := w.state(id) + " " + w.state("alias/a")
			heal()
			if got != want {
				w.Errorf("%v ago: got %s, want %s", ago, got, want)
			}
		}
		if got := w.usable(id); got != "DisabledException" {
			w.Errorf("a service meets %s", got)
		}
	})
}

func TestFaultsOfKeys(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		k := w.key()
		for name, c := range map[string]struct {
			fault        func(*awstest.Cloud, string, string) (func(), error)
			state, meets string
		}{
			"denied":       {kmssvc.Deny, "Enabled", "AccessDeniedException"},
			"disconnected": {kmssvc.Disconnect, "Unavailable", "KMSInvalidStateException"},
		} {
			one, two := svctest.Must(c.fault(w.cloud, "us-east-1", *k.KeyId))(w), svctest.Must(c.fault(w.cloud, "us-east-1", *k.Arn))(w)
			one()
			one()
			if got := w.state(*k.KeyId) + " " + w.usable(*k.KeyId); got != c.state+" "+c.meets {
				w.Errorf("%s: %s", name, got)
			}
			two()
			if got := w.state(*k.KeyId) + " " + w.usable(*k.KeyId); got != "Enabled ok" {
				w.Errorf("%s, healed: %s", name, got)
			}
			for _, err := range []error{
				errorBy(c.fault(w.cloud, "us-east-1", "none")), errorBy(c.fault(w.cloud, "mars-1", *k.KeyId)),
				errorBy(c.fault(svctest.Must(awstest.New(nil))(w), "us-east-1", *k.KeyId)),
			} {
				if _, ok := errors.AsType[*awstest.FieldError](err); !ok {
					w.Errorf("%s: %v", name, err)
				}
			}
		}
		heal := svctest.Must(kmssvc.Disconnect(w.cloud, "us-east-1", *k.KeyId))(w)
		if err := w.schedule(*k.KeyId, 7); err != nil {
			w.Error(err)
		}
		heal()
		if got := w.state(*k.KeyId); got != "PendingDeletion" {
			w.Errorf("healed while it is pending deletion: %s", got)
		}
	})
}

// As the guide has it, note 12: the operation succeeds, and the state changes
// when the key is available.
func TestUnavailableKeyIsWhatItWasAskedToBeOnceAvailable(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for name, c := range map[string]struct {
			before, while func(*world, string) error
			want          string
		}{
			"disabled before":    {(*world).disable, func(*world, string) error { return nil }, "Disabled"},
			"disabled meanwhile": {(*world).enable, (*world).disable, "Disabled"},
			"enabled meanwhile":  {(*world).disable, (*world).enable, "Enabled"},
		} {
			id := *w.key().KeyId
			if err := c.before(w, id); err != nil {
				w.Error(err)
			}
			heal := svctest.Must(kmssvc.Disconnect(w.cloud, "us-east-1", id))(w)
			if err := c.while(w, id); err != nil {
				w.Errorf("%s: %v", name, err)
			}
			if got := w.state(id) + " " + w.usable(id); got != "Unavailable KMSInvalidStateException" {
				w.Errorf("%s, while it is unavailable: %s", name, got)
			}
			heal()
			if got := w.state(id); got != c.want {
				w.Errorf("%s: got %s, want %s", name, got, c.want)
			}
		}
	})
}

func errorBy(_ func(), err error) error { return err }

func TestNoKeyCanBeUsedWhileKMSIsDown(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := *w.key().KeyId
		heal := svctest.Must(w.cloud.FailService("KMS", "us-east-1"))(w)
		if got := w.usable(id); got != "KMSInternalException" {
			w.Errorf("a service meets %s", got)
		}
		heal()
		for _, f := range []awstest.Fault{awstest.PowerLoss, awstest.NetworkLoss} {
			svctest.Must(w.cloud.Zone("use1-az1"))(w).Fail(f)
		}
		if got := w.usable(id); got != "ok" {
			w.Errorf("without a zone a service meets %s", got)
		}
	})
}

func TestDocListsEveryOperation(t *testing.T) {
	t.Parallel()
	svctest.PageListsOperations(t, svctest.Operations[*kms.Client](t, kmssvc.New(), kms.ServiceID))
}

func codes(t *testing.T) map[string]bool {
	t.Helper()
	return svctest.Codes(t, "*.go", "../internal/kmsmodel/*.go")
}

func TestDocListsEveryErrorCode(t *testing.T) {
	t.Parallel()
	svctest.PageListsCodes(t, codes(t))
}

// A code that the SDK has a type for reaches the caller in that type.
func TestErrorsAreOfTheSDKsTypes(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		svctest.ErrorTypes(w, w.cloud, kms.ServiceID, codes(w.T), w.Client, func(code string) *kms.Client {
			return kms.New(kms.Options{
				Region: "us-east-1", Credentials: aws.AnonymousCredentials{}, RetryMaxAttempts: 1,
				HTTPClient: svctest.Answer(`{"__type":"` + code + `","message":"no"}`),
			})
		})
	})
}

func TestServiceFaults(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		list := func() error { _, err := w.ListKeys(w.Context(), nil); return err }
		svctest.ServiceFaults(w, w.cloud, awstest.Match{Service: kms.ServiceID, Operation: "ListKeys"}, list,
			svctest.ServiceFault{Effect: awstest.Throttle(), Code: "ThrottlingException", Status: 400, Attempts: 3},
			svctest.ServiceFault{Effect: awstest.Unavailable(), Code: "KMSInternalException", Status: 500, Attempts: 3},
			svctest.ServiceFault{Effect: awstest.Deny(), Code: "AccessDeniedException", Status: 400, Attempts: 1},
		)
	})
}

func TestNotModelledIsLoud(t *testing.T) {
	t.Parallel()
	for says, input := range map[string]any{
		"Encrypt":                                    &kms.EncryptInput{KeyId: aws.String("k"), Plaintext: []byte("p")},
		"GenerateDataKey":                            &kms.GenerateDataKeyInput{KeyId: aws.String("k")},
		"ReplicateKey":                               &kms.ReplicateKeyInput{KeyId: aws.String("k"), ReplicaRegion: aws.String("eu-west-1")},
		"CreateKey: key spec RSA_2048":               &kms.CreateKeyInput{KeySpec: types.KeySpecRsa2048},
		"CreateKey: key spec HMAC_256":               &kms.CreateKeyInput{CustomerMasterKeySpec: types.CustomerMasterKeySpecHmac256}, //nolint:staticcheck // who still sends it
		"CreateKey: key usage SIGN_VERIFY":           &kms.CreateKeyInput{KeyUsage: types.KeyUsageTypeSignVerify},
		"CreateKey: key material of origin EXTERNAL": &kms.CreateKeyInput{Origin: types.OriginTypeExternal},
		"CreateKey: parameter CustomKeyStoreId":      &kms.CreateKeyInput{CustomKeyStoreId: aws.String("cks-1")},
	} {
		svctest.NotModelled(t, kmssvc.New(), func(cloud *awstest.Cloud) error {
			_, err := svctest.Call(t.Context(), kms.NewFromConfig(cloud.Config("us-east-1")), input)
			return err
		}, "awstest: KMS."+says+" is not modelled")
	}
}

func TestDescriptionsAreCountedInCharacters(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for length, want := range map[int]string{8192: "ok", 8193: "ValidationException"} {
			_, err := w.CreateKey(w.Context(), &kms.CreateKeyInput{Description: aws.String(strings.Repeat("α", length))})
			if got := code(err); got != want {
				w.Errorf("%d characters: got %s, want %s", length, got, want)
			}
		}
	})
}
