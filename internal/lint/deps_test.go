package lint

import (
	"os/exec"
	"strings"
	"testing"
)

// Who imports the Delta library compiles no cloud's SDK, unless he imports the
// package of that cloud.
func TestDeltaAndObjstoreNeedNoCloudSDK(t *testing.T) {
	const azure, aws = "github.com/Azure/", "github.com/aws/"
	for pkg, banned := range map[string][]string{
		"delta": {azure, aws, "github.com/duckdb/"}, "objstore": {azure, aws}, "objstore/cache": {azure, aws},
		"objstore/internal/cloud": {azure, aws}, "objstore/azure": {aws}, "objstore/s3": {azure},
	} {
		out, err := exec.Command("go", "list", "-deps", module+"/"+pkg).CombinedOutput()
		if err != nil {
			t.Fatalf("go list: %v\n%s", err, out)
		}
		for line := range strings.Lines(string(out)) {
			for _, b := range banned {
				if strings.HasPrefix(line, b) {
					t.Errorf("%s needs %s", pkg, strings.TrimSpace(line))
				}
			}
		}
	}
}
