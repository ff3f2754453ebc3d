module github.com/awsha/awsha/bench

go 1.26.0

require github.com/awsha/awsha v0.0.0

replace github.com/awsha/awsha => ../
