package page

import (
	"patchbay/internal/expose/rest"
	"patchbay/internal/fault"
)

// explained is what the page about problems says of a kind of fault.
type explained struct {
	// what happened, and what to do, in sentences.
	what, do string
	// outcomes are those that the kind can have.
	outcomes []fault.Outcome
	// example is the detail of such a problem.
	example string
}

// everyKind lists the kinds of faults, in the order in which a request can
// meet them.
func everyKind() []fault.Kind {
	return []fault.Kind{
		fault.Misdirected, fault.Forbidden, fault.NotFound, fault.MethodNotAllowed, fault.Unauthenticated, fault.UnsupportedMedia, fault.TooLarge,
		fault.InvalidInput, fault.KeyReused, fault.KeyConflict, fault.Unconfigured, fault.Busy, fault.Unavailable, fault.Unready, fault.RateLimited, fault.Unreachable, fault.Timeout, fault.Status, fault.Decode, fault.Limit,
		fault.Mapping, fault.Canceled, fault.Internal,
	}
}

func everyOutcome() []fault.Outcome {
	return []fault.Outcome{fault.NoCall, fault.NotSent, fault.Rejected, fault.Unknown, fault.Answered}
}

// meaning says what an outcome means for somebody who wants to try again.
func meaning(o fault.Outcome) string {
	switch o {
	case fault.NotSent:
		return "A call was due, but no byte of it left. Trying again is safe."
	case fault.Rejected:
		return "The upstream answered that it did not process the request. Trying again is safe, after the pause that it asks for."
	case fault.Unknown:
		return "The request, or a part of it, left and no answer came back. It may have been processed: look before you send it again."
	case fault.Answered:
		return "The upstream processed the request and answered. Do not repeat it because of this problem."
	default:
		return "The problem lies before the call: nothing was attempted."
	}
}

// explain tells what a kind of fault means.
func explain(k fault.Kind) explained {
	before := []fault.Outcome{fault.NoCall}
	switch k {
	case fault.InvalidInput:
		return explained{
			what:     "The request was checked before any call and something in it is missing or wrong. The member `errors` names every fault at once, each with its place.",
			do:       "Correct what `errors` names and send the request again. If you are sure that a rule is wrong, the operator can relax it with `--request-checks warn`.",
			outcomes: before, example: "the request was refused before any call: /Status is required",
		}
	case fault.Unauthenticated:
		return explained{
			what:     "This adapter wants credentials of its own, and the request carries none or wrong ones. The header `WWW-Authenticate` names the scheme.",
			do:       "Ask the operator of this gateway for credentials. They are not those of the upstream, which the gateway adds by itself.",
			outcomes: before, example: "this adapter wants credentials",
		}
	case fault.Forbidden:
		return explained{
			what:     "A browser sent the request on behalf of a page of another origin, or under a host name that this listener does not know. Both are refused, because a foreign page must not spend the credentials that the gateway holds.",
			do:       "Use the address that the gateway printed at its start. The operator can admit a host with `--allow-host` and an origin with `--allow-origin`.",
			outcomes: before, example: "cross-site browser requests are refused",
		}
	case fault.Misdirected:
		return explained{
			what:     "The connection was opened before the listener began to speak TLS, or before it changed whose certificates it accepts, and would not be let in today. It ends with this answer.",
			do:       "Open another connection and send the request again, over https and with a certificate where the operator wants one. Nothing was sent.",
			outcomes: before, example: "this connection was opened before the listener began to speak TLS; open another one",
		}
	case fault.NotFound:
		return explained{
			what:     "No route matches the path. Case and trailing slashes count.",
			do:       "Compare the path with the list of operations; `hint` names a route that differs by a detail only.",
			outcomes: before, example: "no route matches /v1/Things",
		}
	case fault.MethodNotAllowed:
		return explained{
			what:     "The path exists, with other methods.",
			do:       "Use one of the methods that the header `Allow` lists.",
			outcomes: before, example: "/v1/things answers no PUT",
		}
	case fault.UnsupportedMedia:
		return explained{
			what:     "The body is in a media type that is not read here.",
			do:       "Send `application/json` or `application/x-www-form-urlencoded`.",
			outcomes: before, example: "a body in text/xml is not read here",
		}
	case fault.TooLarge:
		return explained{
			what:     "The body is larger than the operator admits.",
			do:       "Send less, or ask the operator to raise the bound with `--max-body`.",
			outcomes: before, example: "the body is larger than the bound",
		}
	default:
		return explainCall(k)
	}
}

// explainCall tells what the kinds mean that keep a call from being answered.
func explainCall(k fault.Kind) explained {
	onTheWay := []fault.Outcome{fault.NotSent, fault.Unknown}
	switch k {
	case fault.KeyReused:
		return explained{
			what:     "The request carries an `Idempotency-Key` with which a different request was sent: another operation, or other inputs.",
			do:       "A key belongs to one request. Repeat that one unchanged to get its answer, or send this one with a new key.",
			outcomes: []fault.Outcome{fault.NoCall}, example: "this idempotency key was used for a different request",
		}
	case fault.KeyConflict:
		return explained{
			what:     "The first request with this `Idempotency-Key` has no answer that could be repeated: it is still under way, it ended without one, or its answer is no longer kept.",
			do:       "The message says which. While it is under way, repeat the request with the same key. With the outcome `unknown` look whether it had its effect, and only if it did not send it with a new key; with `answered` it had.",
			outcomes: []fault.Outcome{fault.Answered, fault.Unknown}, example: "the first request with this idempotency key ended without an answer (upstream-timeout); it may have been processed",
		}
	case fault.Unavailable:
		return explained{
			what:     "The upstream failed so often that it is left alone for a moment (circuit breaker). After that one call tries it.",
			do:       "Try again after the time in the header `Retry-After`. Nothing was sent.",
			outcomes: []fault.Outcome{fault.NotSent}, example: "the upstream failed too often and is left alone for a moment",
		}
	case fault.Unconfigured:
		return explained{
			what:     "The gateway runs, but the operator has not given it what this call needs, such as credentials or the address of the upstream.",
			do:       "The message names the variables that are missing. The operator sets them in the environment, or with `--env-file` or `--map-env`, and starts the gateway again.",
			outcomes: []fault.Outcome{fault.NoCall}, example: "no credentials: API_USER is not set",
		}
	case fault.Busy:
		return explained{
			what:     "As many calls to this upstream as the operator admits are under way and wait for their turn, or more are sent in a second. Or there is no room for another idempotency key.",
			do:       "Try again after the time in the header `Retry-After`. Nothing was sent.",
			outcomes: []fault.Outcome{fault.NoCall, fault.NotSent}, example: "too many calls to the upstream are under way",
		}
	case fault.Unready:
		return explained{
			what:     "Something that the gateway itself needs does not answer, such as the authorization server whose keys check a token.",
			do:       "Try again after the time in `Retry-After`. The request was not looked at further.",
			outcomes: []fault.Outcome{fault.NoCall}, example: "the token cannot be checked: the keys of its issuer cannot be had",
		}
	case fault.RateLimited:
		return explained{
			what:     "This caller makes more requests than the operator admits. The header `RateLimit-Policy` says how many those are.",
			do:       "Wait for the time in `Retry-After`, then try again. Nothing was sent.",
			outcomes: []fault.Outcome{fault.NoCall}, example: "this caller makes more requests than it may",
		}
	case fault.Unreachable:
		return explained{
			what:     "The upstream could not be reached, or the connection failed before its answer was complete.",
			do:       "With the outcome `not_sent`, try again. With `unknown`, find out first whether the request had its effect; a request that only reads can be repeated at any time.",
			outcomes: onTheWay, example: "the connection to the upstream failed before its answer was complete",
		}
	case fault.Timeout:
		return explained{
			what:     "The upstream did not answer in time.",
			do:       "With the outcome `not_sent`, try again. With `unknown`, find out first whether the request had its effect; a request that only reads can be repeated at any time.",
			outcomes: onTheWay, example: "the upstream did not answer in time",
		}
	case fault.Canceled:
		return explained{
			what:     "The caller went away before the answer was there, so the upstream call was given up. Only logs show this.",
			do:       "Wait longer. What was sent may have been processed.",
			outcomes: []fault.Outcome{fault.NoCall, fault.NotSent, fault.Unknown}, example: "the caller went away before the upstream answered",
		}
	default:
		return explainAnswer(k)
	}
}

// explainAnswer tells what the kinds mean that lie in an answer of the upstream.
func explainAnswer(k fault.Kind) explained {
	answered := []fault.Outcome{fault.Answered}
	switch k {
	case fault.Status:
		return explained{
			what:     "The upstream answered with an error of its own. Over REST such an answer passes through with its status and body, marked `Patchbay-Source: upstream`, and is no problem; agents get it as the error of a tool.",
			do:       "Read the upstream's own error. With the outcome `rejected` nothing was processed.",
			outcomes: []fault.Outcome{fault.Rejected, fault.Answered, fault.Unknown}, example: "the upstream answered 500",
		}
	case fault.Decode:
		return explained{
			what:     "The upstream reported success with a body that is not what it claims to be, for example not JSON.",
			do:       "The request was processed. Do not send it again; look at what it did, for example by fetching it.",
			outcomes: answered, example: "the upstream answered OK with something that is not JSON",
		}
	case fault.Limit:
		return explained{
			what:     "The upstream's answer is larger than the operator admits. It is not cut: half an answer would look like a whole one.",
			do:       "Ask for less, for example for a smaller page. The operator can raise the bound with `--max-response`.",
			outcomes: answered, example: "the upstream's answer is larger than the bound",
		}
	case fault.Mapping:
		return explained{
			what:     "The upstream answered, and the capability's mapping could not bring the answer into its shape.",
			do:       "The request was processed. The author of the capability file has to look at the mapping.",
			outcomes: answered, example: "the upstream's answer cannot be mapped because it is not valid JSON",
		}
	default:
		return explained{
			what:     "A defect of the gateway itself.",
			do:       "Report it with the `request_id`; the log has the cause.",
			outcomes: []fault.Outcome{fault.NoCall}, example: "an internal error occurred",
		}
	}
}

// Problems is the page that explains problems, for listeners that have no
// adapter's pages.
func Problems(version string) (rest.Page, error) { return explanation("Patchbay", version) }
