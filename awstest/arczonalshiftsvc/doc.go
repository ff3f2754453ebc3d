// Package arczonalshiftsvc is ARC zonal shift in memory: an adapter of [awstest].
package arczonalshiftsvc
