package rdssvc

import (
	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/rdsmodel"
)

// SetWrites makes a database hold a number of writes from now on, by which
// tests tell what a backup, a restore or a replica has of it: there is no SQL
// here. It is refused for a database that takes no writes: a read replica, and
// one that is not available or cannot be reached.
//
// The database is given by its identifier. The error is an
// [*awstest.APIError] with the code that RDS has for it.
func SetWrites(cloud *awstest.Cloud, region, database string, total int64) error {
	return look(cloud, region, func(tx *awstest.Tx, r *rdsmodel.Region) error { return r.SetWrites(tx, database, total) })
}

// Writes returns how many writes a database holds, by its identifier; one that
// is being restored holds them from the beginning.
func Writes(cloud *awstest.Cloud, region, database string) (total int64, err error) {
	err = look(cloud, region, func(tx *awstest.Tx, r *rdsmodel.Region) error {
		total, err = r.Writes(tx, database)
		return err
	})
	return total, err
}

// Machines returns the machines of a database, so that tests can make them
// fail; standby is nil for one that has none.
func Machines(cloud *awstest.Cloud, region, database string) (primary, standby *awstest.Instance, err error) {
	err = look(cloud, region, func(tx *awstest.Tx, r *rdsmodel.Region) error {
		i, err := r.Instance(tx.Now(), database)
		if err == nil {
			primary, standby = i.Machines()
		}
		return err
	})
	return primary, standby, err
}

// look gives the model of a region to fn.
func look(cloud *awstest.Cloud, region string, fn func(*awstest.Tx, *rdsmodel.Region) error) error {
	r, err := cloud.Region(region)
	if err != nil {
		return err
	}
	cloud.Update(func(tx *awstest.Tx) {
		m, ok := awstest.Lookup[rdsmodel.Model](tx)
		if !ok {
			err = &awstest.FieldError{Field: "cloud", Value: "the cloud", Rule: "must have RDS"}
			return
		}
		err = fn(tx, m.Region(r))
	})
	return err
}
