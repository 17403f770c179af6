package schema

// cutLoops removes references by which a schema is applied to the very value
// it is already being applied to: no value could ever be judged by them (JSON
// Schema 2020-12 core section 9.4.1). It walks the edges that stay at a value,
// with an explicit stack since chains of references may be long.
func (c *compiler) cutLoops() {
	type frame struct {
		schema *Schema
		next   int
	}
	const unseen, open, done = 0, 1, 2
	state := make(map[*Schema]int, len(c.order))
	var stack []frame
	for _, root := range c.order {
		if state[root] != unseen {
			continue
		}
		state[root] = open
		stack = append(stack, frame{schema: root})
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			edges := c.edges[top.schema]
			if top.next == len(edges) {
				state[top.schema] = done
				stack = stack[:len(stack)-1]
				continue
			}
			e := edges[top.next]
			top.next++
			to := *e.slot
			switch {
			case to == nil:
			case state[to] == open:
				*e.slot = nil
				c.gaps = append(c.gaps, top.schema)
				c.problem(e.at, "leads back to the schema it stands in without going into the value")
			case state[to] == unseen:
				state[to] = open
				stack = append(stack, frame{schema: to})
			}
		}
	}
}

// spreadGaps keeps ignored keywords from refusing what they would have
// admitted. A schema with a gap admits too much; where admitting means
// refusing (not, if, the uniqueness of oneOf, maxContains) the keyword is
// ignored as well, and so on upwards.
func (c *compiler) spreadGaps() {
	if len(c.gaps) == 0 {
		return
	}
	partial := make(map[*Schema]bool, len(c.gaps))
	queue := c.gaps
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		if partial[s] {
			continue
		}
		partial[s] = true
		queue = append(queue, c.parents[s]...)
	}
	for _, s := range c.order {
		if !partial[s] {
			continue
		}
		if r := s.arr; r != nil && partial[r.contains] {
			r.maxContains = -1
		}
		a := s.comb
		if a == nil {
			continue
		}
		if partial[a.not] {
			a.not = nil
		}
		if partial[a.when] {
			a.when, a.then, a.otherwise = nil, nil, nil
		}
		for _, branch := range a.oneOf {
			a.several = a.several || branch == nil || partial[branch]
		}
	}
}

// relaxReadOnly applies Options.Request.
func (c *compiler) relaxReadOnly() {
	for _, s := range c.order {
		if s.obj == nil || len(s.obj.required) == 0 {
			continue
		}
		kept := make([]string, 0, len(s.obj.required))
		for _, name := range s.obj.required {
			if p := s.Property(name); p == nil || !p.ReadOnly() {
				kept = append(kept, name)
			}
		}
		s.obj.required = kept
	}
}
