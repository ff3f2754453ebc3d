// Package failovermock has moq mocks of the interfaces of package failover and of its sub-packages' ports, for the single odd reply in a
// test. For whole executions, failover.MemoryStore and failover.MemoryJournal behave like the real ones.
package failovermock
