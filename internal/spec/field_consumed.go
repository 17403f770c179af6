package spec

// consumedFields are the fields of the consumed side.
func (s shape) consumedFields() []field {
	switch s {
	case consumesShape:
		return with(importFields(), []field{
			{key: "namespace", doc: "The name before the dot in `call: namespace.operation`; options such as `--upstream` use it, too."},
			{key: "type", form: wordForm, later: true, words: []string{"http"}, doc: "What kind of API it is. Only `http` is called."},
			{key: "baseUri", doc: "Scheme, host and base path of the API, without a slash at its end: `https://api.acme.io/v1`."},
			{key: "description", doc: "What the API offers."},
			{key: "inputParameters", form: listForm, of: inputShape, doc: "Inputs that every operation of the API has, such as a header with a fixed `value`."},
			{key: "headers", form: entriesForm, state: unofficial, doc: "Fixed headers of every call. In the format's own words: `inputParameters` with `in: header` and a `value`."},
			{key: "authentication", form: authenticationForm, of: authenticationShape, doc: "How calls are signed."},
			{key: "auth", form: authenticationForm, of: authenticationShape, state: unofficial, doc: "Write `authentication`."},
			{key: "resources", form: listForm, of: consumedResourceShape, doc: "The paths of the API, with their operations."},
			{key: "tunnel", form: anyForm, doc: "The transport below the API. It is kept and not used."},
		})
	case consumedResourceShape:
		return with(labelFields("A name for people."), []field{
			{key: "name", doc: "The resource's name."},
			{key: "description", doc: "What the resource is."},
			{key: "tags", form: textsForm, doc: "Words that group resources."},
			{key: "path", doc: "The path below `baseUri`, such as `/ships/{imo}`. Placeholders are inputs; `{x}` and `{{x}}` mean the same."},
			{key: "inputParameters", form: listForm, of: inputShape, doc: "Inputs that every operation of the resource has."},
			{key: "operations", form: listForm, of: consumedOperationShape, doc: "The methods of the resource that are called."},
		})
	case consumedOperationShape:
		return with(labelFields("A name for people."), []field{
			{key: "name", doc: "The name behind the dot in `call: namespace.operation`."},
			{key: "description", doc: "What the operation does."},
			{key: "tags", form: textsForm, doc: "Words that group operations."},
			{key: "method", form: foldedForm, later: true, words: methodWords(), doc: "The HTTP method; `GET` where it is absent."},
			{key: "path", state: unofficial, doc: "A path of the operation's own: added to the resource's, or in its place where both begin alike."},
			{key: "inputParameters", form: listForm, of: inputShape, doc: "What the call needs. Placeholders of the path are inputs without being listed."},
			{key: "outputRawFormat", form: foldedForm, words: rawFormats(), doc: "The form of the answer; JSON where it is absent."},
			{key: "outputSchema", doc: "Where a schema of the answer is, for formats that need one."},
			{key: "outputMediaType", doc: "The media type of a binary answer."},
			{key: "outputParameters", form: outputsForm, of: outputShape, doc: "What later steps see of the answer, each a `value` that is a JSONPath."},
			{key: "maxBinarySize", doc: "The largest binary answer that is taken, such as `10MiB`."},
			{key: "body", form: bodyForm, of: bodyShape, doc: "The request body: text, or `type` and `data`. Without it, inputs with `in: body` are the body."},
		})
	case bodyShape:
		return []field{
			{key: "type", form: exampleForm, words: []string{"json", "text", "xml", "sparql", "formUrlEncoded", "multipartForm"}, doc: "How the data is encoded."},
			{key: "data", form: freeForm, doc: "The data: text, or a structure with placeholders in it."},
		}
	default: // authenticationShape
		return []field{
			{key: "type", form: foldedForm, later: true, words: []string{"basic", "bearer", "apikey", "digest", "oauth2"}, doc: "The scheme. `basic`, `bearer` and `apikey` are run."},
			{key: "username", doc: "The user of `basic` and `digest`: `'{{env.USER}}'`."},
			{key: "password", doc: "The password of `basic` and `digest`: `'{{env.PASSWORD}}'`."},
			{key: "token", doc: "The token of `bearer`: `'{{env.TOKEN}}'`."},
			{key: "key", doc: "The name of the header or query parameter that carries an `apikey`."},
			{key: "value", doc: "The value of an `apikey`: `'{{env.KEY}}'`."},
			{key: "placement", form: foldedForm, later: true, words: []string{"header", "query", "cookie"}, doc: "Where an `apikey` stands; `header` where it is absent."},
			{key: "name", state: unofficial, doc: "Write `key`."},
			{key: "in", state: unofficial, doc: "Write `placement`."},
			{key: "header", state: unofficial, doc: "Write `key`."},
			{key: "headers", form: entriesForm, state: unofficial, doc: "Write `key` and `value`."},
		}
	}
}

// oauthFields are what an authentication of type oauth2 has beside the rest.
func oauthFields() []field {
	return []field{
		{key: "authorizationServerUri", doc: "The address of the server that gives out tokens; https."},
		{key: "resource", doc: "The address that tokens are meant for; https."},
		{key: "scopes", form: textsForm, doc: "What a token has to allow."},
		{key: "audience", doc: "What the tokens' `aud` has to be, where it is not `resource`."},
		{key: "tokenEndpoint", doc: "The address for tokens, where the server does not say it."},
		{key: "tokenValidation", form: exampleForm, words: []string{"jwks", "introspection"}, doc: "How a token is checked."},
	}
}

// methodWords are the methods that are served and called.
func methodWords() []string {
	return []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}
}
