package main

import (
	"crypto"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
)

// Tables of tokens; sentry.json needs rules that golang-jwt does not have.
var tables = []string{"interop", "rfc", "attacks", "claims", "wycheproof_style"}

var asymmetric = []string{
	"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA",
}

type table struct {
	Now     int64
	Rules   map[string]json.RawMessage
	KeySets map[string]json.RawMessage `json:"key_sets"`
	Cases   []struct {
		Name  string
		Token *string
		Now   *int64
		Keys  json.RawMessage
		Rules map[string]json.RawMessage
	}
}

type keys struct {
	Keys      []json.RawMessage
	Pem       string
	SecretB64 *string `json:"secret_b64"`
}

// judge tells for every case whether golang-jwt with strict options accepts it: "accept", "refuse: why" or "skip: why".
func judge(vectors string) (map[string]string, error) {
	verdicts := map[string]string{}
	for _, name := range tables {
		var t table
		if err := readJSON(filepath.Join(vectors, name+".json"), &t); err != nil {
			return nil, err
		}
		for _, c := range t.Cases {
			id := name + "/" + c.Name
			rules := map[string]json.RawMessage{}
			for k, v := range t.Rules {
				rules[k] = v
			}
			for k, v := range c.Rules {
				rules[k] = v
			}
			now := t.Now
			if c.Now != nil {
				now = *c.Now
			}
			document := c.Keys
			var set string
			if json.Unmarshal(c.Keys, &set) == nil {
				document = t.KeySets[set]
			}
			if c.Token == nil {
				verdicts[id] = "skip: not text"
				continue
			}
			verdicts[id] = one(*c.Token, document, rules, now)
		}
	}
	for name, verdict := range judgeKeys(vectors) {
		verdicts[name] = verdict
	}
	return verdicts, nil
}

func one(token string, document json.RawMessage, rules map[string]json.RawMessage, now int64) string {
	options := []jwt.ParserOption{
		jwt.WithTimeFunc(func() time.Time { return time.Unix(now, 0) }), jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithStrictDecoding(),
	}
	algorithms := asymmetric
	for rule, value := range rules {
		var text string
		var number int64
		switch rule {
		case "issuer":
			json.Unmarshal(value, &text)
			options = append(options, jwt.WithIssuer(text))
		case "audience":
			var several []string
			if json.Unmarshal(value, &several) != nil {
				json.Unmarshal(value, &text)
				several = []string{text}
			}
			options = append(options, jwt.WithAudience(several...))
		case "leeway_s":
			json.Unmarshal(value, &number)
			options = append(options, jwt.WithLeeway(time.Duration(number)*time.Second))
		case "algorithms":
			algorithms = nil
			json.Unmarshal(value, &algorithms)
		case "max_len":
		default:
			return "skip: no rule " + rule
		}
	}
	options = append(options, jwt.WithValidMethods(algorithms))
	var k keys
	if err := json.Unmarshal(document, &k); err != nil {
		return "skip: keys"
	}
	_, err := jwt.Parse(token, func(t *jwt.Token) (any, error) { return choose(t, k) }, options...)
	if err != nil {
		return "refuse: " + err.Error()
	}
	return "accept"
}

// choose finds the key of a token by name, as a program around golang-jwt has to do by itself.
func choose(t *jwt.Token, k keys) (any, error) {
	if k.SecretB64 != nil {
		return base64.RawURLEncoding.DecodeString(*k.SecretB64)
	}
	if k.Pem != "" {
		return fromPEM(k.Pem)
	}
	var fit []jose.JSONWebKey
	for _, raw := range k.Keys {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(raw) != nil || key.Use != "" && key.Use != "sig" || !fits(t.Method.Alg(), key) {
			continue
		}
		kid, named := t.Header["kid"]
		if !named || kid == key.KeyID {
			fit = append(fit, key)
		}
	}
	if len(fit) != 1 {
		return nil, fmt.Errorf("%d keys fit", len(fit))
	}
	return fit[0].Key, nil
}

func fits(alg string, key jose.JSONWebKey) bool {
	if key.Algorithm != "" && key.Algorithm != alg {
		return false
	}
	kind := fmt.Sprintf("%T", key.Key)
	switch alg[:2] {
	case "RS", "PS":
		return kind == "*rsa.PublicKey"
	case "ES":
		return kind == "*ecdsa.PublicKey"
	case "Ed":
		return kind == "ed25519.PublicKey"
	case "HS":
		return kind == "[]uint8"
	}
	return false
}

func fromPEM(text string) (crypto.PublicKey, error) {
	data := []byte(text)
	if key, err := jwt.ParseRSAPublicKeyFromPEM(data); err == nil {
		return key, nil
	}
	if key, err := jwt.ParseECPublicKeyFromPEM(data); err == nil {
		return key, nil
	}
	return jwt.ParseEdPublicKeyFromPEM(data)
}

// judgeKeys tells which documents of keys.json golang-jwt (PEM) and go-jose (JWK) can read.
func judgeKeys(vectors string) map[string]string {
	var file struct {
		Jwks []struct {
			Name string
			Jwk  json.RawMessage
		}
		Sets []struct{ Name, Text string }
		Pems []struct{ Name, Pem string }
	}
	verdicts := map[string]string{}
	if err := readJSON(filepath.Join(vectors, "keys.json"), &file); err != nil {
		fail(err)
	}
	tell := func(name string, err error) {
		verdicts[name] = "accept"
		if err != nil {
			verdicts[name] = "refuse: " + strings.SplitN(err.Error(), "\n", 2)[0]
		}
	}
	for _, c := range file.Jwks {
		var key jose.JSONWebKey
		err := key.UnmarshalJSON(c.Jwk)
		if err == nil && !key.Valid() {
			err = fmt.Errorf("not valid")
		}
		if err == nil && !slices.Contains([]string{"", "sig"}, key.Use) {
			err = fmt.Errorf("use %s", key.Use)
		}
		tell("keys/jwks/"+c.Name, err)
	}
	for _, c := range file.Sets {
		var set jose.JSONWebKeySet
		err := json.Unmarshal([]byte(c.Text), &set)
		if err == nil && len(set.Keys) == 0 {
			err = fmt.Errorf("no keys")
		}
		tell("keys/sets/"+c.Name, err)
	}
	for _, c := range file.Pems {
		_, err := fromPEM(c.Pem)
		tell("keys/pems/"+c.Name, err)
	}
	return verdicts
}
