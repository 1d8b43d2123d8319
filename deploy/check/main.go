// Asks a real Kubernetes API server about the manifests of this project.
//
//	check manifests --etcd /usr/bin/etcd deploy/kubernetes
//	check kube-apiserver FLAGS..
//
// `manifests` renders every kustomization below the folder, starts etcd and an API server on free ports of the loopback
// address, and applies each object with `dryRun=All` and `fieldValidation=Strict`. `kube-apiserver` is that server alone,
// with the flags of upstream.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

// Everything together: a server is ready in seconds, and each question takes milliseconds.
const patience = 3 * time.Minute

func main() {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "kube-apiserver":
			os.Args = os.Args[1:]
			os.Exit(cli.Run(app.NewAPIServerCommand()))
		case "manifests":
			if err := manifests(os.Args[2:]); err != nil {
				fmt.Fprintln(os.Stderr, "error:", err)
				os.Exit(1)
			}
			return
		}
	}
	fmt.Fprintln(os.Stderr, "usage: check manifests --etcd PROGRAM FOLDER | check kube-apiserver FLAGS..")
	os.Exit(2)
}

func manifests(args []string) error {
	flags := flag.NewFlagSet("manifests", flag.ExitOnError)
	etcd := flags.String("etcd", "etcd", "the program")
	flags.Parse(args) // ExitOnError: it does not return one
	if flags.NArg() != 1 {
		return fmt.Errorf("one folder is expected, not %d", flags.NArg())
	}
	rendered, err := render(flags.Arg(0))
	if err != nil {
		return err
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()

	folder, err := os.MkdirTemp("", "manifests-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	cluster, err := start(ctx, *etcd, folder)
	if err != nil {
		return err
	}
	defer cluster.stop()

	asker, err := newAsker(ctx, cluster)
	if err != nil {
		return err
	}
	return asker.askAll(rendered)
}
