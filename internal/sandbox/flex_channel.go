package sandbox

import (
	"time"
)

const (
	// channelRetention is how long a channel can be fetched after its last
	// update, whatever its status.
	channelRetention = 180 * 24 * time.Hour
	// pauseLimit is the default after which a paused channel comes back.
	pauseLimit = 14 * 24 * time.Hour
)

// channelStatus is the documented enum.
type channelStatus string

const (
	statusSetup    channelStatus = "setup"
	statusActive   channelStatus = "active"
	statusFailed   channelStatus = "failed"
	statusClosed   channelStatus = "closed"
	statusInactive channelStatus = "inactive"
	statusPause    channelStatus = "pause"
	statusTransfer channelStatus = "transfer"
)

// terminal states have no documented way back.
func (s channelStatus) terminal() bool { return s == statusClosed || s == statusFailed }

// channel is the one communication channel of an interaction: one
// Conversation, any number of tasks.
type channel struct {
	sid, kind, initiatedBy string
	home                   string // the interaction it was made for
	conversation           string
	pairs                  []addressPair
	participants           []*participant
	invites                []*invitation

	status   channelStatus
	failure  *channelFailure // how set-up will end, or has ended; nil is well
	arriving []arrival       // agents who join as soon as it is active
	updated  time.Time
	ready    time.Time // when set-up ends
	shared   int       // bytes of input that later interactions added
}

type channelFailure struct {
	code    int
	message string
}

// invitation is the documented invite; its task is what is routed.
type invitation struct {
	sid  string
	task *task
}

type participant struct {
	sid     string
	kind    string // customer or agent
	routing *participantRouting
}

type participantRouting struct {
	TaskSID        string `json:"task_sid"`
	WorkerSID      string `json:"worker_sid"`
	ReservationSID string `json:"reservation_sid"`
}

// arrival is an agent on the way into the Conversation.
type arrival struct {
	task        *task
	participant *participant
}

// settle makes happen what time alone brings: set-up ends, a pause runs out, a
// task nobody accepts is cancelled. The moments follow from the clock, so it
// does not matter when, or how often, settle is called.
func (ch *channel) settle(now time.Time) {
	if ch.status == statusSetup && !now.Before(ch.ready) {
		if ch.failure == nil {
			ch.enter(statusActive, ch.ready)
		} else {
			ch.enter(statusFailed, ch.ready)
			for _, inv := range ch.invites {
				inv.task.status = taskCanceled
			}
		}
	}
	if limit := ch.updated.Add(pauseLimit); ch.status == statusPause && !now.Before(limit) {
		ch.enter(statusActive, limit)
		for _, inv := range ch.invites {
			if inv.task.status == taskAssigned {
				inv.task.status = taskPending
				inv.task.created = limit
			}
		}
		ch.dismissAgents()
	}
	for _, inv := range ch.invites {
		inv.task.settle(now)
	}
}

// enter changes the status. Agents on their way arrive in an active channel.
func (ch *channel) enter(status channelStatus, now time.Time) {
	ch.status = status
	ch.updated = now
	if status != statusActive {
		return
	}
	for _, a := range ch.arriving {
		a.task.status = taskAssigned
		ch.participants = append(ch.participants, a.participant)
	}
	ch.arriving = nil
}

// expectAgent lets an agent take the task: at once where the channel is active
// or parked, else when it becomes active.
func (ch *channel) expectAgent(t *task, e *entropy, now time.Time) {
	if t.target == "" {
		t.target = SeedWorker
	}
	ch.arriving = append(ch.arriving, arrival{task: t, participant: &participant{
		sid: e.sid("UT"), kind: "agent",
		routing: &participantRouting{TaskSID: t.sid, WorkerSID: t.target, ReservationSID: e.sid("WR")},
	}})
	if ch.status == statusActive || ch.status == statusInactive {
		ch.enter(statusActive, now)
	}
}

func (ch *channel) dismissAgents() {
	var stay []*participant
	for _, p := range ch.participants {
		if p.kind != "agent" {
			stay = append(stay, p)
		}
	}
	ch.participants = stay
}

func (ch *channel) finishTasks(completed bool) {
	for _, inv := range ch.invites {
		inv.task.finish(completed)
	}
}

// pendingTask is the oldest task that waits for an agent.
func (ch *channel) pendingTask() *task {
	for _, inv := range ch.invites {
		if inv.task.status == taskPending {
			return inv.task
		}
	}
	return nil
}

// orphaned reports an open Conversation that nobody works on or waits for.
func (ch *channel) orphaned() bool {
	if ch.status != statusActive {
		return false
	}
	for _, inv := range ch.invites {
		if inv.task.live() {
			return false
		}
	}
	return true
}

// channelAnswer is the resource in the shape of the documented answer.
type channelAnswer struct {
	SID            string       `json:"sid"`
	InteractionSID string       `json:"interaction_sid"`
	Type           string       `json:"type"`
	Status         string       `json:"status"`
	ErrorCode      *int         `json:"error_code"`
	ErrorMessage   *string      `json:"error_message"`
	URL            string       `json:"url"`
	Links          channelLinks `json:"links"`
}

type channelLinks struct {
	Participants string `json:"participants"`
	Invites      string `json:"invites"`
	Transfers    string `json:"transfers"`
}

func channelPath(i *interaction, ch *channel) string {
	return "/Interactions/" + i.sid + "/Channels/" + ch.sid
}

func (ch *channel) answer(c *call, i *interaction) channelAnswer {
	at := c.url(channelPath(i, ch))
	a := channelAnswer{
		SID: ch.sid, InteractionSID: i.sid, Type: ch.kind, Status: string(ch.status),
		URL: at,
		Links: channelLinks{
			Participants: at + "/Participants",
			Invites:      at + "/Invites",
			Transfers:    at + "/Transfers",
		},
	}
	if ch.status == statusFailed {
		a.ErrorCode, a.ErrorMessage = &ch.failure.code, &ch.failure.message
	}
	return a
}

// channelSummary is a channel on the control page.
type channelSummary struct {
	SID          string        `json:"sid"`
	Type         string        `json:"type"`
	Status       string        `json:"status"`
	ErrorCode    int           `json:"error_code,omitempty"`
	Conversation string        `json:"conversation_sid"`
	Tasks        []taskSummary `json:"tasks"`
	Orphaned     bool          `json:"orphaned,omitempty"`
}

type taskSummary struct {
	SID    string `json:"sid"`
	Status string `json:"assignment_status"`
}

func (ch *channel) summary() channelSummary {
	s := channelSummary{
		SID: ch.sid, Type: ch.kind, Status: string(ch.status),
		Conversation: ch.conversation, Orphaned: ch.orphaned(), Tasks: []taskSummary{},
	}
	if ch.status == statusFailed {
		s.ErrorCode = ch.failure.code
	}
	for _, inv := range ch.invites {
		s.Tasks = append(s.Tasks, taskSummary{inv.task.sid, string(inv.task.status)})
	}
	return s
}
