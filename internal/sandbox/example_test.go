package sandbox_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	"patchbay/internal/sandbox"
)

// A sandbox is an http.Handler. Point a client of the API at it, script the
// failures, and look at what arrived.
func Example() {
	sb := sandbox.New(sandbox.Options{}) // set-up without delay, any credentials
	server := httptest.NewServer(sb)
	defer server.Close()

	get := func(path string) int {
		req, err := http.NewRequest(http.MethodGet, server.URL+"/v1"+path, nil)
		if err != nil {
			fmt.Println(err)
			return 0
		}
		req.SetBasicAuth("SK0123456789abcdef0123456789abcdef", "secret")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			fmt.Println(err)
			return 0
		}
		defer func() { _ = res.Body.Close() }()
		var channel struct{ Status string }
		if err := json.NewDecoder(res.Body).Decode(&channel); err == nil && res.StatusCode == http.StatusOK {
			fmt.Println("the seeded channel is", channel.Status)
		}
		return res.StatusCode
	}

	path := "/Interactions/" + sandbox.SeedInteraction + "/Channels/" + sandbox.SeedChannel
	faults, err := sandbox.ParseFaults("429,503")
	if err != nil {
		fmt.Println(err)
		return
	}
	sb.SetFaults(faults...)
	fmt.Println(get(path), get(path), get(path))
	for _, r := range sb.Requests() {
		fmt.Println(r.Seq, r.Method, r.Status, r.Fault)
	}
	// Output:
	// the seeded channel is active
	// 429 503 200
	// 1 GET 429 429
	// 2 GET 503 503
	// 3 GET 200
}
