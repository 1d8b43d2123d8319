// What must be refused: a check that accepts everything would accept these too.
package main

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

type control struct {
	name   string
	bundle string
	object string
	// Breaks the manifest.
	edit func(object *unstructured.Unstructured) error
	// Whether its pod is asked about instead.
	pod bool
	// Part of the refusal.
	says string
}

var controls = []control{
	{
		name: "a field that does not exist", bundle: "native-sidecar", object: "Deployment/orders",
		edit: set(true, "spec", "template", "spec", "automountServiceAccountTokens"),
		says: "automountServiceAccountTokens",
	},
	{
		name: "a field that does not exist, in the DaemonSet", bundle: "node-socket", object: "DaemonSet/dapr-secrets-node",
		edit: set("x", "spec", "template", "spec", "securityContext", "runAsNonRoots"),
		says: "runAsNonRoots",
	},
	{
		name: "a value of another type", bundle: "shared-tls", object: "Deployment/dapr-secrets",
		edit: set("two", "spec", "replicas"),
		says: "replicas",
	},
	{
		name: "a value that does not exist", bundle: "shared-tls", object: "PodDisruptionBudget/dapr-secrets",
		edit: set("Sometimes", "spec", "unhealthyPodEvictionPolicy"),
		says: "unhealthyPodEvictionPolicy",
	},
	{
		name: "labels that the selector does not select", bundle: "dapr-injector", object: "Deployment/orders",
		edit: set("others", "spec", "template", "metadata", "labels", "app.kubernetes.io/name"),
		says: "selector",
	},
	{
		name: "a pod with a folder of the node where restricted is enforced", bundle: "node-socket", object: "DaemonSet/dapr-secrets-node",
		edit: set("orders", "metadata", "namespace"), pod: true,
		says: "hostPath",
	},
	{
		name: "a pod that may be root where restricted is enforced", bundle: "native-sidecar", object: "Deployment/orders",
		edit: set(false, "spec", "template", "spec", "securityContext", "runAsNonRoot"), pod: true,
		says: "runAsNonRoot",
	},
	{
		name: "a pod of a service account that is not there", bundle: "shared-tls", object: "Deployment/dapr-secrets",
		edit: set("nobody", "spec", "template", "spec", "serviceAccountName"), pod: true,
		says: "nobody",
	},
}

func set(value any, path ...string) func(*unstructured.Unstructured) error {
	return func(object *unstructured.Unstructured) error {
		return unstructured.SetNestedField(object.Object, value, path...)
	}
}

// An error unless the server refuses, and for the reason that is meant.
func (a *asker) refused(control control, bundles []bundle) error {
	for _, bundle := range bundles {
		for _, object := range bundle.objects {
			if bundle.name != control.bundle || nameOf(object) != control.object {
				continue
			}
			broken := object.DeepCopy()
			if err := control.edit(broken); err != nil {
				return err
			}
			if control.pod {
				broken = podOf(broken)
			}
			err := a.dryRun(broken)
			switch {
			case err == nil:
				return fmt.Errorf("it was accepted")
			case !isRefusal(err) || !strings.Contains(err.Error(), control.says):
				return fmt.Errorf("it was refused for another reason: %w", err)
			}
			return nil
		}
	}
	return fmt.Errorf("there is no %s in %s", control.object, control.bundle)
}
