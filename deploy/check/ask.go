// What the API server says to each object: nothing is kept but namespaces and service accounts, which pods need.
package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
)

const (
	manager  = "check"
	enforced = "pod-security.kubernetes.io/enforce"
)

type asker struct {
	ctx      context.Context
	client   dynamic.Interface
	mapper   meta.RESTMapper
	warnings *warnings
}

// What the server warns of while it answers one question.
type warnings struct{ texts []string }

func (w *warnings) HandleWarningHeader(_ int, _ string, text string) { w.texts = append(w.texts, text) }

func newAsker(ctx context.Context, cluster *cluster) (*asker, error) {
	warned := &warnings{}
	config := &rest.Config{
		Host:            cluster.url,
		BearerToken:     cluster.token,
		TLSClientConfig: rest.TLSClientConfig{CAFile: cluster.authorities},
		WarningHandler:  warned,
		QPS:             -1,
	}
	found, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	groups, err := restmapper.GetAPIGroupResources(found)
	if err != nil {
		return nil, err
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	version, err := found.ServerVersion()
	if err != nil {
		return nil, err
	}
	fmt.Println("kube-apiserver", version.GitVersion)
	return &asker{ctx, client, restmapper.NewDiscoveryRESTMapper(groups), warned}, nil
}

func (a *asker) askAll(bundles []bundle) error {
	namespaces, err := a.makeNamespaces(bundles)
	if err != nil {
		return err
	}
	failed, asked := 0, 0
	tell := func(bundle, what string, err error) {
		asked++
		if err != nil {
			failed++
			fmt.Printf("FAILED   %-36s %s: %v\n", bundle, what, err)
			return
		}
		fmt.Printf("accepted %-36s %s\n", bundle, what)
	}

	for _, bundle := range bundles {
		for _, object := range bundle.objects {
			tell(bundle.name, nameOf(object), a.accepted(object, namespaces))
		}
		for _, object := range bundle.objects {
			if object.GetKind() == "ServiceAccount" {
				if err := a.keep(object); err != nil {
					return err
				}
			}
		}
		for _, object := range bundle.objects {
			if pod := podOf(object); pod != nil {
				what := "pod of " + nameOf(object) + " where " + namespaces[namespaceOf(object)] + " is enforced"
				tell(bundle.name, what, a.accepted(pod, namespaces))
			}
		}
	}
	for _, control := range controls {
		asked++
		if err := a.refused(control, bundles); err != nil {
			failed++
			fmt.Printf("FAILED   %-36s %v\n", control.name, err)
			continue
		}
		fmt.Printf("refused  %s\n", control.name)
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d answers are not what they must be", failed, asked)
	}
	fmt.Printf("%d answers, each as it must be\n", asked)
	return nil
}

// Warnings are failures, except where a namespace says that it keeps to no profile.
func (a *asker) accepted(object *unstructured.Unstructured, namespaces map[string]string) error {
	if err := a.dryRun(object); err != nil {
		return err
	}
	if namespaces[namespaceOf(object)] == "privileged" {
		for _, text := range a.warnings.texts {
			fmt.Println("  warning:", text)
		}
		return nil
	}
	if len(a.warnings.texts) > 0 {
		return errors.New("warning: " + strings.Join(a.warnings.texts, "; "))
	}
	return nil
}

// What `kubectl apply --dry-run=server --validate=strict` asks.
func (a *asker) dryRun(object *unstructured.Unstructured) error {
	resource, err := a.resource(object)
	if err != nil {
		return err
	}
	a.warnings.texts = nil
	_, err = resource.Create(a.ctx, object, metav1.CreateOptions{
		DryRun:          []string{metav1.DryRunAll},
		FieldValidation: metav1.FieldValidationStrict,
		FieldManager:    manager,
	})
	if apierrors.IsAlreadyExists(err) { // a namespace, which is kept
		_, err = resource.Apply(a.ctx, object.GetName(), object, metav1.ApplyOptions{DryRun: []string{metav1.DryRunAll}, FieldManager: manager})
	}
	return err
}

func (a *asker) keep(object *unstructured.Unstructured) error {
	resource, err := a.resource(object)
	if err != nil {
		return err
	}
	_, err = resource.Apply(a.ctx, object.GetName(), object, metav1.ApplyOptions{FieldManager: manager})
	return err
}

func (a *asker) resource(object *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	kind := object.GroupVersionKind()
	mapping, err := a.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return nil, err
	}
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		return a.client.Resource(mapping.Resource).Namespace(namespaceOf(object)), nil
	}
	return a.client.Resource(mapping.Resource), nil
}

// Every namespace that is used exists, with the labels of its manifest; one without a manifest enforces the strictest profile.
// What comes back is the profile that each enforces.
func (a *asker) makeNamespaces(bundles []bundle) (map[string]string, error) {
	profiles := map[string]string{}
	create := func(object *unstructured.Unstructured) error {
		profiles[object.GetName()] = object.GetLabels()[enforced]
		return a.keep(object)
	}
	for _, bundle := range bundles {
		for _, object := range bundle.objects {
			if object.GetKind() == "Namespace" {
				if err := create(object); err != nil {
					return nil, err
				}
			}
		}
	}
	for _, bundle := range bundles {
		for _, object := range bundle.objects {
			name := namespaceOf(object)
			if _, made := profiles[name]; !made && name != "" {
				namespace := &unstructured.Unstructured{}
				namespace.SetAPIVersion("v1")
				namespace.SetKind("Namespace")
				namespace.SetName(name)
				namespace.SetLabels(map[string]string{enforced: "restricted"})
				if err := create(namespace); err != nil {
					return nil, err
				}
			}
		}
	}
	return profiles, nil
}

// The pod that a workload would make: profiles are enforced on pods, and not on what makes them.
func podOf(workload *unstructured.Unstructured) *unstructured.Unstructured {
	template, found, err := unstructured.NestedMap(workload.Object, "spec", "template")
	if err != nil || !found {
		return nil
	}
	pod := &unstructured.Unstructured{Object: template}
	pod.SetAPIVersion("v1")
	pod.SetKind("Pod")
	pod.SetName(workload.GetName() + "-0")
	pod.SetNamespace(workload.GetNamespace())
	return pod
}

func nameOf(object *unstructured.Unstructured) string {
	return object.GetKind() + "/" + object.GetName()
}

// The namespace that it is applied to; a Namespace has none.
func namespaceOf(object *unstructured.Unstructured) string {
	if object.GetKind() == "Namespace" {
		return ""
	}
	if name := object.GetNamespace(); name != "" {
		return name
	}
	return metav1.NamespaceDefault
}

func isRefusal(err error) bool {
	return apierrors.IsBadRequest(err) || apierrors.IsInvalid(err) || apierrors.IsForbidden(err)
}
