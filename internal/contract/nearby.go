package contract

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"

	"patchbay/internal/jsonvalue"
)

// nearby finds operations by less than their key. It is made when something is
// not found for the first time.
type nearby struct {
	// tails holds operations by their path without the leading segments that a
	// base address may have, in lower case.
	tails map[string][]*candidate
	// voices are the folders that the documents come from, by rank, and hosts
	// the origins that the documents of a folder name. What one provider
	// publishes in many documents is said with one voice.
	voices []string
	hosts  map[host]bool
}

type host struct{ voice, origin string }

// maxBase is how many leading segments of a path can belong to a base address.
const maxBase = 2

func (s *Set) newNearby() *nearby {
	n := &nearby{tails: map[string][]*candidate{}, hosts: map[host]bool{}}
	for rank, d := range s.docs {
		voice := filepath.Dir(d.Name)
		n.voices = append(n.voices, voice)
		refs := d.References()
		for i := range refs {
			c := &candidate{ref: &refs[i], rank: rank}
			at, ok := addressOf(refs[i].Server)
			if ok {
				n.hosts[host{voice, at.origin}] = true
			}
			tail := strings.ToLower(at.full(refs[i].Path))
			for range maxBase + 1 {
				n.tails[tail] = append(n.tails[tail], c)
				cut := strings.IndexByte(tail[1:], '/')
				if cut < 0 || strings.Contains(tail[:cut+1], "{") {
					break
				}
				tail = tail[cut+1:]
			}
		}
	}
	return n
}

// Miss is an operation of a document that is nearly the one asked for.
type Miss struct {
	Kind     MissKind
	Document string
	// Method and Address, which is server and path, are the document's.
	Method  string
	Address string
	ID      string
}

// MissKind says what differs.
type MissKind uint8

// The kinds, the nearest first.
const (
	// OtherCase: the path is the same but for the case of its letters, or for a
	// slash at its end.
	OtherCase MissKind = iota
	// OtherMethod: the path has other methods.
	OtherMethod
	// OtherServer: another server has the path.
	OtherServer
)

// String says what differs in words.
func (k MissKind) String() string {
	switch k {
	case OtherCase:
		return "the path is spelled differently"
	case OtherMethod:
		return "another method"
	case OtherServer:
		return "another server"
	default:
		return "unknown"
	}
}

// maxMisses bounds the near misses of one operation.
const maxMisses = 3

// Near returns what the documents have instead of an operation that they do
// not describe: the nearest first, a few of them.
func (s *Set) Near(method, server, path string) []Miss {
	if s == nil {
		return nil
	}
	at, _ := addressOf(server)
	full := at.full(path)
	var out []Miss
	for _, tail := range []string{full, "/" + strings.TrimLeft(Erase(path), "/")} {
		for _, spelled := range []string{tail, strings.TrimRight(tail, "/"), tail + "/"} {
			for _, c := range s.near().tails[strings.ToLower(spelled)] {
				there, _ := addressOf(c.ref.Server)
				m := Miss{Document: c.ref.Document().Name, Method: c.ref.Method, Address: c.ref.Server + c.ref.Path, ID: c.ref.ID()}
				same := there.origin == at.origin && strings.EqualFold(strings.TrimRight(there.full(c.ref.Path), "/"), strings.TrimRight(full, "/"))
				switch {
				case same && c.ref.Method == method:
					m.Kind = OtherCase
				case same:
					m.Kind = OtherMethod
				case c.ref.Method == method:
					m.Kind = OtherServer
				default:
					continue
				}
				if !slices.Contains(out, m) {
					out = append(out, m)
				}
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Miss) int { return cmp.Compare(a.Kind, b.Kind) })
	if len(out) > maxMisses {
		out = out[:maxMisses]
	}
	var copier jsonvalue.Copier
	for i := range out {
		m := &out[i]
		m.Document, m.Address, m.ID = copier.Text(m.Document), copier.Text(m.Address), copier.Text(m.ID)
	}
	return out
}
