package kmssvc

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/awsha/awsha/awstest"
)

func (s *service) addAliases(e *awstest.Endpoint) {
	awstest.Handle(e, s.createAlias, "AliasName", "TargetKeyId")
	awstest.Handle(e, s.updateAlias, "AliasName", "TargetKeyId")
	awstest.Handle(e, s.deleteAlias, "AliasName")
	awstest.Handle(e, s.listAliases, "KeyId", "Limit", "Marker")
}

func (s *service) createAlias(tx *awstest.Tx, call *awstest.Call, in *kms.CreateAliasInput) (*kms.CreateAliasOutput, error) {
	if err := s.region(call).CreateAlias(tx, aws.ToString(in.AliasName), aws.ToString(in.TargetKeyId)); err != nil {
		return nil, err
	}
	return &kms.CreateAliasOutput{}, nil
}

func (s *service) updateAlias(tx *awstest.Tx, call *awstest.Call, in *kms.UpdateAliasInput) (*kms.UpdateAliasOutput, error) {
	if err := s.region(call).UpdateAlias(tx, aws.ToString(in.AliasName), aws.ToString(in.TargetKeyId)); err != nil {
		return nil, err
	}
	return &kms.UpdateAliasOutput{}, nil
}

func (s *service) deleteAlias(tx *awstest.Tx, call *awstest.Call, in *kms.DeleteAliasInput) (*kms.DeleteAliasOutput, error) {
	if err := s.region(call).DeleteAlias(tx, aws.ToString(in.AliasName)); err != nil {
		return nil, err
	}
	return &kms.DeleteAliasOutput{}, nil
}

// Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_ListAliases.html (read 2026-11)
const (
	aliasesPage    = 50
	maxAliasesPage = 100
)

func (s *service) listAliases(_ *awstest.Tx, call *awstest.Call, in *kms.ListAliasesInput) (*kms.ListAliasesOutput, error) {
	region, id := s.region(call), ""
	if in.KeyId != nil {
		k, err := region.KeyByID(call.At, *in.KeyId)
		if err != nil {
			return nil, err
		}
		id = k.ID
	}
	var found []types.AliasListEntry
	for a := range region.Aliases(call.At) {
		if id != "" && a.Key != id {
			continue
		}
		entry := types.AliasListEntry{AliasName: &a.Name, AliasArn: &a.ARN}
		if a.Key != "" {
			entry.TargetKeyId, entry.CreationDate, entry.LastUpdatedDate = &a.Key, &a.Created, &a.Updated
		}
		found = append(found, entry)
	}
	part, next, err := page(found, in.Marker, in.Limit, aliasesPage, maxAliasesPage)
	if err != nil {
		return nil, err
	}
	return &kms.ListAliasesOutput{Aliases: part, NextMarker: next, Truncated: next != nil}, nil
}
