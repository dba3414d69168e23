// Package storetest holds the law that every store has to obey, as tests.
//
// [Run] is what one process can see of a store; [RunReopened] adds what is left
// after it was closed. What a crash, a full disk or a damaged file does to a store is
// for the tests of each kind of store.
package storetest
