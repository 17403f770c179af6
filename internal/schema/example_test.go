package schema_test

import (
	"fmt"

	"patchbay/internal/jsonvalue"
	"patchbay/internal/schema"
)

func ExampleSchema_Check() {
	contract, _ := jsonvalue.ParseString(`{
		"type": "object",
		"x-patchbay-source": "D",
		"required": ["Status"],
		"additionalProperties": false,
		"properties": {
			"Status": {"enum": ["closed", "inactive"], "x-patchbay-hints": {
				"wrapup": "wrapup is a status of a participant, not of a channel"}},
			"Routing": {"type": "object"}
		}}`)
	s, problems := schema.Compile(&contract, schema.Options{})
	fmt.Println(len(problems), "problems")

	body, _ := jsonvalue.ParseString(`{"Status": "wrapup", "routing": {}, "Routing": "{}"}`)
	var report schema.Report
	s.Check(&body, "/body", &report)
	for _, v := range report.Violations {
		fmt.Println(v, v.Source)
	}
	// Output:
	// 0 problems
	// /body/Status must be one of "closed", "inactive"; got "wrapup" (wrapup is a status of a participant, not of a channel) D
	// /body/routing is not a known field (known fields: "Status", "Routing") D
	// /body/Routing must be an object; got a string (give the JSON itself, not a string that contains it) D
}
