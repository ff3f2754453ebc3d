package kmssvc

import (
	"fmt"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/kmsmodel"
)

// Deny refuses the use of a key to the services of the cloud that encrypt with
// it, as a key policy or a revoked grant does, until heal is called. Nothing
// that KMS shows of the key tells.
//
// The key is given by its ID or its ARN. A mistake is a [*awstest.FieldError].
func Deny(cloud *awstest.Cloud, region, key string) (heal func(), err error) {
	return inflict(cloud, region, key, (*kmsmodel.Region).Deny)
}

// Disconnect makes a key unavailable, as a key in a custom key store is whose
// store is disconnected, until heal is called; one that is pending deletion
// stays so. Otherwise it is like [Deny].
func Disconnect(cloud *awstest.Cloud, region, key string) (heal func(), err error) {
	return inflict(cloud, region, key, (*kmsmodel.Region).Disconnect)
}

func inflict(cloud *awstest.Cloud, region, key string, fault func(*kmsmodel.Region, *awstest.Tx, string) func(*awstest.Tx)) (heal func(), err error) {
	r, err := cloud.Region(region)
	if err != nil {
		return nil, err
	}
	var undo func(*awstest.Tx)
	cloud.Update(func(tx *awstest.Tx) {
		m, ok := awstest.Lookup[kmsmodel.Model](tx)
		if !ok {
			err = &awstest.FieldError{Field: "cloud", Value: "the cloud", Rule: "must have KMS"}
			return
		}
		k, notFound := m.Region(r).KeyByID(tx.Now(), key)
		if notFound != nil {
			err = &awstest.FieldError{Field: "key", Value: fmt.Sprintf("%q", key), Rule: "is not a key of " + region}
			return
		}
		undo = fault(m.Region(r), tx, k.ID)
	})
	if err != nil {
		return nil, err
	}
	healed := false
	return func() {
		cloud.Update(func(tx *awstest.Tx) {
			if !healed {
				healed = true
				undo(tx)
			}
		})
	}, nil
}
