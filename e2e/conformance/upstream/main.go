// Command upstream is the static server behind the conformance capability. It
// prints its address and serves until it is told to stop.
package main

import (
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"os"
)

const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="

// wav is a header and no samples.
const wav = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	fmt.Fprintln(os.Stderr, http.Serve(listener, handler()))
	os.Exit(1)
}

func handler() http.Handler {
	mux := http.NewServeMux()
	fixed := func(path, media string, data []byte) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", media)
			_, _ = w.Write(data)
		})
	}
	image, _ := base64.StdEncoding.DecodeString(png)
	audio, _ := base64.StdEncoding.DecodeString(wav)
	fixed("/text", "text/plain", []byte("The watched resource.\n"))
	fixed("/image.png", "image/png", image)
	fixed("/audio.wav", "audio/wav", audio)
	fixed("/document.bin", "application/octet-stream", []byte("a document"))
	mux.HandleFunc("GET /notes/{id}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"id":%q,"next":%q}`, r.PathValue("id"), r.PathValue("id")+"-next")
	})
	mux.HandleFunc("GET /broken", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte(`{"message":"This tool intentionally returns an error for testing"}`))
	})
	return mux
}
