// Package cloud is what the stores over HTTP services have in common: which
// requests are tried again and when, how the outcome of a put is settled, large
// objects in parts, bodies that go on after a broken connection. A package for
// one service implements Service by single requests, which its SDK must not
// repeat.
//
// Each put marks its object with a random text. When an answer is lost, or the
// service says that an object is there, the object is read back: with the mark
// of this put it is this put's success, with another it is ErrExists, and where
// reading back fails too, the outcome is ErrUnknownOutcome. An attempt whose
// fate is unknown is remembered: no later refusal is taken for the outcome of
// the put.
//
// What is repeated: reads; puts, as above; parts, which the commit names; and
// deletes. A repeated delete, or a repeated put without condition, may meet what
// another writer put under the same key between the two; Delta's files have
// names of their own, and its commits are conditional.
package cloud
