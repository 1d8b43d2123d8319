// What kustomize makes of the folders.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// The objects of one kustomization, or of one file that no kustomization lists.
type bundle struct {
	name    string
	objects []*unstructured.Unstructured
}

func render(folder string) ([]bundle, error) {
	kustomizations, err := filepath.Glob(filepath.Join(folder, "*", "kustomization.yaml"))
	if err != nil {
		return nil, err
	}
	examples, err := filepath.Glob(filepath.Join(folder, "*", "*.example.yaml"))
	if err != nil {
		return nil, err
	}
	if len(kustomizations) == 0 {
		return nil, fmt.Errorf("%s: no folder in it has a kustomization.yaml", folder)
	}

	var bundles []bundle
	kustomizer := krusty.MakeKustomizer(krusty.MakeDefaultOptions())
	for _, file := range kustomizations {
		overlay := filepath.Dir(file)
		resources, err := kustomizer.Run(filesys.MakeFsOnDisk(), overlay)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", overlay, err)
		}
		text, err := resources.AsYaml()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", overlay, err)
		}
		bundles, err = add(bundles, filepath.Base(overlay), text)
		if err != nil {
			return nil, err
		}
	}
	for _, file := range examples {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		name := filepath.Base(filepath.Dir(file)) + "/" + filepath.Base(file)
		bundles, err = add(bundles, name, text)
		if err != nil {
			return nil, err
		}
	}
	return bundles, nil
}

func add(bundles []bundle, name string, text []byte) ([]bundle, error) {
	documents := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	made := bundle{name: name}
	for {
		object := &unstructured.Unstructured{}
		err := documents.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if len(object.Object) > 0 {
			made.objects = append(made.objects, object)
		}
	}
	if len(made.objects) == 0 {
		return nil, fmt.Errorf("%s: there is nothing in it", name)
	}
	return append(bundles, made), nil
}
