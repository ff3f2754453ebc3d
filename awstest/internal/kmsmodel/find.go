package kmsmodel

import (
	"net/http"
	"strings"
	"time"

	"github.com/awsha/awsha/awstest"
)

// Key returns a key as of a moment by its ID, its ARN, the name of an alias or
// the ARN of an alias, as DescribeKey does. A predefined alias that has no
// key yet, such as alias/aws/ebs, gets one.
func (r *Region) Key(tx *awstest.Tx, at time.Time, ref string) (Key, error) {
	if name, ok, err := r.aliasName(ref); err != nil {
		return Key{}, err
	} else if ok {
		a, found := r.aliases.Get(at, name)
		switch {
		case !found:
			return Key{}, awstest.Errorf("NotFoundException", "Alias %s is not found.", r.arn(name))
		case a.Key == "":
			return r.managed(tx, name), nil
		}
		return r.byID(at, a.Key)
	}
	return r.KeyByID(at, ref)
}

// KeyByID returns a key as of a moment by its ID or its ARN. Operations that
// change keys take no aliases.
func (r *Region) KeyByID(at time.Time, ref string) (Key, error) {
	id := ref
	if strings.HasPrefix(ref, "arn:") {
		resource, err := r.resource(ref)
		if err != nil {
			return Key{}, err
		}
		var ok bool
		if id, ok = strings.CutPrefix(resource, "key/"); !ok {
			return Key{}, awstest.Errorf("InvalidArnException", "Invalid arn %s", ref)
		}
	}
	return r.byID(at, id)
}

func (r *Region) byID(at time.Time, id string) (Key, error) {
	if k, ok := r.keys.Get(at, id); ok {
		return k, nil
	}
	return Key{}, awstest.Errorf("NotFoundException", "Key '%s' does not exist", r.arn("key/"+id))
}

// aliasName returns the name of an alias that a reference gives by name or by
// ARN.
func (r *Region) aliasName(ref string) (name string, ok bool, err error) {
	if strings.HasPrefix(ref, aliasPrefix) {
		return ref, true, nil
	}
	if !strings.HasPrefix(ref, "arn:") || !strings.Contains(ref, ":"+aliasPrefix) {
		return "", false, nil
	}
	name, err = r.resource(ref)
	return name, err == nil, err
}

// resource returns the last part of an ARN of this account and region. What
// belongs to others is not found, as accounts answer.
func (r *Region) resource(arn string) (string, error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[1] != "aws" || parts[2] != "kms" {
		return "", awstest.Errorf("InvalidArnException", "Invalid arn %s", arn)
	}
	if parts[3] != r.region.Name() {
		return "", awstest.Errorf("NotFoundException", "Invalid arn %s", parts[3])
	}
	if parts[4] != r.model.cloud.AccountID() {
		return "", awstest.Errorf("NotFoundException", "Key '%s' does not exist", arn)
	}
	return parts[5], nil
}

// Use returns the key that a reference leads to, and the error of KMS that
// says why it cannot be used to encrypt and decrypt now, if it cannot.
func (r *Region) Use(tx *awstest.Tx, ref string) (Key, error) {
	if tx.ServiceDown(serviceID, r.region) {
		e := awstest.Errorf("KMSInternalException", "The service is unavailable.")
		e.Status = http.StatusInternalServerError
		return Key{}, e
	}
	k, err := r.Key(tx, tx.Now(), ref)
	if err == nil {
		err = k.usable()
	}
	return k, err
}

// Usable tells by its error whether the key that a reference leads to can be
// used to encrypt and decrypt now.
func (r *Region) Usable(tx *awstest.Tx, ref string) error {
	_, err := r.Use(tx, ref)
	return err
}

// usable answers as the page on key states has it. Of a key that is pending
// deletion the page has KMSInvalidStateException or DisabledException.
// Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html (read 2026-11)
func (k *Key) usable() error {
	switch {
	case k.denied > 0:
		return denied()
	case k.State == Disabled:
		return awstest.Errorf("DisabledException", "%s is disabled.", k.ARN)
	case k.State == PendingDeletion:
		return k.pending()
	case k.State == Unavailable:
		return k.unavailable()
	}
	return nil
}

func (k *Key) pending() error {
	return awstest.Errorf("KMSInvalidStateException", "%s is pending deletion.", k.ARN)
}

func (k *Key) unavailable() error {
	return awstest.Errorf("KMSInvalidStateException", "%s is unavailable.", k.ARN)
}
