// daprd itself, from its published module at the version that the recordings are of, for the test that runs it in front
// of an app. Its stable components have no name resolution that keeps off the network, so one of the others is added.
package main

import (
	"github.com/dapr/components-contrib/nameresolution/nameformat"
	"github.com/dapr/dapr/cmd/daprd/app"
	"github.com/dapr/dapr/pkg/components/nameresolution"
)

func main() {
	nameresolution.DefaultRegistry.RegisterComponent(nameformat.NewResolver, "nameformat")
	app.Run()
}
