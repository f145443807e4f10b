package datapackage

import _ "embed" // manifest.schema.json

//go:embed manifest.schema.json
var manifestSchema []byte

// ManifestSchema is the JSON Schema (2020-12) of release manifests. Every
// manifest that Decode accepts conforms to it; Decode asks more than a schema
// can say.
func ManifestSchema() []byte { return append([]byte(nil), manifestSchema...) }
