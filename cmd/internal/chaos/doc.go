// Package chaos holds tests that play random days on a simulated tenant: a
// random tenant, a random policy, an unsteady service, a role that may lack
// something, other administrators at work, and Ctrl-C in the middle of a write.
//
// Each day is made from a seed, and goes through the packages of the real
// program: commands are started as a user starts them, with arguments, an
// environment and streams, and speak HTTP to the simulator and to its authority.
// Time does not pass: a day lives in a bubble of testing/synctest.
//
// A day is then held to what must be true of every day, whatever went wrong in
// it: no tenant is called in line that is not, no write is sent that the policy
// does not ask for or that was not recorded first, none is repeated blindly,
// each command ends by itself with a documented status, and once the service is
// well again the tenant gets where the policy wants it.
//
// What the policy wants is worked out by a model of its own, which shares
// nothing with the packages under test; the simulator's oracle judges by it.
//
// # Running
//
// `.ci/chaos N FROM` plays N days from a seed on, `.ci/chaos --seed S` plays one
// and prints its policy, its faults and its calls.
//
// # Limits
//
// The model's policy language is a part of the real one: what it leaves out,
// such as contradicting rules and actions that are let through unknown, never
// comes up here. A day is repeatable as far as the program under test is: the
// pauses that a client draws at random before it tries again are not part of
// the seed.
package chaos
