package archtest

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

func packageNameRule() rule {
	return rule{
		name:   "package-names",
		reason: "a package is named after a thing of the format or of the field; a drawer for anything has no edge, so everything ends up in it",
		check: func(t *tree) []finding {
			drawers := []string{"base", "common", "core", "helper", "helpers", "lib", "misc", "model", "models", "shared", "tools", "types", "util", "utils"}
			var out []finding
			seen := map[string]bool{}
			for _, f := range t.product() {
				name := f.syntax.Name.Name
				if slices.Contains(drawers, name) && !seen[f.dir] {
					out = append(out, finding{f.path, f.line(f.syntax.Name.Pos()), f.dir, "package " + name + " says nothing about what is in it"})
				}
				if name != path.Base(f.dir) && name != "main" && !seen[f.dir] {
					out = append(out, finding{f.path, f.line(f.syntax.Name.Pos()), f.dir, fmt.Sprintf("package %s is in directory %s", name, f.dir)})
				}
				seen[f.dir] = true
			}
			return out
		},
	}
}

func packageCommentRule() rule {
	return rule{
		name:   "package-comments",
		reason: "a package's comment is where a newcomer learns its purpose and its place in the path of a request",
		check:  checkPackageComments,
	}
}

func checkPackageComments(t *tree) []finding {
	comments := map[string]string{}
	first := map[string]*goFile{}
	for _, f := range t.product() {
		first[f.dir] = cmp.Or(first[f.dir], f)
		if f.syntax.Doc != nil {
			comments[f.dir] += f.syntax.Doc.Text()
		}
	}
	var out []finding
	for dir, f := range first {
		start := "Package " + f.syntax.Name.Name + " "
		if f.syntax.Name.Name == "main" {
			start = "Command " + path.Base(dir) + " "
		}
		if !strings.HasPrefix(comments[dir], start) {
			out = append(out, finding{f.path, f.line(f.syntax.Name.Pos()), dir, fmt.Sprintf("package %s needs one comment that starts with %q", dir, start)})
		}
	}
	slices.SortFunc(out, func(a, b finding) int { return cmp.Compare(a.path, b.path) })
	return out
}

// maxLines bounds a file that is not a test.
const maxLines = 600

func fileSizeRule() rule {
	return rule{
		name:   "file-size",
		reason: "one concept, one file: what does not fit into 600 lines is two concepts",
		check: func(t *tree) []finding {
			var out []finding
			for _, f := range t.product() {
				if f.lines > maxLines {
					out = append(out, finding{f.path, maxLines + 1, f.path, fmt.Sprintf("%d lines, %d at most", f.lines, maxLines)})
				}
			}
			return out
		},
	}
}

func machinePathRule() rule {
	return rule{
		name:   "machine-paths",
		reason: "a path that exists on one machine makes a file wrong on all others; paths are relative to the repository or configured",
		check:  checkMachinePaths,
	}
}

func checkMachinePaths(t *tree) []finding {
	absolute := regexp.MustCompile(`(?m)(^|[^A-Za-z0-9_.-])/(work|farm)/`)
	var out []finding
	for _, text := range t.texts {
		for _, at := range absolute.FindAllStringIndex(text.content, -1) {
			line := 1 + strings.Count(text.content[:at[1]], "\n")
			out = append(out, finding{text.path, line, text.path, "path of one machine"})
		}
	}
	return out
}
