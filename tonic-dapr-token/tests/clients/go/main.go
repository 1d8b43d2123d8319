// Calls a server that requires a token, in all four forms of a call, without it and with it, and checks what a Go
// program sees. Messages are bytes as they are. Usage: client ADDRESS TOKEN
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// raw passes bytes on.
type raw struct{}

func (raw) Name() string { return "raw" }

func (raw) Marshal(message any) ([]byte, error) { return *message.(*[]byte), nil }

func (raw) Unmarshal(bytes []byte, message any) error {
	*message.(*[]byte) = bytes
	return nil
}

// A refused upload would have this many messages of a mebibyte.
const upload = 1024

type form struct {
	name   string
	stream grpc.StreamDesc
	asks   []string
	wants  []string
}

var forms = []form{
	{"Unary", grpc.StreamDesc{}, []string{"hello"}, []string{"hello"}},
	{"ServerStream", grpc.StreamDesc{ServerStreams: true}, []string{"3"}, []string{"0", "1", "2"}},
	{"ClientStream", grpc.StreamDesc{ClientStreams: true}, []string{"one", "two", "three"}, []string{"3:11"}},
	{
		"BothWays", grpc.StreamDesc{ServerStreams: true, ClientStreams: true},
		[]string{"one", "two", "three"}, []string{"one", "two", "three"},
	},
}

// call makes one call and gives its answers.
func call(conn *grpc.ClientConn, form form, asks func(int) []byte, tokens []string) ([]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for _, token := range tokens {
		ctx = metadata.AppendToOutgoingContext(ctx, "dapr-api-token", token)
	}
	path := "/test.Echo/" + form.name
	if form.name == "Unary" {
		ask, answer := asks(0), []byte{}
		err := conn.Invoke(ctx, path, &ask, &answer)
		return []string{string(answer)}, err
	}
	stream, err := conn.NewStream(ctx, &form.stream, path)
	if err != nil {
		return nil, err
	}
	for i := 0; ; i++ {
		ask := asks(i)
		if ask == nil {
			break
		}
		// The reason for an end comes with the answers.
		if err := stream.SendMsg(&ask); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
	}
	if err := stream.CloseSend(); err != nil {
		return nil, err
	}
	var answers []string
	for {
		var answer []byte
		if err := stream.RecvMsg(&answer); errors.Is(err, io.EOF) {
			return answers, nil
		} else if err != nil {
			return answers, err
		}
		answers = append(answers, string(answer))
		if !form.stream.ServerStreams {
			return answers, nil
		}
	}
}

// refused checks that an error is the refusal of a token.
func refused(err error, missing bool) error {
	reason, message, complaint := "API_TOKEN_INVALID", "invalid api token", "authentication error: api token mismatch"
	if missing {
		reason, message, complaint = "API_TOKEN_MISSING", "missing api token", "missing api token in request metadata"
	}
	told, ok := status.FromError(err)
	if !ok || told.Code() != codes.Unauthenticated || told.Message() != message {
		return fmt.Errorf("not UNAUTHENTICATED with %q, but %v", message, err)
	}
	if len(told.Details()) != 1 {
		return fmt.Errorf("%d details, not one", len(told.Details()))
	}
	info, ok := told.Details()[0].(*errdetails.ErrorInfo)
	if !ok {
		return fmt.Errorf("no ErrorInfo but %v", told.Details()[0])
	}
	if info.Reason != reason || info.Domain != "dapr.io" || len(info.Metadata) != 2 ||
		info.Metadata["http.code"] != "401" || info.Metadata["http.error_message"] != complaint {
		return fmt.Errorf("another ErrorInfo: %v", info)
	}
	return nil
}

func run(address, token string) error {
	conn, err := grpc.NewClient(address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(raw{})))
	if err != nil {
		return err
	}
	defer conn.Close()
	wrong := []struct {
		name   string
		tokens []string
	}{
		{"none", nil},
		{"wrong", []string{token + "x"}},
		{"empty", []string{""}},
		{"twice", []string{token, token}},
	}
	calls := 0
	for _, form := range forms {
		fixed := func(i int) []byte {
			if i < len(form.asks) {
				return []byte(form.asks[i])
			}
			return nil
		}
		for _, wrong := range wrong {
			asks, given := fixed, 0
			if form.stream.ClientStreams {
				asks = func(i int) []byte {
					if i == upload {
						return nil
					}
					given++
					return make([]byte, 1<<20)
				}
			}
			_, err := call(conn, form, asks, wrong.tokens)
			if err := refused(err, len(wrong.tokens) == 0); err != nil {
				return fmt.Errorf("%s, %s: %w", form.name, wrong.name, err)
			}
			if given > upload/16 {
				return fmt.Errorf("%s, %s: %d MiB went out", form.name, wrong.name, given)
			}
			calls++
		}
		answers, err := call(conn, form, fixed, []string{token})
		if err != nil {
			return fmt.Errorf("%s, accepted: %w", form.name, err)
		}
		if fmt.Sprint(answers) != fmt.Sprint(form.wants) {
			return fmt.Errorf("%s: %v, not %v", form.name, answers, form.wants)
		}
		calls++
	}
	fmt.Printf("%d calls were as they should be\n", calls)
	return nil
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: client ADDRESS TOKEN")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
