package mcp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"
	"unicode/utf8"

	"patchbay/internal/auth"
	"patchbay/internal/fault"
	"patchbay/internal/jsonvalue"
	core "patchbay/internal/mcp"
	"patchbay/internal/plan"
	"patchbay/internal/telemetry"
)

// Bounds of static resources.
const (
	maxFiles    = 10_000
	maxFileSize = 8 << 20 // bytes
)

// resources makes the adapter's resources and templates.
func (a *adapter) resources() ([]core.Resource, []core.ResourceTemplate, error) {
	var fixed []core.Resource
	var templates []core.ResourceTemplate
	for _, r := range a.Adapter.Resources {
		var counts *telemetry.Operation
		if r.Operation != nil {
			counts = a.Log.Metrics().Operation(telemetry.OperationInfo{
				Protocol: "mcp", Adapter: a.Adapter.Namespace, Name: r.Name, Method: "resources/read",
				Changes: !r.Operation.Safe(), Targets: a.Bound.Targets(r.Operation),
			})
		}
		switch {
		case r.Folder != "":
			files, err := a.folder(r)
			if err != nil {
				return nil, nil, fmt.Errorf("resource %s: %w", r.Name, err)
			}
			fixed = append(fixed, files...)
		case len(r.Params) > 0:
			templates = append(templates, core.ResourceTemplate{
				URITemplate: r.URI, Name: r.Name, Title: r.Title, Description: r.Description, MIMEType: r.MimeType,
				Match: func(uri string) bool { _, ok := r.Match(uri); return ok },
				Read: func(ctx context.Context, uri string) ([]core.ResourceContents, error) {
					return a.readDynamic(ctx, r, counts, uri)
				},
			})
		default:
			fixed = append(fixed, core.Resource{
				URI: r.URI, Name: r.Name, Title: r.Title, Description: r.Description, MIMEType: r.MimeType,
				Read: func(ctx context.Context, uri string) ([]core.ResourceContents, error) {
					return a.readDynamic(ctx, r, counts, uri)
				},
			})
		}
	}
	if len(a.Adapter.Resources) > 0 {
		// An empty list still is a capability.
		fixed, templates = append([]core.Resource{}, fixed...), append([]core.ResourceTemplate{}, templates...)
	}
	return fixed, templates, nil
}

// folder lists the files below a folder. They are read through a root that no
// name and no symbolic link can leave.
func (a *adapter) folder(r *plan.Resource) ([]core.Resource, error) {
	switch info, err := os.Stat(r.Folder); {
	case err == nil && info.Mode().IsRegular():
		return singleFile(r, info.Size())
	case err == nil && !info.IsDir():
		return nil, fmt.Errorf("%s is neither a file nor a folder", r.Folder)
	}
	root, err := os.OpenRoot(r.Folder)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no folder %s", r.Folder)
		}
		return nil, err
	}
	var out []core.Resource
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := root.Stat(name)
		if err != nil || !info.Mode().IsRegular() {
			return nil // links that lead outside, sockets, devices
		}
		if len(out) == maxFiles {
			return fmt.Errorf("the folder holds more than %d files", maxFiles)
		}
		size := info.Size()
		out = append(out, core.Resource{
			URI: strings.TrimRight(r.URI, "/") + "/" + escapePath(name), Name: path.Base(name), Title: fileTitle(r, name), Description: r.Description,
			MIMEType: mediaOf(name, r.MimeType), Size: &size,
			Read: func(_ context.Context, uri string) ([]core.ResourceContents, error) {
				return readFile(root, name, uri, r.MimeType)
			},
		})
		return nil
	})
	return out, err
}

// singleFile is a resource whose location is one file: its address is the
// resource's own.
func singleFile(r *plan.Resource, size int64) ([]core.Resource, error) {
	root, err := os.OpenRoot(filepath.Dir(r.Folder))
	if err != nil {
		return nil, err
	}
	name := filepath.Base(r.Folder)
	return []core.Resource{{
		URI: r.URI, Name: r.Name, Title: r.Title, Description: r.Description, MIMEType: mediaOf(name, r.MimeType), Size: &size,
		Read: func(_ context.Context, uri string) ([]core.ResourceContents, error) {
			return readFile(root, name, uri, r.MimeType)
		},
	}}, nil
}

func fileTitle(r *plan.Resource, name string) string {
	if r.Title == "" {
		return ""
	}
	return r.Title + ": " + name
}

func escapePath(name string) string {
	parts := strings.Split(filepath.ToSlash(name), "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/")
}

// mediaOf is the media type of a file: by its ending, else as declared.
func mediaOf(name, declared string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".md":
		return "text/markdown"
	case ".yaml", ".yml":
		return "application/yaml"
	case ".txt":
		return "text/plain"
	}
	if byEnding := mime.TypeByExtension(path.Ext(name)); byEnding != "" {
		media, _, _ := strings.Cut(byEnding, ";")
		return media
	}
	if declared != "" {
		return declared
	}
	return "application/octet-stream"
}

func readFile(root *os.Root, name, uri, declared string) ([]core.ResourceContents, error) {
	// A pipe that took the file's place would keep the reader waiting.
	if info, err := root.Stat(name); err != nil || !info.Mode().IsRegular() {
		return nil, core.ErrResourceNotFound
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, core.ErrResourceNotFound
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFileSize {
		return nil, &core.Error{Code: core.CodeInternalError, Message: fmt.Sprintf("the resource is larger than %d bytes", maxFileSize)}
	}
	return []core.ResourceContents{contents(uri, mediaOf(name, declared), data)}, nil
}

// contents are text where the media type says so and the bytes are text.
func contents(uri, media string, data []byte) core.ResourceContents {
	if isText(media) && utf8.Valid(data) {
		return core.ResourceContents{URI: uri, MIMEType: media, Text: string(data)}
	}
	if data == nil {
		data = []byte{}
	}
	return core.ResourceContents{URI: uri, MIMEType: media, Blob: data}
}

func isText(media string) bool {
	if strings.HasPrefix(media, "text/") || strings.HasSuffix(media, "+json") || strings.HasSuffix(media, "+xml") || strings.HasSuffix(media, "+yaml") {
		return true
	}
	switch media {
	case "application/json", "application/xml", "application/yaml", "application/javascript", "application/x-www-form-urlencoded", "image/svg+xml":
		return true
	}
	return false
}

// dynamic reports whether a URI is answered by an operation.
func (a *adapter) dynamic(uri string) bool {
	for _, r := range a.Adapter.Resources {
		if r.Folder != "" {
			continue
		}
		if _, ok := r.Match(uri); ok {
			return true
		}
	}
	return false
}

// readDynamic answers a resource from its operation.
func (a *adapter) readDynamic(ctx context.Context, r *plan.Resource, counts *telemetry.Operation, uri string) ([]core.ResourceContents, error) {
	start := time.Now()
	ctx = a.as(ctx)
	access := telemetry.Access{Caller: auth.CallerOf(ctx).CallerName(), Protocol: "mcp", Method: "resources/read", RequestID: a.IDs.Accept(core.RequestID(ctx))}
	ctx = access.Begin(ctx, a.Log, carrier(ctx), start)
	access.Reach(counts)
	defer access.Leave()
	out, err := a.attemptResource(ctx, r, uri, &access)
	access.Duration = time.Since(start)
	a.Log.Log(ctx, &access)
	return out, err
}

// attemptResource is runResource with panics as faults.
func (a *adapter) attemptResource(ctx context.Context, r *plan.Resource, uri string, access *telemetry.Access) (out []core.ResourceContents, err error) {
	defer func() {
		if v := recover(); v != nil {
			access.Fault = a.Log.Panicked(ctx, access, v, debug.Stack())
			out, err = nil, protocolError(access.Fault)
		}
	}()
	return a.runResource(ctx, r, uri, access)
}

func (a *adapter) runResource(ctx context.Context, r *plan.Resource, uri string, access *telemetry.Access) ([]core.ResourceContents, error) {
	if refused := a.permit(ctx, r.Name); refused != nil {
		access.Fault = refused.Fault
		return nil, denied(refused)
	}
	if f := pay(ctx); f != nil {
		access.Fault = f
		return nil, protocolError(f)
	}
	args := &plan.Args{Values: make([]jsonvalue.Value, len(r.Operation.Inputs))}
	values, ok := r.Match(uri)
	if !ok {
		return nil, core.ErrResourceNotFound
	}
	for i, raw := range values {
		text, err := url.PathUnescape(raw)
		if err != nil {
			return nil, core.ErrResourceNotFound
		}
		if at := r.ParamInputs[i]; at >= 0 {
			args.Values[at] = jsonvalue.StringOf(text)
		}
	}
	out, err := a.Bound.Run(ctx, r.Operation, args)
	if err != nil {
		f := fault.Of(err)
		access.Fault, access.Retries, access.UpstreamStatus = f, f.Retries, f.UpstreamStatus
		return nil, protocolError(f)
	}
	defer out.Release()
	access.Retries, access.UpstreamStatus = out.Retries, upstreamStatus(out)
	access.Answer(out.Outcome, out.Status, out.Effects)
	if !out.OK() {
		access.Failed = true
		if out.Status == http.StatusNotFound {
			return nil, core.ErrResourceNotFound
		}
		return nil, &core.Error{Code: core.CodeInternalError, Message: inStep(out.Step, fmt.Sprintf("the upstream answered HTTP %d %s", out.Status, http.StatusText(out.Status)))}
	}
	media := r.MimeType
	switch {
	case media != "":
	case out.Binary:
		media = out.Media
	default:
		media = "application/json"
	}
	return []core.ResourceContents{contents(uri, media, append([]byte(nil), out.Body...))}, nil
}

// protocolError is a fault where the protocol has no results that fail.
func protocolError(f *fault.Fault) *core.Error {
	code := core.CodeInternalError
	if f.Kind == fault.InvalidInput {
		code = core.CodeInvalidParams
	}
	text := f.Message
	if len(f.Fields) > 1 {
		for _, field := range f.Fields {
			text += "; " + sentence(field)
		}
	}
	return &core.Error{Code: code, Message: inStep(f.Step, text)}
}

// inStep adds to a message which step of several it is about.
func inStep(step, text string) string {
	if step == "" || strings.HasPrefix(text, "step "+step+" ") {
		return text
	}
	return "step " + step + ": " + text
}
