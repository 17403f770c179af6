package contract

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode"

	"patchbay/internal/jsonvalue"
)

// Asked is an operation of a consumed API, with the contract that it was
// joined with, if any.
type Asked struct {
	Method, Path string
	Joined       *Operation
}

// Elsewhere is another server at which documents have a consumed API.
type Elsewhere struct {
	// BaseURI is what the API's base address would be there.
	BaseURI string
	// Document is the first that says so.
	Document string
	// At holds, for each operation that was asked for, where a document has it.
	At []Found
}

// Found is an operation at another server: its address, or "" where the server
// has the path, or the collection above it, and not this operation. Without
// document, it has neither.
type Found struct{ Document, Address string }

// Elsewhere reports whether documents contradict the server of a consumed API:
// they describe none of its operations there, and at least half of them at one
// other server.
//
// Documents of one folder count as one voice. Where a later voice joins
// operations, and so agrees with the file, an earlier one contradicts it only
// if it knows the server: other APIs may well have the same paths. Of several
// servers the one is meant whose name occurs in about, which is what the file
// calls the API, then the one with most of the operations; if that decides
// nothing, none is.
func (s *Set) Elsewhere(server, about string, asked []Asked) (Elsewhere, bool) {
	at, ok := addressOf(server)
	if s == nil || !ok || len(asked) == 0 {
		return Elsewhere{}, false
	}
	n := s.near()
	before := s.before(asked)
	if before < len(s.docs) && !slices.ContainsFunc(n.voices[:before], func(voice string) bool { return n.hosts[host{voice, at.origin}] }) {
		return Elsewhere{}, false
	}
	bases := map[string]*base{}
	for i := range asked {
		for address, found := range n.elsewhere(asked[i], at, before) {
			b := bases[address]
			if b == nil {
				b = &base{Elsewhere: Elsewhere{BaseURI: address, At: make([]Found, len(asked))}, named: named(address, words(about))}
				bases[address] = b
			}
			b.add(i, found)
		}
	}
	var best *base
	rival := false
	for _, address := range slices.Sorted(maps.Keys(bases)) {
		b := bases[address]
		if b.exact == 0 || (b.exact+b.akin)*2 < len(asked) {
			continue
		}
		switch {
		case best == nil || b.compare(best) > 0:
			best, rival = b, false
		case b.compare(best) == 0:
			rival = true
		}
	}
	if best == nil || rival {
		return Elsewhere{}, false
	}
	return best.copied(), true
}

// before returns how many documents come before the voice of the first one
// that an operation is joined with.
func (s *Set) before(asked []Asked) int {
	voices := s.near().voices
	before := len(s.docs)
	for i := range asked {
		if asked[i].Joined == nil {
			continue
		}
		for rank, d := range s.docs[:before] {
			if d.Name == asked[i].Joined.Document {
				before = slices.Index(voices, voices[rank])
				break
			}
		}
	}
	return before
}

// base is a base address under which operations are found.
type base struct {
	Elsewhere
	// exact counts the operations that are there, akin those of which only the
	// resource is.
	exact, akin int
	named       int
}

func (b *base) add(i int, found Found) {
	if found.Address == "" {
		b.akin++
	} else {
		b.exact++
	}
	if b.Document == "" || b.exact == 1 && found.Address != "" {
		b.Document = found.Document
	}
	b.At[i] = found
}

func (b *base) compare(other *base) int {
	return cmp.Or(
		cmp.Compare(b.named, other.named),
		cmp.Compare(2*b.exact+b.akin, 2*other.exact+other.akin),
	)
}

// copied lets go of the documents' texts.
func (b *base) copied() Elsewhere {
	var c jsonvalue.Copier
	out := b.Elsewhere
	out.BaseURI, out.Document = c.Text(out.BaseURI), c.Text(out.Document)
	for i, f := range out.At {
		out.At[i] = Found{Document: c.Text(f.Document), Address: c.Text(f.Address)}
	}
	return out
}

// elsewhere returns where documents of a rank below have an operation, by the
// base address that it makes there.
func (n *nearby) elsewhere(a Asked, at address, below int) map[string]Found {
	out := map[string]Found{}
	relative := "/" + strings.TrimLeft(Erase(a.Path), "/")
	look := func(tail, base string) {
		for _, path := range []string{tail, strings.TrimSuffix(tail, "/{}")} {
			for _, c := range n.tails[strings.ToLower(path)] {
				there, ok := addressOf(c.ref.Server)
				prefix, fits := strings.CutSuffix(there.full(c.ref.Path), path)
				if !ok || !fits || c.rank >= below {
					continue
				}
				address := there.origin + prefix + base
				known, seen := out[address]
				found := Found{Document: c.ref.Document().Name}
				if path == tail && c.ref.Method == a.Method {
					found.Address = c.ref.Server + c.ref.Path
				}
				if address != at.origin+at.path && (!seen || known.Address == "" && found.Address != "") {
					out[address] = found
				}
			}
		}
	}
	look(relative, "")
	if at.path != "" {
		look(at.full(a.Path), at.path)
	}
	return out
}

// named says how much of the first label of an address's host is among the
// words, in percent.
func named(address string, about []string) int {
	_, host, _ := strings.Cut(address, "://")
	label, _, _ := strings.Cut(host, ".")
	all := words(label)
	n := 0
	for _, w := range all {
		if slices.Contains(about, w) {
			n++
		}
	}
	return n * 100 / max(len(all), 1)
}

// words are the words of a name, without those that every API has in it.
func words(text string) []string {
	all := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return slices.DeleteFunc(all, func(w string) bool { return w == "api" || w == "www" })
}
