// Command client reads secrets through the SDK for Go and prints a line of JSON for each. The SDK finds the sidecar and the
// token in the environment. Usage: client STORE/NAME ... (one secret), STORE ... (all)
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"
	"strings"
	"time"

	dapr "github.com/dapr/go-sdk/client"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"
)

type line struct {
	Step  string  `json:"step"`
	Value any     `json:"value,omitempty"`
	Error *failed `json:"error,omitempty"`
}

type failed struct {
	Code     string            `json:"code"`
	Message  string            `json:"message"`
	Reason   string            `json:"reason,omitempty"`
	Metadata map[string]string `json:"metadata,omitempty"`
	Resource []string          `json:"resource,omitempty"`
}

// show says what a program can learn from an error of the SDK.
func show(err error) *failed {
	// Finds the status inside the error that the SDK wraps around it, and puts that error's text in front of its own.
	told, _ := status.FromError(err)
	shown := &failed{Code: told.Code().String(), Message: told.Message()}
	for _, detail := range told.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			shown.Reason, shown.Metadata = detail.GetReason(), detail.GetMetadata()
		case *errdetails.ResourceInfo:
			shown.Resource = []string{detail.GetResourceType(), detail.GetResourceName(), detail.GetOwner()}
		}
	}
	return shown
}

// read gives what the SDK gives for one secret, or for all.
func read(ctx context.Context, client dapr.Client, step string) (any, error) {
	if store, name, one := strings.Cut(step, "/"); one {
		return client.GetSecret(ctx, store, name, nil)
	}
	return client.GetBulkSecret(ctx, step, nil)
}

func main() {
	// It logs to stdout.
	dapr.SetLogger(nil)
	client, err := dapr.NewClient()
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	out := json.NewEncoder(os.Stdout)
	for _, step := range os.Args[1:] {
		told := line{Step: step}
		if value, err := read(ctx, client, step); err != nil {
			told.Error = show(err)
		} else {
			told.Value = value
		}
		if err := out.Encode(told); err != nil {
			log.Fatal(err)
		}
	}
}
