package profile

import "testing"

// FuzzExplain: whatever an upstream says about an error, and wherever, explaining
// it ends well.
func FuzzExplain(f *testing.F) {
	const text = `profiles: [{name: a, hosts: [api.example.com], body: {default: form}, error: {code: [code], message: [message]}, advice: {code: {20404: gone}}}]`
	f.Add([]byte(text), "https://api.example.com/v1", []byte(`{"code":20404,"message":"no"}`))
	f.Add([]byte("{}"), "", []byte(`<html>`))
	f.Add([]byte("a: &a [*a]"), "http://[::1", []byte(`[1]`))
	f.Fuzz(func(_ *testing.T, data []byte, address string, body []byte) {
		set, err := Load(data)
		if err != nil {
			return
		}
		set.Owner(address)
		if p := set.For(address); p != nil {
			p.BodyMedia(address, "/a")
			p.Explain(404, body)
		}
	})
}
