package workload

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

const (
	channel = `{"type":"web","initiated_by":"api","participants":[{"identity":"visitor-7f31"}]}`
	routing = `{"properties":{"workspace_sid":"WS5eed0000000000000000000000000001","workflow_sid":"WW5eed0000000000000000000000000001",` +
		`"task_channel_unique_name":"chat","attributes":{"customerName":"Ines Duarte","topic":"parcel & pickup"}}}`
)

func TestAuthorization(t *testing.T) {
	req := http.Request{Header: http.Header{"Authorization": {Authorization}}}
	if user, password, ok := req.BasicAuth(); !ok || user != User || password != Password {
		t.Errorf("got %q, %q, %v; want %q, %q", user, password, ok, User, Password)
	}
}

func TestCheckForm(t *testing.T) {
	for _, tt := range []struct {
		name string
		form url.Values
		want string // part of the error, or nothing
	}{
		{"as it should be", url.Values{"Channel": {channel}, "Routing": {routing}}, ""},
		{"other white space", url.Values{"Channel": {strings.ReplaceAll(channel, ",", ", ")}, "Routing": {routing}}, ""},
		{"a field is missing", url.Values{"Channel": {channel}}, "1 fields"},
		{"a field too many", url.Values{"Channel": {channel}, "Routing": {routing}, "X": {"1"}}, "3 fields"},
		{"a field twice", url.Values{"Channel": {channel, channel}, "Routing": {routing}}, "2 fields Channel"},
		{"another value", url.Values{"Channel": {strings.Replace(channel, "web", "sms", 1)}, "Routing": {routing}}, "Channel: got"},
		{"not JSON", url.Values{"Channel": {"map[type:web]"}, "Routing": {routing}}, "invalid character"},
		{"a name of another case", url.Values{"channel": {channel}, "Routing": {routing}}, "0 fields Channel"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := CheckForm(tt.form.Encode())
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	// What a proxy that does not escape would send: the & of a value ends it.
	if CheckForm("Channel="+channel+"&Routing="+routing) == nil {
		t.Error("a form that is not escaped was taken")
	}
}

func TestCheckJSON(t *testing.T) {
	if err := CheckJSON(`{"Routing": ` + routing + `, "Channel": ` + channel + `}`); err != nil {
		t.Error(err)
	}
	if CheckJSON(`{"Channel": `+channel+`}`) == nil {
		t.Error("a body without Routing was taken")
	}
}
