package page

import (
	"cmp"
	"net/url"
	"strings"
)

// call is a request in the form in which the page shows and sends it.
type call struct {
	method string
	// path is the template with its placeholders in braces; base comes before it.
	base, path string
	fields     []*field
	body       string
	guard      guard
}

// header is the header that lets a caller in, with words in place of secrets;
// the name is "" where it is no header.
func (g guard) header() (name, value string) {
	switch {
	case g.Scheme == "basic":
		return "Authorization", "Basic BASE64_OF_USER:PASSWORD"
	case g.Scheme == "bearer":
		return "Authorization", "Bearer TOKEN"
	case g.Scheme == "apikey" && g.In == "header":
		return g.Name, "KEY"
	default:
		return "", ""
	}
}

// curl is a command line that makes the call. The script of the page writes it
// in the same way when somebody fills in the form.
func (c *call) curl() string {
	path := c.path
	var query, options []string
	for _, f := range c.fields {
		value := f.Value
		if f.Required {
			value = cmp.Or(value, f.Sample, strings.ToUpper(f.Name))
		}
		switch {
		case f.In == "path":
			path = strings.Replace(path, "{"+f.Name+"}", url.PathEscape(value), 1)
		case value == "":
		case f.In == "query":
			query = append(query, url.QueryEscape(f.Name)+"="+url.QueryEscape(value))
		case f.In == "header":
			options = append(options, "-H "+ShellWord(f.Name+": "+value))
		default:
			options = append(options, "-b "+ShellWord(f.Name+"="+value))
		}
	}
	switch name, value := c.guard.header(); {
	case c.guard.Scheme == "basic":
		options = append(options, "-u USER:PASSWORD")
	case name != "":
		options = append(options, "-H "+ShellWord(name+": "+value))
	case c.guard.Scheme == "apikey" && c.guard.In == "query":
		query = append(query, url.QueryEscape(c.guard.Name)+"=KEY")
	case c.guard.Scheme == "apikey":
		options = append(options, "-b "+ShellWord(c.guard.Name+"=KEY"))
	}
	if c.body != "" {
		options = append(options, "-H 'Content-Type: application/json'", "-d "+ShellWord(c.body))
	}
	address := c.base + path
	if query != nil {
		address += "?" + strings.Join(query, "&")
	}
	command := "curl -sS"
	if c.method != "GET" && (c.method != "POST" || c.body == "") {
		command += " -X " + c.method
	}
	return strings.Join(append([]string{command + " " + ShellWord(address)}, options...), " \\\n  ")
}

// ShellWord makes a text one word of a POSIX shell, so that commands with names
// out of files can be pasted.
func ShellWord(s string) string {
	plain := s != ""
	for i := range len(s) {
		c := s[i]
		plain = plain && ('0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || strings.IndexByte("-_./:@%+,=", c) >= 0)
	}
	if plain {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
