package read

// memberReader gives the members of a record.
type memberReader func(raw []byte, fn func(key string, value []byte) error) error

// geometryKey is the column in which a feature's geometry stands.
const geometryKey = "geometry"

// isFeature tells a feature of GeoJSON (RFC 7946).
func isFeature(raw []byte) bool {
	if !isObject(raw) {
		return false
	}
	feature, properties := false, false
	_ = members(raw, func(key string, value []byte) error {
		feature = feature || key == "type" && string(value) == `"Feature"`
		properties = properties || key == "properties"
		return nil
	})
	return feature && properties
}

// featureMembers gives a feature's properties as members, and its geometry. Its
// own identifier comes first; a property of its name stands in its place.
func featureMembers(raw []byte, fn func(key string, value []byte) error) error {
	own := map[string][]byte{}
	err := members(raw, func(key string, value []byte) error {
		own[key] = value
		return nil
	})
	if err != nil {
		return err
	}
	taken := map[string]bool{}
	if isObject(own["properties"]) {
		err = members(own["properties"], func(key string, _ []byte) error { taken[key] = true; return nil })
	}
	if id := own["id"]; err == nil && len(id) > 0 && !taken["id"] {
		err = fn("id", id)
	}
	if err == nil && isObject(own["properties"]) {
		err = members(own["properties"], fn)
	}
	if g := own[geometryKey]; err == nil && len(g) > 0 && !taken[geometryKey] {
		err = fn(geometryKey, g)
	}
	return err
}
