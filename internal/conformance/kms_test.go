package conformance_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html (read 2026-11)
// Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html (read 2026-11)
// Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html (read 2026-11)
var keyScenarios = []scenario{
	{
		name: "a key has a state",
		run: func(s *session) {
			k := s.newKey("the key")
			s.shows("a new key", "Enabled, CUSTOMER", func() string { return s.keyState(*k.KeyId) })
			s.is("its spec", string(k.KeySpec)+" "+string(k.KeyUsage)+" "+string(k.Origin), "SYMMETRIC_DEFAULT ENCRYPT_DECRYPT AWS_KMS")
			s.accepted("disabling", s.disableKey(*k.KeyId))
			s.shows("disabled", "Disabled, CUSTOMER", func() string { return s.keyState(*k.Arn) })
			s.accepted("disabling again", s.disableKey(*k.KeyId))
			s.accepted("enabling", s.enableKey(*k.KeyId))
			s.shows("enabled", "Enabled, CUSTOMER", func() string { return s.keyState(*k.KeyId) })
			s.refused("cancelling no deletion", s.cancelKeyDeletion(*k.KeyId), "KMSInvalidStateException")
			s.accepted("scheduling its deletion", s.scheduleKeyDeletion(*k.KeyId, 7))
			s.shows("scheduled", "PendingDeletion, CUSTOMER", func() string { return s.keyState(*k.KeyId) })
			s.refused("enabling it then", s.enableKey(*k.KeyId), "KMSInvalidStateException")
			s.refused("disabling it then", s.disableKey(*k.KeyId), "KMSInvalidStateException")
			s.refused("scheduling it again", s.scheduleKeyDeletion(*k.KeyId, 7), "KMSInvalidStateException")
			s.accepted("cancelling its deletion", s.cancelKeyDeletion(*k.KeyId))
			s.shows("cancelled", "Disabled, CUSTOMER", func() string { return s.keyState(*k.KeyId) })
			for at, days := range map[string]int32{"6 days": 6, "31 days": 31} {
				s.refused(at, s.scheduleKeyDeletion(*k.KeyId, days), "ValidationException")
			}
		},
		differs: []difference{
			{on: motoName, at: "its spec", does: "SYMMETRIC_DEFAULT  AWS_KMS"},
			{on: motoName, at: "cancelling no deletion", does: "accepted"},
			{on: motoName, at: "enabling it then", does: "accepted"},
			{on: motoName, at: "disabling it then", does: "accepted"},
			{on: motoName, at: "scheduling it again", does: "accepted"},
			{on: motoName, at: "6 days", does: "accepted"},
			{on: motoName, at: "31 days", does: "accepted"},
		},
	},
	{
		name: "a key is found",
		run: func(s *session) {
			k := s.newKey("the key")
			s.shows("by ID", "Enabled, CUSTOMER", func() string { return s.keyState(*k.KeyId) })
			s.shows("by ARN", "Enabled, CUSTOMER", func() string { return s.keyState(*k.Arn) })
			s.shows("in the list", "there", func() string {
				pages := kms.NewListKeysPaginator(s.kms, &kms.ListKeysInput{})
				for pages.HasMorePages() {
					for _, entry := range must(pages.NextPage(s.Context()))(s).Keys {
						if *entry.KeyId == *k.KeyId && *entry.KeyArn == *k.Arn {
							return "there"
						}
					}
				}
				return "not there"
			})
			s.is("an unknown ID", s.keyState("00000000-0000-4000-8000-ffffffffffff"), "NotFoundException")
			s.is("an unknown alias", s.keyState("alias/awsha-"+s.mark), "NotFoundException")
			s.is("an ARN of another service", s.keyState("arn:aws:ec2:us-east-1:123456789012:volume/vol-1"), "InvalidArnException")
			s.is("a key of another region", s.keyState(strings.Replace(*k.Arn, s.regions[0], s.regions[1], 1)), "NotFoundException")
			s.is("a key of AWS", s.keyState("alias/aws/ebs"), "Enabled, AWS")
		},
		differs: []difference{
			{on: motoName, at: "an ARN of another service", does: "NotFoundException"},
			{on: motoName, at: "a key of another region", does: "Enabled, CUSTOMER"},
			{on: motoName, at: "a key of AWS", does: "Enabled, CUSTOMER"},
		},
	},
}

// Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html (read 2026-11)
// Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateAlias.html (read 2026-11)
// Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_ListAliases.html (read 2026-11)
var aliasScenarios = []scenario{{
	name: "an alias names a key",
	run: func(s *session) {
		one, two := s.newKey("one"), s.newKey("two")
		name := "alias/awsha-" + s.mark
		aliases := func(k *types.KeyMetadata) func() string {
			return func() string {
				out := must(s.kms.ListAliases(s.Context(), &kms.ListAliasesInput{KeyId: k.KeyId}))(s)
				var names []string
				for _, a := range out.Aliases {
					names = append(names, strings.TrimSuffix(*a.AliasName, s.mark))
				}
				return strings.Join(names, ", ")
			}
		}
		target := func() string {
			out, err := s.kms.DescribeKey(s.Context(), &kms.DescribeKeyInput{KeyId: &name})
			if err != nil {
				return outcome(err)
			}
			return s.told(*out.KeyMetadata.KeyId)
		}
		s.accepted("naming", s.createAlias(name, *one.KeyId))
		s.shows("leads to", "one", target)
		s.shows("aliases of one", "alias/awsha-", aliases(one))
		s.refused("naming again", s.createAlias(name, *two.KeyId), "AlreadyExistsException")
		_, err := s.kms.UpdateAlias(s.Context(), &kms.UpdateAliasInput{AliasName: &name, TargetKeyId: two.KeyId})
		s.accepted("renaming", err)
		s.shows("leads to another", "two", target)
		s.shows("aliases of one then", "", aliases(one))
		s.refused("a name without alias/", s.createAlias("awsha-"+s.mark, *one.KeyId), "ValidationException")
		s.refused("a name with a space", s.createAlias(name+" b", *one.KeyId), "InvalidAliasNameException", "ValidationException")
		s.refused("a name for no key", s.createAlias(name+"-b", "00000000-0000-4000-8000-ffffffffffff"), "NotFoundException")
		_, err = s.kms.DeleteAlias(s.Context(), &kms.DeleteAliasInput{AliasName: &name})
		s.accepted("deleting", err)
		s.shows("after deleting", "NotFoundException", target)
		_, err = s.kms.DeleteAlias(s.Context(), &kms.DeleteAliasInput{AliasName: &name})
		s.refused("deleting again", err, "NotFoundException")
	},
}}

// newKey makes a key. It can be taken away in seven days only.
func (s *session) newKey(name string) *types.KeyMetadata {
	s.Helper()
	k := must(s.kms.CreateKey(s.Context(), &kms.CreateKeyInput{
		Description: aws.String("awsha-conformance"), Tags: []types.Tag{{TagKey: aws.String(markKey), TagValue: &s.mark}},
	}))(s).KeyMetadata
	s.call(*k.KeyId, name)
	s.cleanly(*k.KeyId, func(ctx context.Context) error {
		_, err := s.kms.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: k.KeyId, PendingWindowInDays: aws.Int32(7)})
		return unless(err, "KMSInvalidStateException")
	})
	return k
}

func (s *session) keyState(ref string) string {
	out, err := s.kms.DescribeKey(s.Context(), &kms.DescribeKeyInput{KeyId: &ref})
	if err != nil {
		return outcome(err)
	}
	return string(out.KeyMetadata.KeyState) + ", " + string(out.KeyMetadata.KeyManager)
}

func (s *session) enableKey(id string) error {
	_, err := s.kms.EnableKey(s.Context(), &kms.EnableKeyInput{KeyId: &id})
	return err
}

func (s *session) disableKey(id string) error {
	_, err := s.kms.DisableKey(s.Context(), &kms.DisableKeyInput{KeyId: &id})
	return err
}

func (s *session) scheduleKeyDeletion(id string, days int32) error {
	_, err := s.kms.ScheduleKeyDeletion(s.Context(), &kms.ScheduleKeyDeletionInput{KeyId: &id, PendingWindowInDays: &days})
	return err
}

func (s *session) cancelKeyDeletion(id string) error {
	_, err := s.kms.CancelKeyDeletion(s.Context(), &kms.CancelKeyDeletionInput{KeyId: &id})
	return err
}

func (s *session) createAlias(name, id string) error {
	_, err := s.kms.CreateAlias(s.Context(), &kms.CreateAliasInput{AliasName: &name, TargetKeyId: &id})
	if err == nil {
		s.cleanly(name, func(ctx context.Context) error {
			_, err := s.kms.DeleteAlias(ctx, &kms.DeleteAliasInput{AliasName: &name})
			return unless(err, "NotFoundException")
		})
	}
	return err
}

// usableKeys counts the account's own keys that are not pending deletion. Their aliases go with them.
func usableKeys(ctx context.Context, t testing.TB, client *kms.Client) (n int) {
	t.Helper()
	for _, entry := range must(client.ListKeys(ctx, &kms.ListKeysInput{}))(t).Keys {
		k := must(client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: entry.KeyId}))(t).KeyMetadata
		if k.KeyManager == types.KeyManagerTypeCustomer && k.KeyState != types.KeyStatePendingDeletion {
			n++
		}
	}
	return n
}
