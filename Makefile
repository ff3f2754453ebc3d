# The targets are shortcuts; .ci/run has the checks.
TOOL = go tool -modfile=internal/tools/go.mod

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

.PHONY: check
check: ## everything that CI checks, in the same way
	@bash .ci/run

.PHONY: test
test: ## the tests
	go test ./...

.PHONY: conformance
conformance: ## the conformance suite on moto's server
	@bash .ci/run conformance

.PHONY: race
race: ## the tests, shuffled, under the race detector
	go test -race -shuffle=on ./...

.PHONY: lint
lint: ## the linters
	$(TOOL) golangci-lint run

.PHONY: fmt
fmt: ## format the code and apply what go fix suggests
	gofmt -w .
	go fix ./...

.PHONY: generate
generate: ## write the generated files anew
	go generate ./...

.PHONY: random
random: ## 10,000 random sequences of calls for each service of awstest; a failure tells the seed, and -seed=N replays it
	go test -count=1 -timeout=60m -run='^TestRandom' ./awstest/arczonalshiftsvc ./awstest/autoscalingsvc ./awstest/cloudwatchsvc \
		./awstest/dynamodbsvc ./awstest/ec2svc ./awstest/eventbridgesvc ./awstest/kmssvc ./awstest/rdssvc ./awstest/route53svc ./awstest/s3svc ./awstest/sqssvc -sequences=10000

.PHONY: fuzz
fuzz: ## one fuzz test until it fails: make fuzz IN=./eip NAME=FuzzRequest
	go test -run='^$$' -fuzz='^$(NAME)$$' $(IN)

.PHONY: bench
bench: ## the benchmarks
	go test -run='^$$' -bench=. -benchmem ./...

.PHONY: peers
peers: ## the health checks beside those of HAProxy, which has to be installed
	cd bench && go run ./healthcheck

.PHONY: vuln
vuln: ## known vulnerabilities; asks the Go vulnerability database
	$(TOOL) govulncheck ./...
