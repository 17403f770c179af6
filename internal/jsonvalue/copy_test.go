package jsonvalue

import (
	"runtime"
	"strings"
	"testing"
	"unsafe"
)

// A copy is equal and shares no memory with what it was made from; texts that
// occur again are stored once.
func TestCopier(t *testing.T) {
	long := strings.Repeat("long ", 100)
	text := `{"name":"a","list":[1,-2.50,true,null,"a",{"name":"b"},[],{}],"escaped":"\u00e9\n","":"","long":"` + long + `"}`
	v, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var c Copier
	got := c.Value(&v)
	if !Equal(&v, &got) || string(got.Append(nil)) != string(v.Append(nil)) {
		t.Errorf("copied %s", got.Append(nil))
	}
	if unsafe.StringData(got.Get("long").Text()) == unsafe.StringData(v.Get("long").Text()) || &got.Elems()[0] == &v.Elems()[0] {
		t.Error("the copy shares memory with the original")
	}
	if got.Get("list").Kind() != Array || got.Get("list").Index(6).Kind() != Array || got.Get("list").Index(7).Kind() != Object {
		t.Error("empty containers are lost")
	}
	again := c.Value(&v)
	if unsafe.StringData(again.Get("name").Text()) != unsafe.StringData(got.Get("list").Index(4).Text()) {
		t.Error("a text that occurs again is stored again")
	}
	if s := c.Text(""); s != "" {
		t.Errorf("the empty text became %q", s)
	}
	var absent Value
	if out := c.Value(&absent); !out.IsAbsent() {
		t.Errorf("no value became %s", out.Kind())
	}
}

// A small part that is copied out does not keep the rest of the text.
func TestCopierLetsGo(t *testing.T) {
	const size = 8 << 20
	var c Copier
	part := func() Value {
		v, err := Parse([]byte(`{"small":{"a":"kept"},"large":"` + strings.Repeat("x", size) + `"}`))
		if err != nil {
			t.Fatal(err)
		}
		return c.Value(v.Get("small"))
	}()
	kept := heapSize()
	runtime.KeepAlive(part)
	part, c = Value{}, Copier{}
	if left := heapSize(); kept > left+size/4 {
		t.Errorf("the part kept %d bytes", kept-left)
	}
}

func heapSize() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
