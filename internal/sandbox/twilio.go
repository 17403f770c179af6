package sandbox

import (
	"net/http"
	"strconv"
)

// This file holds what all of the provider's products share: the error object,
// the error codes of the front layer, and the headers of its edge.

// throttledConcurrency is what Twilio-Concurrent-Requests says beside a 429.
// The real ceiling is not published.
const throttledConcurrency = 100

// twilioError is the documented error object; code may be absent.
type twilioError struct {
	Code     int    `json:"code,omitempty"`
	Message  string `json:"message"`
	MoreInfo string `json:"more_info,omitempty"`
	Status   int    `json:"status"`
	Detail   string `json:"detail,omitempty"`
}

func twilioErrorBody(ref *refusal) any {
	e := twilioError{Code: ref.code, Message: ref.message, Status: ref.status, Detail: ref.detail}
	if ref.code != 0 {
		e.MoreInfo = "https://www.twilio.com/docs/errors/" + strconv.Itoa(ref.code)
	}
	return e
}

// twilioRefusal words what the kernel refuses.
func twilioRefusal(why reason, subject string) *refusal {
	const wrong = "Your AccountSid or AuthToken was incorrect."
	switch why {
	case noCredentials:
		return &refusal{
			status: http.StatusUnauthorized, code: 20003, detail: wrong,
			message: "Authentication Error - No credentials provided",
		}
	case badUsername:
		return &refusal{
			status: http.StatusUnauthorized, code: 20003, detail: wrong,
			message: "Authentication Error - invalid username",
		}
	case wrongCredentials:
		return &refusal{
			status: http.StatusUnauthorized, code: 20003, detail: wrong,
			message: "Authenticate",
		}
	case notFound:
		return &refusal{
			status: http.StatusNotFound, code: 20404,
			message: "The requested resource " + brief(subject) + " was not found",
		}
	case notAllowed:
		return &refusal{
			status: http.StatusMethodNotAllowed, code: 20004,
			message: "Method not allowed", header: http.Header{"Allow": {subject}},
		}
	case tooLarge:
		// No code is documented for this; an error object may go without.
		return &refusal{
			status:  http.StatusRequestEntityTooLarge,
			message: "The request is too large: " + subject,
		}
	case throttled:
		return &refusal{
			status: http.StatusTooManyRequests, code: 20429,
			message: "Too Many Requests",
			header:  http.Header{"Twilio-Concurrent-Requests": {strconv.Itoa(throttledConcurrency)}},
		}
	case unavailable:
		return &refusal{
			status: http.StatusServiceUnavailable, code: 20503,
			message: "Service is unavailable",
		}
	case internal:
	}
	return &refusal{
		status: http.StatusInternalServerError, code: 20500,
		message: "An internal server error has occurred", detail: "sandbox: " + subject,
	}
}

// missingParameter is the front layer's answer to a form without a required key.
func missingParameter(name string) *refusal {
	return &refusal{
		status: http.StatusBadRequest, code: 20001,
		message: "Missing required parameter " + name + " in the post body",
	}
}

// badRequest is a 400 with a code of the provider's dictionary.
func badRequest(code int, message string) *refusal {
	return &refusal{status: http.StatusBadRequest, code: code, message: message}
}

// twilioHeaders decorates every answer as the provider's edge does.
func twilioHeaders(domain string) func(http.Header, traits) {
	return func(h http.Header, t traits) {
		h.Set("Twilio-Request-Id", t.requestID)
		h.Set("Twilio-Request-Duration", strconv.FormatFloat(t.duration.Seconds(), 'f', 3, 64))
		h.Set("Twilio-Concurrent-Requests", strconv.FormatInt(t.concurrent, 10))
		h.Set("X-Home-Region", "us1")
		h.Set("X-Api-Domain", domain)
		h.Set("X-Powered-By", "AT-5000")
		h.Set("X-Shenanigans", "none")
		h.Set("Strict-Transport-Security", "max-age=31536000")
		h.Set("Vary", "Origin")
		if t.fromPage {
			// The real service opens itself to every page. A simulator on
			// loopback that accepts any credentials must not.
			return
		}
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS")
		h.Set("Access-Control-Allow-Headers", "Accept, Authorization, Content-Type, If-Match, "+
			"If-Modified-Since, If-None-Match, If-Unmodified-Since, Idempotency-Key")
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Access-Control-Expose-Headers", "ETag, Twilio-Request-Id")
	}
}
