package deploy

import (
	"testing"
	"time"
)

// What is said for a namespace goes before what holds for all, and a flag before
// the deployment file at the same level.
func TestUpstream(t *testing.T) {
	o := Defaults()
	o.UpstreamSettings = map[string]Upstream{
		"":  {Retry: Retry{Attempts: 2}, MaxQueue: 7, Proxy: "none"},
		"a": {Total: time.Second, Retry: Retry{Base: time.Minute}},
	}
	o.Upstreams["a"], o.Checks[""], o.Checks["a"] = "https://a.example", "off", "warn"
	a, b := o.Upstream("a"), o.Upstream("b")
	if a.Total != time.Second || a.BaseURL != "https://a.example" || a.Checks != "warn" || a.MaxQueue != 7 || a.Connect != o.Limits.Connect || a.Proxy != "none" {
		t.Errorf("a: %+v", a)
	}
	if a.Retry != (Retry{Attempts: 2, Base: time.Minute, Max: o.Limits.Retry.Max}) || b.Retry.Attempts != 2 {
		t.Errorf("each field of a retry has its own default: %+v, %+v", a.Retry, b.Retry)
	}
	if b.Total != o.Limits.Total || b.Checks != "off" || b.BaseURL != "" {
		t.Errorf("b: %+v", b)
	}
}

func TestAdapter(t *testing.T) {
	o := Defaults()
	o.AdapterSettings = map[string]Adapter{
		"":  {Rate: Rate{PerSecond: 1}},
		"a": {MaxBody: 5, MaxResult: -1, Tools: []string{"x"}, ReadOnly: true},
	}
	o.Tools, o.Tags = []string{"all"}, []string{"tag"}
	o.Listen["a"], o.MountAll = "127.0.0.1:1", true
	a, b := o.Adapter("a"), o.Adapter("b")
	if a.MaxBody != 5 || a.MaxResult != 0 || len(a.Tools) != 1 || a.Tools[0] != "x" || a.Tags != nil || !a.ReadOnly || a.Listen != "127.0.0.1:1" || a.Mount != "/a" || a.Rate.PerSecond != 1 {
		t.Errorf("a: %+v", a)
	}
	if b.MaxBody != o.Limits.MaxBody || b.MaxResult != o.MaxResult || b.Tools[0] != "all" || b.Tags[0] != "tag" || b.ReadOnly || b.Listen != "" {
		t.Errorf("b: %+v", b)
	}
	// What all adapters may offer, one cannot widen.
	o.ReadOnly = true
	if b := o.Adapter("b"); !b.ReadOnly {
		t.Error("an adapter offers more than all may")
	}
}
