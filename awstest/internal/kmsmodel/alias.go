package kmsmodel

import (
	"iter"
	"regexp"
	"strings"
	"time"

	"github.com/awsha/awsha/awstest"
)

// Alias is a name of a key.
type Alias struct {
	Name, ARN        string
	Key              string // ID; empty for a predefined alias that has no key yet
	Created, Updated time.Time
}

const (
	aliasPrefix    = "alias/"
	reservedPrefix = "alias/aws/"
)

// predefined are the aliases of AWS of the services that there are here.
var predefined = []string{
	"alias/aws/dynamodb", "alias/aws/ebs", "alias/aws/rds", "alias/aws/s3", "alias/aws/sqs",
}

// Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html (read 2026-11)
var aliasPattern = regexp.MustCompile(`^alias/[a-zA-Z0-9/_-]{1,250}$`)

// checkAlias holds the name of an alias of the account against the rules.
func checkAlias(name string) error {
	switch {
	case !strings.HasPrefix(name, aliasPrefix):
		return awstest.Errorf("ValidationException", "Alias must start with the prefix \"alias/\". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html")
	case !aliasPattern.MatchString(name):
		return awstest.Errorf("InvalidAliasNameException", "Alias contains invalid characters for an alias, or is too long")
	case strings.HasPrefix(name, reservedPrefix):
		return awstest.Errorf("InvalidAliasNameException", "Alias names that begin with %s are reserved", reservedPrefix)
	}
	return nil
}

// Aliases yields the aliases as of a moment, in the order of their creation.
func (r *Region) Aliases(at time.Time) iter.Seq[Alias] {
	return func(yield func(Alias) bool) {
		for _, a := range r.aliases.All(at) {
			if !yield(a) {
				return
			}
		}
	}
}

// target returns a key that an alias may point to.
func (r *Region) target(tx *awstest.Tx, ref string) (Key, error) {
	k, err := r.own(tx, ref)
	if err == nil && k.State == PendingDeletion {
		err = k.pending()
	}
	return k, err
}

// CreateAlias gives a key a name.
func (r *Region) CreateAlias(tx *awstest.Tx, name, ref string) error {
	if err := checkAlias(name); err != nil {
		return err
	}
	k, err := r.target(tx, ref)
	if err != nil {
		return err
	}
	if _, taken := r.aliases.Get(tx.Now(), name); taken {
		return awstest.Errorf("AlreadyExistsException", "An alias with the name %s already exists", r.arn(name))
	}
	r.aliases.Put(tx.Now(), name, Alias{Name: name, ARN: r.arn(name), Key: k.ID, Created: tx.Now(), Updated: tx.Now()})
	return nil
}

// UpdateAlias makes an alias name another key.
func (r *Region) UpdateAlias(tx *awstest.Tx, name, ref string) error {
	a, err := r.alias(tx, name)
	if err != nil {
		return err
	}
	k, err := r.target(tx, ref)
	if err != nil {
		return err
	}
	a.Key, a.Updated = k.ID, tx.Now()
	r.aliases.Put(tx.Now(), name, a)
	return nil
}

// DeleteAlias takes a name away; the key stays.
func (r *Region) DeleteAlias(tx *awstest.Tx, name string) error {
	if _, err := r.alias(tx, name); err != nil {
		return err
	}
	r.aliases.Delete(tx.Now(), name)
	return nil
}

// alias returns an alias that the account may change.
func (r *Region) alias(tx *awstest.Tx, name string) (Alias, error) {
	if err := checkAlias(name); err != nil {
		return Alias{}, err
	}
	a, ok := r.aliases.Get(tx.Now(), name)
	if !ok {
		return a, awstest.Errorf("NotFoundException", "Alias %s is not found.", r.arn(name))
	}
	return a, nil
}
