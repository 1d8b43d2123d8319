package main

import (
	"crypto"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"sort"
	"strings"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
)

type signing struct {
	Now        int64
	Issuer     string
	Audience   string
	Algorithms map[string][]string
}

type entry struct {
	By       string          `json:"by"`
	Version  string          `json:"version"`
	Key      string          `json:"key"`
	Alg      string          `json:"alg"`
	Named    string          `json:"named"`
	Nameless string          `json:"nameless"`
	JWK      json.RawMessage `json:"jwk"`
}

// sign makes one token with a kid and one without for every key and algorithm that golang-jwt knows.
func sign(home string) ([]entry, error) {
	var s signing
	if err := readJSON(filepath.Join(home, "signing.json"), &s); err != nil {
		return nil, err
	}
	at := func(seconds int64) *jwt.NumericDate { return jwt.NewNumericDate(time.Unix(s.Now+seconds, 0)) }
	claims := jwt.RegisteredClaims{
		Issuer: s.Issuer, Audience: jwt.ClaimStrings{"other", s.Audience}, Subject: "caller",
		ExpiresAt: at(300), NotBefore: at(0), IssuedAt: at(0), ID: "golang-jwt",
	}
	var names []string
	for name := range s.Algorithms {
		names = append(names, name)
	}
	sort.Strings(names)
	var entries []entry
	for _, name := range names {
		private, public, err := loadKey(filepath.Join(home, "keys"), name)
		if err != nil {
			return nil, err
		}
		for _, alg := range s.Algorithms[name] {
			method := jwt.GetSigningMethod(alg)
			if method == nil {
				continue
			}
			jwk, err := json.Marshal(jose.JSONWebKey{Key: public, KeyID: name, Algorithm: alg, Use: "sig"})
			if err != nil {
				return nil, err
			}
			named := jwt.NewWithClaims(method, claims)
			named.Header["kid"] = name
			nameless := jwt.NewWithClaims(method, claims)
			e := entry{By: "golang-jwt", Version: version(), Key: name, Alg: alg, JWK: jwk}
			if e.Named, err = named.SignedString(private); err != nil {
				return nil, fmt.Errorf("%s %s: %w", name, alg, err)
			}
			if e.Nameless, err = nameless.SignedString(private); err != nil {
				return nil, err
			}
			entries = append(entries, e)
		}
	}
	return entries, nil
}

// loadKey reads a test key; for the shared secret both halves are the secret.
func loadKey(dir, name string) (private, public any, err error) {
	if name == "oct" {
		text, err := os.ReadFile(filepath.Join(dir, "test-only-oct.b64"))
		if err != nil {
			return nil, nil, err
		}
		secret, err := base64.RawURLEncoding.DecodeString(string(text))
		return secret, secret, err
	}
	pem, err := os.ReadFile(filepath.Join(dir, "test-only-"+name+".pem"))
	if err != nil {
		return nil, nil, err
	}
	switch {
	case strings.HasPrefix(name, "rsa"):
		private, err = jwt.ParseRSAPrivateKeyFromPEM(pem)
	case strings.HasPrefix(name, "ed"):
		private, err = jwt.ParseEdPrivateKeyFromPEM(pem)
	default:
		private, err = jwt.ParseECPrivateKeyFromPEM(pem)
	}
	if err != nil {
		return nil, nil, err
	}
	return private, private.(crypto.Signer).Public(), nil
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if ok {
		for _, dep := range info.Deps {
			if dep.Path == "github.com/golang-jwt/jwt/v5" {
				return strings.TrimPrefix(dep.Version, "v")
			}
		}
	}
	return "unknown"
}
