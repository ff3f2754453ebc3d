// Package conformance holds awstest to AWS's documentation, and has a witness.
//
// awstest is ours, so that it can hold our own misunderstandings of AWS. One suite of scenarios therefore runs in two kinds
// of places, the same code through the SDK's clients: on awstest always, in bubbles of testing/synctest, and over HTTP
// wherever an endpoint is named: an emulator of somebody else's, or a real account. A scenario asserts what AWS documents;
// where a place does something else, the documentation wins. What it does is listed beside the scenario, and the list is checked: a
// difference that is mended fails the test. (One that is mended only after a while is not seen: known differences are looked at
// three times, not waited for.)
//
// What is built on conditional writes, the stores of package failover, is held to its own contract in the same places over HTTP.
//
// It has tests and nothing else.
//
// # How it runs
//
//	go test ./internal/conformance   # on awstest, a second; part of go test ./...
//	make conformance                 # on moto's server too; part of make check
//
// make conformance is the step of that name in .ci/run. It takes the moto_server on PATH, or installs one with pip for the
// time of the run, and starts it on a free port of 127.0.0.1. By hand, on a server that runs already, which is reset before
// each scenario:
//
//	AWSHA_CONFORMANCE_ENDPOINT=http://127.0.0.1:5000 go test ./internal/conformance -run TestEndpoint
//
// On another emulator:
//
//	AWSHA_CONFORMANCE_ENDPOINT=https://emulator.test:4566 AWSHA_CONFORMANCE_EMULATOR=none \
//	AWSHA_CONFORMANCE_CA_BUNDLE=ca.pem go test ./internal/conformance -run TestEndpoint
//
// On a real account, with the default credentials:
//
//	AWSHA_CONFORMANCE_ENDPOINT=aws AWSHA_CONFORMANCE_IMAGE=ami-... \
//	go test ./internal/conformance -run TestEndpoint -timeout 3h
//
// That costs money, a few dollars: public addresses, t3.micro instances and a load balancer are charged by the hour or the
// second, and each association may be charged as a remap. It needs a default VPC with subnets in two zones, room for two more
// addresses in the first region and one in the second, and permission for the operations that the adapters list on their
// package pages. What can have a tag has the tag awsha-conformance. Scenarios run one after the other,
// assume nothing of what else there is in the account, and take away what they made, also if they fail; what could not be
// taken away is reported by ID. KMS keys cannot be: they stay for the seven days that AWS wants between the order and the
// deletion. Nobody has run it there yet: expect differences in what AWS documents and accounts do.
//
// # Settings
//
// They are environment variables; empty is not set, and a mistake in any of them fails the test.
//
//   - AWSHA_CONFORMANCE_ENDPOINT: the URL of an emulator, http or https, for all services; aws for a real account. Not set: awstest only.
//   - AWSHA_CONFORMANCE_REQUIRED: 1 makes it a failure that there is no endpoint.
//   - AWSHA_CONFORMANCE_EMULATOR: whose known differences apply: moto, the default, or none. On moto, states are awaited for 5 seconds, elsewhere for a minute, on AWS for ten.
//   - AWSHA_CONFORMANCE_CA_BUNDLE: a file of certificates in PEM form, in place of the system's.
//   - AWSHA_CONFORMANCE_REGIONS: the region of the scenarios and a second one, us-east-1,eu-west-1 unless set.
//   - AWSHA_CONFORMANCE_CREDENTIALS: static, which any emulator takes, or default, the SDK's default chain. On AWS default.
//   - AWSHA_CONFORMANCE_IMAGE: the AMI of the instances; has to be given on AWS.
//
// # Differences
//
// Every assertion has a name, and is a comparison of two texts. What a place is known to do in another way stands beside the
// scenario, with what is observed there, and is checked as strictly as the rest: it fails the test that a place differs
// where nothing is listed, that it differs in another way than listed, and that it does not differ any more. So an emulator
// that is mended shows up, and so does a new misunderstanding. What an emulator does not implement, it answers with HTTP 500
// or 404 and a page; that is told as "not implemented". A scenario of a service that an emulator may not have at all ends at
// its first call.
//
// awstest has entries only where it is stricter than AWS on purpose.
package conformance
