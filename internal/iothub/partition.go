package iothub

// PartitionOf is the partition of a device among n: murmur2 as Kafka's default
// partitioner, so that a Kafka producer that keys by device id meets the hub's
// choice. n must be positive.
func PartitionOf(deviceID string, n int) int {
	return int(murmur2(deviceID)&0x7fffffff) % n
}

func murmur2(s string) uint32 {
	const m = 0x5bd1e995
	h := uint32(0x9747b28c) ^ uint32(len(s))
	for len(s) >= 4 {
		k := uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
		k *= m
		k ^= k >> 24
		h = h*m ^ k*m
		s = s[4:]
	}
	switch len(s) {
	case 3:
		h ^= uint32(s[2]) << 16
		fallthrough
	case 2:
		h ^= uint32(s[1]) << 8
		fallthrough
	case 1:
		h = (h ^ uint32(s[0])) * m
	}
	h ^= h >> 13
	h *= m
	return h ^ h>>15
}
