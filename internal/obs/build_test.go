package obs

import "testing"

func TestDuckVersionIsReadFromTheBinding(t *testing.T) {
	for in, want := range map[string]string{"v0.10506.0": "1.5.6", "v0.11012.3": "1.10.12", "v0.3.0": "", "(devel)": "", "": ""} {
		if got := duckVersion(in); got != want {
			t.Errorf("duckVersion(%q) = %q, want %q", in, got, want)
		}
	}
}
