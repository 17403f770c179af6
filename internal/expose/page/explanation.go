package page

import (
	"patchbay/internal/expose/rest"
	"patchbay/internal/problem"
)

// kindView is a kind of problem on the page that explains them.
type kindView struct {
	Name, Title, What, Do string
	Status                int
	Outcomes              []string
}

type outcomeView struct{ Name, Meaning string }

type problemsView struct {
	Label, Version string
	Kinds          []kindView
	Outcomes       []outcomeView
}

// explanation is the page to which the type of a problem leads.
func explanation(label, version string) (rest.Page, error) {
	view := problemsView{Label: label, Version: version}
	for _, k := range everyKind() {
		e := explain(k)
		kind := kindView{Name: k.String(), Title: problem.Title(k), Status: problem.Status(k), What: e.what, Do: e.do}
		for _, o := range e.outcomes {
			kind.Outcomes = append(kind.Outcomes, o.String())
		}
		view.Kinds = append(view.Kinds, kind)
	}
	for _, o := range everyOutcome() {
		view.Outcomes = append(view.Outcomes, outcomeView{o.String(), meaning(o)})
	}
	return render("problems", problemsTemplate, &view, false)
}
