package attack

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"patchbay/internal/deploy"
)

// spent runs something and returns how many bytes were allocated meanwhile,
// which is what work that grows with the square of its input shows first.
func spent(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// most that a request of these tests may cost; their input is 1 MiB at most.
const costs = 256 << 20

// TestCostlyRequests: a caller sends a small request that is much work: values
// that repeat, that have to be compared with each other, that match an expression
// slowly, or that are divided exactly. Work grows with what was sent, or ends.
func TestCostlyRequests(t *testing.T) {
	const contract = `openapi: 3.1.0
info: {title: Costly, version: '1'}
servers: [{url: https://api.example.com/base}]
paths:
  /items/{id}/parts/{part}:
    post:
      operationId: write
      requestBody:
        content:
          application/json:
            schema: {$ref: '#/components/schemas/Body'}
      responses: {'200': {description: OK}}
components:
  schemas:
    Body:
      type: object
      properties:
        text: {type: string, pattern: '^(a+)+$'}
        words: {type: string, pattern: '^(\w+\s?)*$'}
        list: {type: array, uniqueItems: true}
        number: {type: number, multipleOf: 0.01}
        large: {type: number, multipleOf: 123456789012345678901234567890}
        tree: {$ref: '#/components/schemas/Tree'}
        loop: {$ref: '#/components/schemas/Loop'}
        either: {anyOf: [{type: array, items: {$ref: '#/components/schemas/Tree'}}, {type: array, items: {type: object, required: [x]}}]}
    Tree: {type: object, properties: {children: {type: array, items: {$ref: '#/components/schemas/Tree'}}}}
    Loop: {allOf: [{$ref: '#/components/schemas/Loop'}]}
`
	s := serve(t, setting{capability: loose, contract: contract})
	repeat := strings.Repeat
	for _, row := range []struct {
		name, head, body string
		status           int
	}{
		{"a parameter 10 000 times", "GET /items/a/b?" + repeat("tags=&", 10_000), "", 200},
		{"parameters that nobody knows", "GET /items/a/b?" + repeat("x=&", 20_000), "", 200},
		{"a cookie with many parts", "GET /items/a/b\nCookie: " + repeat("a=b; ", 10_000), "", 200},
		{"many languages", "GET /items/a/b\nAccept-Language: " + repeat("a,", 20_000), "", 200},
		{"one field of a form very often", "POST /items/a/b\nContent-Type: application/x-www-form-urlencoded", repeat("a=b&", 200_000), 400},
		{"many fields, then one very often", "POST /items/a/b\nContent-Type: application/x-www-form-urlencoded", fields(999) + repeat("999=&", 100_000), 400},
		{"an expression that other engines cannot end", "POST /items/a/b", `{"text":"` + repeat("a", 500_000) + `!"}`, 400},
		{"another one", "POST /items/a/b", `{"words":"` + repeat("a ", 250_000) + `!"}`, 400},
		{"a list of different items", "POST /items/a/b", `{"list":[` + numbers(100_000) + `]}`, 200},
		{"a list of equal objects", "POST /items/a/b", `{"list":[` + repeat(`{"a":1},`, 100_000) + `{}]}`, 400},
		{"a number of 900 000 digits", "POST /items/a/b", `{"number":` + repeat("9", 900_000) + `}`, 200},
		{"the same divided by a large one", "POST /items/a/b", `{"large":` + repeat("9", 900_000) + `}`, 400},
		{"an exponent beyond all bounds", "POST /items/a/b", `{"number":1e999999999999,"large":1e-999999999999}`, 400},
		{"a schema that is itself", "POST /items/a/b", `{"loop":1}`, 0},
		{"a tree as deep as may be", "POST /items/a/b", `{"tree":` + repeat(`{"children":[`, 60) + repeat(`]}`, 60) + `}`, 200},
		{"branches that fail at their ends", "POST /items/a/b", `{"either":[` + repeat(`{"children":[{}]},`, 40_000) + `1]}`, 400},
		{"100 000 faults", "POST /items/a/b", `{"either":[` + repeat(`1,`, 100_000) + `1]}`, 400},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := *s
			s.t = t
			head := row.head
			if row.body != "" && !strings.Contains(head, "Content-Type") {
				head += "\nContent-Type: application/json"
			}
			cost := spent(func() {
				a := s.one(s.rest, request(s.rest, head, row.body))
				if row.status != 0 && a.status != row.status || !json.Valid([]byte(a.body)) || len(a.body) > 20_000 {
					t.Errorf("%d with %d bytes: %.300s", a.status, len(a.body), a.body)
				}
			})
			if cost > costs {
				t.Errorf("%d MiB were allocated for %d KiB", cost>>20, (len(row.head)+len(row.body))>>10)
			}
		})
	}
	s.upstream.take()
}

func fields(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%03d=&", i)
	}
	return b.String()
}

func numbers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%d,", i)
	}
	return b.String() + "-1"
}

// TestCostlyMapping: an upstream answers with what makes the mapping of an answer
// much work: everything below everything, and a comparison for each of many. The
// mapping ends, and what it makes is bounded.
func TestCostlyMapping(t *testing.T) {
	s := serve(t, setting{capability: loose, options: func(o *deploy.Options) { o.Limits.MaxResponse = 4 << 20 }})
	for _, body := range []string{
		`{"a":[` + strings.Repeat(`{"b":1,"c":2},`, 100_000) + `{}]}`,
		`{"a":` + strings.Repeat(`[`, 120) + strings.Repeat("1,", 100_000) + "1" + strings.Repeat(`]`, 120) + `}`,
		`{"a":` + strings.Repeat(`{"b":[1,`, 60) + `1` + strings.Repeat(`]}`, 60) + `}`,
		`{"a":[{"b":` + strings.Repeat("9", 1_000_000) + `,"c":` + strings.Repeat("9", 1_000_000) + `}]}`,
	} {
		s.upstream.script(body)
		cost := spent(func() {
			if a := s.one(s.rest, request(s.rest, "GET /picked", "")); !json.Valid([]byte(a.body)) || len(a.body) > 64<<20 {
				t.Errorf("%d with %d bytes: %.300s", a.status, len(a.body), a.body)
			}
		})
		if cost > 4*costs {
			t.Errorf("%d MiB were allocated for %d KiB", cost>>20, len(body)>>10)
		}
	}
}

// TestKeyFlood: a caller uses an idempotency key for each of its requests. As
// many are kept as may be, the oldest go, and those of others that are new hold.
func TestKeyFlood(t *testing.T) {
	s := serve(t, setting{capability: loose, options: func(o *deploy.Options) { o.Idempotency.MaxEntries = 20 }})
	write := func(key string) answer {
		return s.one(s.rest, request(s.rest, "POST /items/a/b\nContent-Type: application/json\nIdempotency-Key: "+key, `{"a":1}`))
	}
	for i := range 200 {
		if a := write(fmt.Sprintf("key-%d", i)); a.status != 200 {
			t.Fatalf("key %d: %d %s", i, a.status, a.body)
		}
	}
	if n := len(s.upstream.take()); n != 200 {
		t.Errorf("%d calls", n)
	}
	if a := write("key-199"); a.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("the newest key: %v", a)
	}
	if a := write("key-0"); a.header.Get("Idempotency-Replayed") != "" {
		t.Errorf("the oldest key: %v", a)
	}
	for _, key := range []string{strings.Repeat("k", 10_000), "\"", "a\x01b", "\xff", ""} {
		if a := write(key); a.status >= 500 {
			t.Errorf("key %.20q: %d", key, a.status)
		}
	}
}
