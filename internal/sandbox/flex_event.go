package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// event is something people or TaskRouter do to a channel that the simulated
// endpoints cannot.
type event struct {
	name string
	from channelStatus
	run  func(ch *channel, now time.Time) error
}

func (f *flex) events() []event {
	moveTo := func(status channelStatus) func(*channel, time.Time) error {
		return func(ch *channel, now time.Time) error {
			ch.enter(status, now)
			return nil
		}
	}
	return []event{
		{"accept", statusActive, f.accept},
		{"cancel", statusActive, cancelPending},
		{"leave", statusActive, leave},
		{"reply", statusInactive, f.reply},
		{"pause", statusActive, moveTo(statusPause)},
		{"resume", statusPause, moveTo(statusActive)},
		{"transfer", statusActive, moveTo(statusTransfer)},
		{"transferred", statusTransfer, moveTo(statusActive)},
	}
}

// nudge implements world: the event happens to the channel sid.
func (f *flex) nudge(sid, name string, now time.Time) error {
	ch := f.channelBySID(sid, now)
	if ch == nil {
		return fmt.Errorf("there is no channel %q", brief(sid))
	}
	var names []string
	for _, e := range f.events() {
		if e.name != name {
			names = append(names, e.name)
			continue
		}
		if ch.status != e.from {
			return fmt.Errorf("%s needs a channel in status %s; this one is in %s", name, e.from, ch.status)
		}
		return e.run(ch, now)
	}
	return fmt.Errorf("unknown event %q; known are %s", brief(name), strings.Join(names, ", "))
}

func (f *flex) channelBySID(sid string, now time.Time) *channel {
	for i := range f.interactions.all() {
		for _, ch := range i.present(now) {
			if ch.sid == sid {
				ch.settle(now)
				return ch
			}
		}
	}
	return nil
}

// accept lets an agent accept the oldest pending task and join.
func (f *flex) accept(ch *channel, now time.Time) error {
	t := ch.pendingTask()
	if t == nil {
		return errors.New("the channel has no pending task")
	}
	ch.expectAgent(t, f.entropy, now)
	return nil
}

// cancelPending is a workflow's time-out: the Conversation stays open, possibly
// with nobody in it but the customer.
func cancelPending(ch *channel, _ time.Time) error {
	t := ch.pendingTask()
	if t == nil {
		return errors.New("the channel has no pending task")
	}
	t.status = taskCanceled
	return nil
}

// leave is what an agent does who parks the Conversation.
func leave(ch *channel, now time.Time) error {
	ch.enter(statusInactive, now)
	ch.finishTasks(true)
	ch.dismissAgents()
	return nil
}

// reply is the customer writing into a parked Conversation: a new task.
func (f *flex) reply(ch *channel, now time.Time) error {
	if len(ch.invites) == 0 {
		return errors.New("the channel never had a task to repeat")
	}
	if len(ch.invites) >= maxTasks {
		return fmt.Errorf("the channel has %d tasks, which is all this sandbox keeps", maxTasks)
	}
	again := *ch.invites[len(ch.invites)-1].task
	inv := &invitation{sid: f.entropy.sid("KG"), task: &again}
	again.sid = f.entropy.sid("WT")
	again.status = taskPending
	again.target = ""
	again.created = now
	var own map[string]json.RawMessage
	if err := json.Unmarshal([]byte(again.attributes), &own); err != nil {
		return fmt.Errorf("repeating the task's attributes: %w", err)
	}
	again.attributes = flexAttributes(own, attributeFacts{interaction: ch.home, channel: ch, invite: inv.sid})
	ch.invites = append(ch.invites, inv)
	ch.enter(statusActive, now)
	return nil
}
