package sandbox

import (
	"fmt"
	"time"
)

// reset implements world: only the seeded interaction is left.
func (f *flex) reset(now time.Time) {
	f.interactions = newStore[*interaction](f.capacity, maxHeldInput)
	f.seed = &interaction{sid: SeedInteraction}
	for n := 1; n <= f.channels; n++ {
		f.seed.channels = append(f.seed.channels, seededChannel(n, now))
	}
	f.interactions.pin(f.seed.sid, f.seed)
}

// seededChannel is the n-th channel of the seeded interaction, from 1: active,
// a visitor in it, and an agent who has accepted the task.
func seededChannel(n int, now time.Time) *channel {
	sid := func(prefix string) string { return fmt.Sprintf("%s5eed%028x", prefix, n) }
	ch := &channel{
		sid:          sid("UO"),
		kind:         "web",
		home:         SeedInteraction,
		initiatedBy:  "customer",
		conversation: sid("CH"),
		status:       statusActive,
		updated:      now,
	}
	t := &task{
		sid:         sid("WT"),
		account:     SeedAccount,
		workspace:   SeedWorkspace,
		workflow:    SeedWorkflow,
		queue:       SeedQueue,
		channelSID:  taskChannelSID("chat"),
		channelName: "chat",
		target:      SeedWorker,
		status:      taskAssigned,
		timeout:     defaultTaskTimeout,
		created:     now,
	}
	invite := &invitation{sid: sid("KG"), task: t}
	t.attributes = flexAttributes(nil, attributeFacts{
		interaction: SeedInteraction, channel: ch, invite: invite.sid,
	})
	ch.invites = []*invitation{invite}
	ch.participants = []*participant{
		{sid: fmt.Sprintf("UT5eed%028x", 2*n-1), kind: "customer"},
		{sid: fmt.Sprintf("UT5eed%028x", 2*n), kind: "agent", routing: &participantRouting{
			TaskSID: t.sid, WorkerSID: SeedWorker, ReservationSID: sid("WR"),
		}},
	}
	return ch
}
