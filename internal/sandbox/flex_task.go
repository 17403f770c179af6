package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"
)

// taskStatus is TaskRouter's assignment status. A reservation of this
// simulator is accepted as soon as it is made, so "reserved" does not occur.
type taskStatus string

const (
	taskPending   taskStatus = "pending"
	taskAssigned  taskStatus = "assigned"
	taskWrapping  taskStatus = "wrapping"
	taskCompleted taskStatus = "completed"
	taskCanceled  taskStatus = "canceled"
)

const (
	defaultTaskTimeout = 86400 // seconds
	workflowName       = "Sandbox workflow"
	queueName          = "Sandbox queue"
	defaultTaskChannel = "default"
)

// task is what TaskRouter routes to an agent.
type task struct {
	sid, account, workspace, workflow, queue string
	channelSID, channelName                  string
	target                                   string // worker; "" while nobody is known
	status                                   taskStatus
	attributes                               string // JSON text
	priority, timeout                        int64
	created                                  time.Time
}

// settle cancels a task that nobody accepted in time.
func (t *task) settle(now time.Time) {
	if t.status == taskPending && now.Sub(t.created) >= time.Duration(t.timeout)*time.Second {
		t.status = taskCanceled
	}
}

// finish moves the task on when its channel ends. What is not accepted can
// neither wrap up nor be completed and is cancelled.
func (t *task) finish(completed bool) {
	switch t.status {
	case taskPending:
		t.status = taskCanceled
	case taskAssigned, taskWrapping:
		t.status = taskWrapping
		if completed {
			t.status = taskCompleted
		}
	case taskCompleted, taskCanceled:
	}
}

func (t *task) live() bool {
	return t.status == taskPending || t.status == taskAssigned || t.status == taskWrapping
}

// taskSnapshot is the task inside routing.properties. The mixture of cases and
// the seconds as numbers are the provider's.
type taskSnapshot struct {
	AccountSID        string  `json:"account_sid"`
	WorkspaceSID      string  `json:"workspace_sid"`
	SID               string  `json:"sid"`
	WorkflowSID       string  `json:"workflow_sid"`
	WorkflowName      string  `json:"workflow_name"`
	QueueSID          string  `json:"queue_sid"`
	QueueName         string  `json:"queue_name"`
	TaskChannelSID    string  `json:"task_channel_sid"`
	TaskChannelName   string  `json:"task_channel_unique_name"`
	RoutingTarget     *string `json:"routing_target"`
	AssignmentStatus  string  `json:"assignment_status"`
	Attributes        string  `json:"attributes"`
	Priority          int64   `json:"priority"`
	Age               int64   `json:"age"`
	AgeInQueue        int64   `json:"age_in_queue"`
	Reason            *string `json:"reason"`
	Timeout           int64   `json:"timeout"`
	AssignmentCounter int     `json:"assignmentCounter"`
	Addons            string  `json:"addons"`
	DateCreated       int64   `json:"date_created"`
	DateUpdated       int64   `json:"date_updated"`
	QueueEnteredDate  int64   `json:"task_queue_entered_date"`
}

func (t *task) snapshot(now time.Time) taskSnapshot {
	age := max(int64(now.Sub(t.created)/time.Second), 0)
	created := t.created.Unix()
	return taskSnapshot{
		AccountSID: t.account, WorkspaceSID: t.workspace, SID: t.sid,
		WorkflowSID: t.workflow, WorkflowName: workflowName,
		QueueSID: t.queue, QueueName: queueName,
		TaskChannelSID: t.channelSID, TaskChannelName: t.channelName,
		RoutingTarget:    orNull(t.target),
		AssignmentStatus: string(t.status),
		Attributes:       t.attributes,
		Priority:         t.priority,
		Age:              age, AgeInQueue: age,
		Timeout: t.timeout, Addons: "{}",
		DateCreated: created, DateUpdated: created, QueueEnteredDate: created,
	}
}

// shortSnapshot is what a fetched interaction tells about its task.
type shortSnapshot struct {
	WorkflowSID     string  `json:"workflow_sid"`
	Attributes      string  `json:"attributes"`
	TaskChannelName string  `json:"task_channel_unique_name"`
	RoutingTarget   *string `json:"routing_target"`
	QueueName       string  `json:"queue_name"`
}

func (t *task) short() shortSnapshot {
	return shortSnapshot{
		WorkflowSID: t.workflow, Attributes: t.attributes, TaskChannelName: t.channelName,
		RoutingTarget: orNull(t.target), QueueName: queueName,
	}
}

// taskChannelSID gives a named task channel the same SID everywhere.
func taskChannelSID(name string) string {
	sum := sha256.Sum256([]byte(name))
	return "TC" + hex.EncodeToString(sum[:16])
}

// attributeFacts are what Flex adds to the caller's attributes.
type attributeFacts struct {
	interaction string
	channel     *channel
	invite      string
}

// flexAttributes is the attributes text of a task: the caller's members, bytes
// unchanged, and over them the ones that Flex owns. customers and
// conversations are filled up where the caller sent objects of these names.
func flexAttributes(own map[string]json.RawMessage, facts attributeFacts) string {
	ch := facts.channel
	direction := "inbound"
	if ch.initiatedBy == "agent" {
		direction = "outbound"
	}
	all := make(map[string]any, len(own)+9)
	for key, raw := range own {
		all[key] = raw
	}
	all["flexInteractionSid"] = facts.interaction
	all["flexInteractionChannelSid"] = ch.sid
	all["flexChannelInviteSid"] = facts.invite
	all["conversationSid"] = ch.conversation
	all["channelType"] = ch.kind
	all["initiatedBy"] = ch.initiatedBy
	all["direction"] = direction
	all["conversations"] = filled(own["conversations"], map[string]any{
		"initiated_by":          ch.initiatedBy,
		"communication_channel": ch.kind,
		"conversation_id":       facts.interaction,
		"media":                 []any{map[string]string{"type": "ChatTranscript", "sid": ch.conversation}},
	}, true)
	if customers := customerFacts(own); len(customers) > 0 {
		all["customers"] = filled(own["customers"], customers, false)
	}
	text, err := encode(all)
	if err != nil { // the members were valid JSON before
		return "{}"
	}
	return string(text)
}

// customerFacts derives the members of customers from the two attributes that
// callers give by convention.
func customerFacts(own map[string]json.RawMessage) map[string]any {
	facts := map[string]any{}
	var name, address string
	if json.Unmarshal(own["customerName"], &name) == nil && name != "" {
		facts["name"] = name
	}
	if json.Unmarshal(own["customerAddress"], &address) == nil && address != "" {
		key := "phone"
		if strings.Contains(address, "@") {
			key = "email"
		}
		facts[key] = address
	}
	return facts
}

// filled merges facts into a caller's object; where both have a member, wins
// decides for the facts. Anything but an object is replaced.
func filled(own json.RawMessage, facts map[string]any, wins bool) map[string]any {
	members := map[string]json.RawMessage{}
	if json.Unmarshal(own, &members) != nil || members == nil {
		return facts
	}
	merged := make(map[string]any, len(members)+len(facts))
	for key, raw := range members {
		merged[key] = raw
	}
	for key, fact := range facts {
		if _, taken := merged[key]; wins || !taken {
			merged[key] = fact
		}
	}
	return merged
}
