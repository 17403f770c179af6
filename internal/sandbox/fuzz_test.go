package sandbox_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"patchbay/internal/sandbox"
)

// FuzzCreate sends any body under any content type. Whatever it is, the answer
// is JSON, a 200 means one more interaction that can be fetched, and nothing
// else is left behind.
func FuzzCreate(f *testing.F) {
	f.Add(formType, encodeForm("Channel", webChannel, "Routing", anyRouting))
	f.Add(formType, "Channel=%7B%22type%22%3A%22web%22%7D&Routing=%zz&&=")
	f.Add(formType, encodeForm("Channel", `{"sid":"`+sandbox.SeedChannel+`","type":"web","initiated_by":"agent"}`))
	f.Add(formType, encodeForm("Channel", webChannel, "Routing", `{"properties":{"workspace_sid":"`+workspace+
		`","attributes":{"customers":[],"conversations":{"a":1e400},"customerName":"\ud800"}}}`))
	f.Add("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"Channel\"\r\n\r\n{}\r\n--x--\r\n")
	f.Add("application/json", webChannel)
	f.Add("multipart/form-data; boundary=\"", "\x00")
	f.Fuzz(func(t *testing.T, contentType, body string) {
		sb := sandbox.New(sandbox.Options{Rand: seededBytes()})
		serve := func(method, target, body string) (int, []byte) {
			r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
			r.Header["Content-Type"] = []string{contentType}
			r.SetBasicAuth(testUser, testPass)
			w := httptest.NewRecorder()
			sb.ServeHTTP(w, r)
			return w.Code, w.Body.Bytes()
		}
		status, text := serve(http.MethodPost, "/v1/Interactions", body)
		var answer struct{ SID, Message string }
		if err := json.Unmarshal(text, &answer); err != nil {
			t.Fatalf("%d, not JSON: %v in %q", status, err, text)
		}
		var page struct{ State struct{ Interactions int } }
		if _, state := serve(http.MethodGet, "/.sandbox/", ""); json.Unmarshal(state, &page) != nil {
			t.Fatalf("the state page is not JSON: %q", state)
		}
		switch status {
		case http.StatusOK:
			if fetched, _ := serve(http.MethodGet, "/v1/Interactions/"+answer.SID, ""); fetched != http.StatusOK || page.State.Interactions != 2 {
				t.Errorf("created %s, fetch answers %d, %d interactions", answer.SID, fetched, page.State.Interactions)
			}
		case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
			if answer.Message == "" || page.State.Interactions != 1 {
				t.Errorf("%d %q, %d interactions", status, text, page.State.Interactions)
			}
		default:
			t.Errorf("status %d: %q", status, text)
		}
	})
}

// FuzzPath sends any path and query; nothing but the seeded resources exists.
func FuzzPath(f *testing.F) {
	f.Add("/v1/Interactions/"+sandbox.SeedInteraction+"/Channels", "PageSize=1&PageToken=PA"+sandbox.SeedChannel)
	f.Add("/v1/Interactions/%2F..//", "%zz;&=")
	f.Add("/v1", "")
	f.Add("*", "Page=-1")
	f.Fuzz(func(t *testing.T, path, query string) {
		sb := sandbox.New(sandbox.Options{SeedChannels: 3, Rand: seededBytes()})
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.URL.Path, r.URL.RawPath, r.URL.RawQuery = path, path, query
		r.SetBasicAuth(testUser, testPass)
		w := httptest.NewRecorder()
		sb.ServeHTTP(w, r)
		switch w.Code {
		case http.StatusOK, http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed:
		default:
			t.Errorf("status %d: %q", w.Code, w.Body)
		}
		if !json.Valid(w.Body.Bytes()) || w.Body.Len() > 64<<10 {
			t.Errorf("answer of %d bytes: %.200q", w.Body.Len(), w.Body)
		}
	})
}

func FuzzParseFaults(f *testing.F) {
	for _, seed := range []string{"429:2,slow=300ms:*", "cut", "slow=9999999h", ":::", "=,=:"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		faults, err := sandbox.ParseFaults(text)
		if err != nil {
			return
		}
		for _, fault := range faults {
			again, err := sandbox.ParseFaults(fault.String())
			if err != nil || len(again) != 1 || again[0] != fault {
				t.Errorf("%q became %v: %v", fault, again, err)
			}
		}
	})
}
