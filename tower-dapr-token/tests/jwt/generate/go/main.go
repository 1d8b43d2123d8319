// Command jwttables signs tokens for interop.json with golang-jwt, and judges the tables with it.
//
// Usage: go run . sign GENERATE > OUT; go run . judge VECTORS > OUT.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 3 {
		fail(fmt.Errorf("usage: jwttables sign GENERATE | judge VECTORS"))
	}
	var result any
	var err error
	switch os.Args[1] {
	case "sign":
		result, err = sign(os.Args[2])
	case "judge":
		result, err = judge(os.Args[2])
	default:
		err = fmt.Errorf("no such command: %s", os.Args[1])
	}
	if err != nil {
		fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func readJSON(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}
