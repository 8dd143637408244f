// Package mqtt is MQTT 3.1.1: the codec, the server side of a connection and
// a small client. It knows packets, flow and life of connections; what topics
// mean is the business of the Handler that is given to the Server.
//
// The server cuts packets out of the connection's read buffer: a Publish
// points into it and is valid until Session.Publish returns. Acknowledgements
// are owed through Pending: they leave in the order in which the messages
// came [MQTT-4.6.0-2], many in one write, and only once the session says that
// the messages are kept. A connection that owes too many is not read from
// until it owes less.
//
// Two goroutines serve a connection, a reader and a writer; both have ended
// when Server.Serve or Server.ServeConn returns. Tags like [MQTT-3.1.0-2]
// name the rule of the specification that the code beside them carries out.
package mqtt
