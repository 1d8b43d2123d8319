// An API server over an etcd, both children of this process, on free ports of the loopback address.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// A free port may be taken by somebody else before the server listens on it.
const attempts = 3

type cluster struct {
	url         string
	authorities string // file
	token       string
	servers     []*server
}

type server struct {
	command *exec.Cmd
	log     string        // file
	ended   chan struct{} // closed at its end
}

func start(ctx context.Context, etcd, folder string) (*cluster, error) {
	var failures error
	for attempt := range attempts {
		made, err := startOnce(ctx, etcd, filepath.Join(folder, strconv.Itoa(attempt)))
		if err == nil {
			return made, nil
		}
		failures = errors.Join(failures, err)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, failures
}

func startOnce(ctx context.Context, etcd, folder string) (*cluster, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	token, err := randomToken()
	if err != nil {
		return nil, err
	}
	tokens, key := filepath.Join(folder, "tokens.csv"), filepath.Join(folder, "service-accounts.key")
	if err := os.WriteFile(tokens, []byte(token+",check,1,\"system:masters\"\n"), 0o600); err != nil {
		return nil, err
	}
	if err := writeKey(key); err != nil {
		return nil, err
	}

	certificates := filepath.Join(folder, "certificates")
	made := &cluster{
		url:         "https://" + ports[2],
		authorities: filepath.Join(certificates, "apiserver.crt"),
		token:       token,
	}
	clients, peers := "http://"+ports[0], "http://"+ports[1]
	if err := made.run(filepath.Join(folder, "etcd.log"), etcd,
		"--data-dir", filepath.Join(folder, "etcd"), "--unsafe-no-fsync",
		"--listen-client-urls", clients, "--advertise-client-urls", clients,
		"--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", "default="+peers,
	); err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(ports[2])
	if err == nil {
		err = made.run(filepath.Join(folder, "kube-apiserver.log"), self, "kube-apiserver",
			"--etcd-servers", clients, "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--secure-port", port,
			"--cert-dir", certificates, "--token-auth-file", tokens, "--authorization-mode=RBAC",
			"--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file", key,
			"--service-account-signing-key-file", key, "--service-cluster-ip-range=10.0.0.0/24", "--endpoint-reconciler-type=none")
	}
	if err == nil {
		err = made.ready(ctx)
	}
	if err != nil {
		made.stop()
		return nil, err
	}
	return made, nil
}

func (c *cluster) run(log, program string, args ...string) error {
	file, err := os.Create(log)
	if err != nil {
		return err
	}
	defer file.Close()
	command := exec.Command(program, args...)
	command.Stdout, command.Stderr = file, file
	// Whatever ends this process ends its children.
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		return err
	}
	started := &server{command: command, log: log, ended: make(chan struct{})}
	go func() {
		command.Wait() // how it ended is in its log
		close(started.ended)
	}()
	c.servers = append(c.servers, started)
	return nil
}

// The API server writes its certificate first, which is the authority that it is checked against.
func (c *cluster) ready(ctx context.Context) error {
	for {
		for _, server := range c.servers {
			select {
			case <-server.ended:
				return fmt.Errorf("a server ended early: %s", tail(server.log))
			default:
			}
		}
		if c.isReady(ctx) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the API server is not ready: %w: %s", ctx.Err(), tail(c.servers[1].log))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (c *cluster) isReady(ctx context.Context) bool {
	authorities, err := os.ReadFile(c.authorities)
	if err != nil {
		return false
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authorities) {
		return false
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}, Timeout: 5 * time.Second}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+"/readyz", nil)
	if err != nil {
		return false
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	answer, err := client.Do(request)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// The API server goes before its etcd.
func (c *cluster) stop() {
	for i := len(c.servers) - 1; i >= 0; i-- {
		server := c.servers[i]
		server.command.Process.Signal(syscall.SIGTERM) // it may have ended already
		select {
		case <-server.ended:
		case <-time.After(20 * time.Second):
			server.command.Process.Kill()
			<-server.ended
		}
	}
}

func freePorts(count int) ([]string, error) {
	var addresses []string
	for range count {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close()
		addresses = append(addresses, listener.Addr().String())
	}
	return addresses, nil
}

func randomToken() (string, error) {
	bytes := make([]byte, 32)
	if _, err := rand.Read(bytes); err != nil {
		return "", err
	}
	return hex.EncodeToString(bytes), nil
}

func writeKey(file string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
	return os.WriteFile(file, text, 0o600)
}

// The end of a log.
func tail(log string) string {
	file, err := os.Open(log)
	if err != nil {
		return err.Error()
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() > 4096 {
		file.Seek(-4096, io.SeekEnd)
	}
	text, err := io.ReadAll(file)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
