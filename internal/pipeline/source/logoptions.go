package source

import (
	"encoding/json"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// Starting points of a log, as Spark's JSON writes them.
const (
	OffsetLatest   int64 = -1
	OffsetEarliest int64 = -2
)

// LogOptions are the arguments of read_kafka.
type LogOptions struct {
	Topic           string
	Headers         bool
	Starting        int64 // OffsetEarliest or OffsetLatest
	StartingOffsets map[int]int64
	StartingTime    *int64 // milliseconds
	MaxOffsets      int64  // per trigger, 0 without
	FailOnDataLoss  bool
}

// Hub is what read_kafka may name: the project's own hub.
type Hub struct {
	Topic string
	// Hosts are the names that stand for it in bootstrapServers, without port.
	Hosts []string
}

// ParseLogOptions reads the arguments of read_kafka (keys in lower case).
// Options of Kafka's own client (kafka.*) are for the real Kafka or Event Hubs
// and have no say here.
func ParseLogOptions(args map[string]string, hub Hub, pos sparksql.Pos) (LogOptions, error) {
	o := LogOptions{Topic: hub.Topic, Starting: OffsetLatest, FailOnDataLoss: true}
	if err := checkServers(args, hub, pos); err != nil {
		return o, err
	}
	for key, value := range args {
		var err error
		switch key {
		case "bootstrapservers", "kafka.bootstrap.servers", "subscribe", "minpartitions", "groupidprefix", "kafka.group.id",
			"serverlessenabled", "maxtriggerdelay", "minoffsetspertrigger":
		case "includeheaders":
			o.Headers, err = boolOption(key, value, pos)
		case "failondataloss":
			o.FailOnDataLoss, err = boolOption(key, value, pos)
		case "startingoffsets":
			err = o.starting(value, hub.Topic, pos)
		case "startingtimestamp":
			ms, perr := strconv.ParseInt(value, 10, 64)
			if perr != nil {
				err = optionError(pos, "INVALID_PARAMETER_VALUE", "startingTimestamp is milliseconds since 1970, not %q.", value)
			}
			o.StartingTime = &ms
		case "maxoffsetspertrigger", "maxrecordsperfetch":
			n, perr := strconv.ParseInt(value, 10, 64)
			if perr != nil || n <= 0 {
				err = optionError(pos, "INVALID_PARAMETER_VALUE", "%s is a whole number above 0, not %q.", key, value)
			}
			o.MaxOffsets = n
		default:
			if !strings.HasPrefix(key, "kafka.") {
				err = optionError(pos, "UNSUPPORTED_OPTION", "read_kafka has no argument %s here.", key)
			}
		}
		if err != nil {
			return o, err
		}
	}
	return o, nil
}

func checkServers(args map[string]string, hub Hub, pos sparksql.Pos) error {
	servers := args["bootstrapservers"]
	if servers == "" {
		servers = args["kafka.bootstrap.servers"]
	}
	if servers == "" {
		return optionError(pos, "MISSING_OPTION", "read_kafka needs bootstrapServers, here %s:9093.", first(hub.Hosts))
	}
	for server := range strings.SplitSeq(servers, ",") {
		host := strings.TrimSpace(server)
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if !slices.ContainsFunc(hub.Hosts, func(h string) bool { return strings.EqualFold(h, host) }) {
			return optionError(pos, "UNSUPPORTED_OPTION", "read_kafka asks for the server %s; only the project's own hub can be read, which is %s.",
				strings.TrimSpace(server), strings.Join(hub.Hosts, ", "))
		}
	}
	topic, ok := args["subscribe"]
	if !ok {
		return optionError(pos, "MISSING_OPTION", "read_kafka needs subscribe, here %s.", hub.Topic)
	}
	if topic != hub.Topic {
		return optionError(pos, "UNSUPPORTED_OPTION", "read_kafka subscribes to %s; the hub's topic is %s.", topic, hub.Topic)
	}
	return nil
}

func first(s []string) string {
	if len(s) == 0 {
		return "localhost"
	}
	return s[0]
}

// starting reads startingOffsets: a word, or {"topic":{"0":12,"1":-2}}.
func (o *LogOptions) starting(value, topic string, pos sparksql.Pos) error {
	switch strings.ToLower(value) {
	case "earliest":
		o.Starting = OffsetEarliest
		return nil
	case "latest":
		o.Starting = OffsetLatest
		return nil
	}
	var byTopic map[string]map[string]int64
	if err := json.Unmarshal([]byte(value), &byTopic); err != nil || byTopic[topic] == nil || len(byTopic) != 1 {
		return optionError(pos, "INVALID_PARAMETER_VALUE", `startingOffsets is earliest, latest or {"%s":{"0":12,"1":-2}}, not %q.`, topic, value)
	}
	o.StartingOffsets = map[int]int64{}
	for text, at := range byTopic[topic] {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || at < OffsetEarliest {
			return optionError(pos, "INVALID_PARAMETER_VALUE", "startingOffsets has the bad entry %q: %d.", text, at)
		}
		o.StartingOffsets[n] = at
	}
	return nil
}

func boolOption(key, value string, pos sparksql.Pos) (bool, error) {
	switch strings.ToLower(value) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, optionError(pos, "INVALID_PARAMETER_VALUE", "%s is true or false, not %q.", key, value)
}

// KafkaColumns are the columns of read_kafka.
func KafkaColumns(headers bool) []types.Field {
	cols := []types.Field{
		{Name: "key", Type: types.Binary, Nullable: true},
		{Name: "value", Type: types.Binary, Nullable: true},
		{Name: "topic", Type: types.String, Nullable: true},
		{Name: "partition", Type: types.Int, Nullable: true},
		{Name: "offset", Type: types.BigInt, Nullable: true},
		{Name: "timestamp", Type: types.Timestamp, Nullable: true},
		{Name: "timestampType", Type: types.Int, Nullable: true},
	}
	if headers {
		cols = append(cols, types.Field{Name: "headers", Nullable: true, Type: types.Array{
			ContainsNull: true,
			Elem: types.Struct{Fields: []types.Field{
				{Name: "key", Type: types.String, Nullable: true},
				{Name: "value", Type: types.Binary, Nullable: true},
			}},
		}})
	}
	return cols
}
