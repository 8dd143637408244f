package iothub

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/marisma/marisma/internal/mqtt"
)

// Topics and filters of a connection's own topic space.
const (
	twinAnswers   = "$iothub/twin/res/#"
	twinDesired   = "$iothub/twin/PATCH/properties/desired/#"
	methodCalls   = "$iothub/methods/POST/#"
	twinGet       = "$iothub/twin/GET/"
	twinReported  = "$iothub/twin/PATCH/properties/reported/"
	methodAnswers = "$iothub/methods/res/"
)

// mayRead tells whether a filter is one that a device may subscribe to.
func (s *session) mayRead(filter string) bool {
	switch filter {
	case twinAnswers, twinDesired, methodCalls:
		return true
	}
	own, ok := strings.CutPrefix(filter, "devices/"+s.id.device+"/")
	if !ok {
		return false
	}
	if s.id.module == "" {
		return own == "messages/devicebound/#"
	}
	own, ok = strings.CutPrefix(own, "modules/"+s.id.module+"/")
	return ok && (own == "#" || own == "inputs/#" || own == "messages/devicebound/#")
}

// emptyTwin is the twin of a device that nobody has written to.
const emptyTwin = `{"desired":{"$version":1},"reported":{"$version":1}}`

// notServed answers what this hub does not serve. Python's SDK looks at the
// status of the topic, Node's at errorCode in the body.
const notServed = `{"errorCode":501001,"message":"reported properties are not stored by this hub yet"}`

// badRequest answers a twin request of another form.
const badRequest = `{"errorCode":400000,"message":"not a twin request: GET/ or PATCH/properties/reported/ is expected"}`

// request handles a message that is not telemetry. Anything outside of the
// device's topic space ends the connection [MQTT-3.3.5-2].
func (s *session) request(c *mqtt.Conn, m *mqtt.Publish) error {
	topic := m.Topic
	isTwin := bytes.HasPrefix(topic, []byte("$iothub/twin/"))
	if !isTwin && !bytes.HasPrefix(topic, []byte(methodAnswers)) {
		return ErrForeignTopic
	}
	c.Owe([]mqtt.Publish{*m}).Done()
	if !isTwin {
		return nil // the answer to a call that was never made: nobody waits for it
	}
	rid := requestID(topic)
	if rid == "" || !s.subscribed(twinAnswers) {
		return nil // has no way to hear an answer
	}
	status, body := 400, badRequest
	switch {
	case bytes.HasPrefix(topic, []byte(twinGet)):
		status, body = 200, emptyTwin
	case bytes.HasPrefix(topic, []byte(twinReported)):
		status, body = 501, notServed
	}
	to := "$iothub/twin/res/" + strconv.Itoa(status) + "/?$rid=" + rid
	c.Send(mqtt.AppendPublish(nil, to, []byte(body), 0, 0, false, false))
	return nil
}

// requestID is the text of $rid in the query of a topic.
func requestID(topic []byte) string {
	_, query, _ := bytes.Cut(topic, []byte{'?'})
	for pair := range bytes.SplitSeq(query, []byte{'&'}) {
		if rid, ok := bytes.CutPrefix(pair, []byte("$rid=")); ok {
			return string(rid)
		}
	}
	return ""
}
