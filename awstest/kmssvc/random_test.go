package kmssvc_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/svctest"
	"github.com/awsha/awsha/awstest/kmssvc"
)

// TestRandomSequences holds sequences of calls, with weeks passing, against
// keys in a list and aliases in a map.
func TestRandomSequences(t *testing.T) {
	svctest.Sequences(t, 1000, 125, func(t *testing.T, first, last uint64) {
		for s := first; s <= last && !t.Failed(); s++ {
			sequence(t, s)
		}
	})
}

func sequence(t *testing.T, seed uint64) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cloud := svctest.Must(awstest.New([]awstest.Service{kmssvc.New()}, func(o *awstest.Options) { o.Latency = awstest.NoLatency }))(t)
		defer func() {
			if err := cloud.Close(); err != nil {
				t.Error(err)
			}
		}()
		r := &run{
			T: t, client: kms.NewFromConfig(cloud.Config("us-east-1")), rng: rand.New(rand.NewPCG(seed, seed)),
			aliases: map[string]*modelKey{},
		}
		for range 30 {
			got, want := r.step()
			if got != want {
				t.Fatalf("seed %d:\n%s\ngot %s, want %s", seed, strings.Join(r.log, "\n"), got, want)
			}
		}
		if got, want := r.observed(), r.expected(); got != want {
			t.Fatalf("seed %d:\n%s\ngot\n%s\nwant\n%s", seed, strings.Join(r.log, "\n"), got, want)
		}
	})
}

// run is a sequence under way, with the model.
type run struct {
	*testing.T
	client  *kms.Client
	rng     *rand.Rand
	log     []string
	keys    []*modelKey
	aliases map[string]*modelKey
}

type modelKey struct {
	id      string
	state   types.KeyState
	deleted time.Time // when it is pending deletion
}

// gone tells whether the key is not there any more.
func (k *modelKey) gone() bool {
	return k.state == types.KeyStatePendingDeletion && !time.Now().Before(k.deleted)
}

// step makes one call, and returns its outcome and the one that the model
// expects.
func (r *run) step() (got, want string) {
	ctx := r.Context()
	if len(r.keys) == 0 || r.rng.IntN(8) == 0 {
		r.log = append(r.log, "create a key")
		out, err := r.client.CreateKey(ctx, &kms.CreateKeyInput{})
		if err != nil {
			return outcome(err), ""
		}
		r.keys = append(r.keys, &modelKey{id: *out.KeyMetadata.KeyId, state: types.KeyStateEnabled})
		return "", ""
	}
	k := r.keys[r.rng.IntN(len(r.keys))]
	alias := "alias/" + string(rune('a'+r.rng.IntN(4)))
	say := func(format string, args ...any) {
		r.log = append(r.log, fmt.Sprintf(format, args...)+" (key "+k.id[len(k.id)-2:]+")")
	}
	holder := r.aliases[alias]
	if holder != nil && holder.gone() {
		holder = nil
	}
	var err error
	switch r.rng.IntN(9) {
	case 0:
		say("enable")
		_, err = r.client.EnableKey(ctx, &kms.EnableKeyInput{KeyId: &k.id})
		want = r.set(k, types.KeyStateEnabled)
	case 1, 2:
		say("disable")
		_, err = r.client.DisableKey(ctx, &kms.DisableKeyInput{KeyId: &k.id})
		want = r.set(k, types.KeyStateDisabled)
	case 3:
		days := 7 + r.rng.Int32N(24)
		say("schedule the deletion in %d days", days)
		_, err = r.client.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: &k.id, PendingWindowInDays: &days})
		if want = r.set(k, types.KeyStatePendingDeletion); want == "" {
			k.deleted = time.Now().Add(time.Duration(days) * 24 * time.Hour)
		}
	case 4:
		say("cancel the deletion")
		_, err = r.client.CancelKeyDeletion(ctx, &kms.CancelKeyDeletionInput{KeyId: &k.id})
		switch {
		case k.gone():
			want = "NotFoundException"
		case k.state != types.KeyStatePendingDeletion:
			want = "KMSInvalidStateException"
		default:
			k.state = types.KeyStateDisabled
		}
	case 5:
		say("create %s", alias)
		_, err = r.client.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: &alias, TargetKeyId: &k.id})
		switch {
		case k.gone():
			want = "NotFoundException"
		case k.state == types.KeyStatePendingDeletion:
			want = "KMSInvalidStateException"
		case holder != nil:
			want = "AlreadyExistsException"
		default:
			r.aliases[alias] = k
		}
	case 6:
		say("update %s", alias)
		_, err = r.client.UpdateAlias(ctx, &kms.UpdateAliasInput{AliasName: &alias, TargetKeyId: &k.id})
		switch {
		case holder == nil || k.gone():
			want = "NotFoundException"
		case k.state == types.KeyStatePendingDeletion: // the key that it points to so far may be
			want = "KMSInvalidStateException"
		default:
			r.aliases[alias] = k
		}
	case 7:
		say("delete %s", alias)
		_, err = r.client.DeleteAlias(ctx, &kms.DeleteAliasInput{AliasName: &alias})
		if holder == nil {
			want = "NotFoundException"
		}
		delete(r.aliases, alias)
	default:
		days := r.rng.IntN(10)
		say("%d days pass", days)
		time.Sleep(time.Duration(days) * 24 * time.Hour)
	}
	return outcome(err), want
}

// set brings a key into a state, or returns why that is refused.
func (r *run) set(k *modelKey, state types.KeyState) string {
	switch {
	case k.gone():
		return "NotFoundException"
	case k.state == types.KeyStatePendingDeletion:
		return "KMSInvalidStateException"
	}
	k.state = state
	return ""
}

// observed is what the reads show.
func (r *run) observed() string {
	var all []string
	for _, k := range r.keys {
		out, err := r.client.DescribeKey(r.Context(), &kms.DescribeKeyInput{KeyId: &k.id})
		if err != nil {
			all = append(all, k.id+" "+outcome(err))
			continue
		}
		all = append(all, k.id+" "+string(out.KeyMetadata.KeyState))
	}
	out := svctest.Must(r.client.ListAliases(r.Context(), &kms.ListAliasesInput{Limit: aws.Int32(100)}))(r.T)
	for _, a := range out.Aliases {
		if !strings.HasPrefix(*a.AliasName, "alias/aws/") {
			all = append(all, *a.AliasName+" of "+*a.TargetKeyId)
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// expected is the same of the model.
func (r *run) expected() string {
	var all []string
	for _, k := range r.keys {
		state := string(k.state)
		if k.gone() {
			state = "NotFoundException"
		}
		all = append(all, k.id+" "+state)
	}
	for _, name := range slices.Sorted(maps.Keys(r.aliases)) {
		if k := r.aliases[name]; !k.gone() {
			all = append(all, name+" of "+k.id)
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

func outcome(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}
