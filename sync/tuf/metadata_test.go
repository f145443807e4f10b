package tuf

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// edits are changes to the text of a good file, each of which must make it
// ErrFormat.
type edits map[string][2]string

func (e edits) refuse(t *testing.T, good []byte, parse func([]byte) error) {
	t.Helper()
	if err := parse(good); err != nil {
		t.Fatal(err)
	}
	for name, edit := range e {
		if err := parse(tamper(t, good, edit[0], edit[1])); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func parseRoot(b []byte) error      { _, err := ParseRoot(b); return err }
func parseTimestamp(b []byte) error { _, err := ParseTimestamp(b); return err }
func parseSnapshot(b []byte) error  { _, err := ParseSnapshot(b); return err }
func parseTargets(b []byte) error   { _, err := ParseTargets(b); return err }

func TestEveryRoleHasTypeVersionAndExpiry(t *testing.T) {
	r := newRepo(t)
	wrong := edits{
		"another type":             {`"_type":"timestamp"`, `"_type":"snapshot"`},
		"no type":                  {`"_type":"timestamp"`, `"type":"timestamp"`},
		"the type in capitals":     {`"_type":"timestamp"`, `"_type":"Timestamp"`},
		"spec 2.0":                 {`"spec_version":"1.0.31"`, `"spec_version":"2.0.0"`},
		"spec 1":                   {`"spec_version":"1.0.31"`, `"spec_version":"1"`},
		"spec 1.x.y.z":             {`"spec_version":"1.0.31"`, `"spec_version":"1.0.0.1"`},
		"spec 1.0rc":               {`"spec_version":"1.0.31"`, `"spec_version":"1.0.rc"`},
		"a number for spec":        {`"spec_version":"1.0.31"`, `"spec_version":1`},
		"version 0":                {`1},"x-signed-at"`, `0},"x-signed-at"`},
		"a negative version":       {`"version":1,"x`, `"version":-1,"x`},
		"a version as float":       {`"version":1,"x`, `"version":1.0,"x`},
		"a version by exponent":    {`"version":1,"x`, `"version":1e0,"x`},
		"a version as string":      {`"version":1,"x`, `"version":"1","x`},
		"a version of 65 bits":     {`"version":1,"x`, `"version":18446744073709551617,"x`},
		"a null version":           {`"version":1,"x`, `"version":null,"x`},
		"no version":               {`"version":1,"x`, `"x`},
		"no expiry":                {`"expires":"2030-01-02T03:04:05Z"`, `"expired":"2030-01-02T03:04:05Z"`},
		"expiry in another zone":   {`"expires":"2030-01-02T03:04:05Z"`, `"expires":"2030-01-02T03:04:05+05:00"`},
		"expiry with fractions":    {`"expires":"2030-01-02T03:04:05Z"`, `"expires":"2030-01-02T03:04:05.5Z"`},
		"expiry on 30 February":    {`"expires":"2030-01-02T03:04:05Z"`, `"expires":"2030-02-30T03:04:05Z"`},
		"expiry without seconds":   {`"expires":"2030-01-02T03:04:05Z"`, `"expires":"2030-01-02T03:04Z"`},
		"expiry in year 1":         {`"expires":"2030-01-02T03:04:05Z"`, `"expires":"0001-01-01T00:00:00Z"`},
		"expiry as number":         {`"expires":"2030-01-02T03:04:05Z"`, `"expires":1893553445`},
		"signed at no time":        {`"x-signed-at":"20`, `"x-signed-at":"ab`},
		"signed in another zone":   {`"x-signed-at":"2029-12-31T03:04:05Z"`, `"x-signed-at":"2029-12-31T03:04:05+05:00"`},
		"a long hash":              {`"snapshot.json":{`, `"snapshot.json":{"hashes":{"sha256":"` + strings.Repeat("ab", 33) + `"},`},
		"signed at a number":       {`"x-signed-at":"2029-12-31T03:04:05Z"`, `"x-signed-at":5`},
		"a name twice":             {`"_type":"timestamp"`, `"_type":"timestamp","_type":"timestamp"`},
		"a name in another case":   {`"_type":"timestamp"`, `"_type":"timestamp","Version":7`},
		"signatures not a list":    {`"signatures":[`, `"signatures":{},"x":[`},
		"an upper-case signature":  {`"sig":"`, `"sig":"AB`},
		"a null for a signature":   {`"signatures":[`, `"signatures":[{"keyid":"x","sig":null},`},
		"null for signatures":      {`"signatures":[`, `"signatures":null,"x":[`},
		"hash prefixes in capital": {`"meta":{`, `"Path_hash_prefixes":[],"meta":{`},
		"an odd signature":         {`"sig":"`, `"sig":"a`},
		"a signature of no key":    {`"keyid":"`, `"keyid":"","x":"`},
		"signed is a list":         {`"signed":{`, `"signed":[],"x":{`},
		"signed is null":           {`"signed":{`, `"signed":null,"x":{`},
		"signed is missing":        {`"signed":{`, `"x":{`},
		"bytes after":              {`}}}`, `}}} x`},
		"no snapshot":              {`"snapshot.json":{`, `"targets.json":{`},
		"a second meta file":       {`"snapshot.json":{`, `"targets.json":{"version":1},"snapshot.json":{`},
		"meta is a list":           {`"meta":{`, `"meta":[],"x":{`},
		"a number for a meta file": {`"snapshot.json":{"version":1}`, `"snapshot.json":1`},
		"meta length 0":            {`"snapshot.json":{`, `"snapshot.json":{"length":0,`},
		"a negative meta length":   {`"snapshot.json":{`, `"snapshot.json":{"length":-5,`},
		"a float meta length":      {`"snapshot.json":{`, `"snapshot.json":{"length":5.0,`},
		"hashes without SHA-256":   {`"snapshot.json":{`, `"snapshot.json":{"hashes":{"md5":"00"},`},
		"a short hash":             {`"snapshot.json":{`, `"snapshot.json":{"hashes":{"sha256":"abcd"},`},
		"an upper-case hash":       {`"snapshot.json":{`, `"snapshot.json":{"hashes":{"sha256":"` + strings.Repeat("AB", 32) + `"},`},
		"no hashes in hashes":      {`"snapshot.json":{`, `"snapshot.json":{"hashes":{},`},
		"only SHA-512":             {`"snapshot.json":{`, `"snapshot.json":{"hashes":{"sha512":"` + strings.Repeat("ab", 64) + `"},`},
		"null in an unknown place": {`"meta":{`, `"zzz":null,"meta":{`},
		"a float in an unknown":    {`"meta":{`, `"zzz":[0.5],"meta":{`},
	}
	good := r.timestampFile()
	delete(wrong, "bytes after")
	delete(wrong, "version 0")
	wrong.refuse(t, good, parseTimestamp)
	for name, b := range map[string][]byte{
		"bytes after": append(good, 'x'), "nothing": nil, "too long": append(good, strings.Repeat(" ", MaxLength("timestamp"))...),
		"version 0": tamper(t, good, `"version":1,"x`, `"version":0,"x`), "another role": r.snapshotFile(), "a list": []byte("[]"),
	} {
		if err := parseTimestamp(b); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, spec := range []string{"1.0", "1.1", "1.0.0", "1.37.4"} {
		if err := parseTimestamp(tamper(t, good, "1.0.31", spec)); err != nil {
			t.Errorf("spec %s: %v", spec, err)
		}
	}
}

func TestUnknownMembersAreIgnoredAndStaySigned(t *testing.T) {
	r := newRepo(t)
	signed := tamper(t, []byte(signedPart(t, r.timestampFile())), `"meta":{`, `"our-own":{"x":[1,"ʻ\n",true]},"meta":{`)
	s := r.set()
	if err := s.UpdateTimestamp(resign(t, string(signed), r.signers["timestamp"]...), before); err != nil {
		t.Error(err)
	}
}

func TestRootStatesFourRolesAndTheirKeys(t *testing.T) {
	r := newRepo(t)
	id := r.signers["root"][0].Public().ID()
	public := r.signers["root"][0].Public().Value.Public
	edits{
		"a role is missing":       {`"snapshot":{`, `"other":{`},
		"a role too many":         {`"roles":{`, `"roles":{"mirrors":{"keyids":[],"threshold":1},`},
		"threshold 0":             {`"threshold":1`, `"threshold":0`},
		"a float threshold":       {`"threshold":1`, `"threshold":1.0`},
		"no threshold":            {`"threshold":1`, `"limit":1`},
		"a key id twice":          {`"keyids":["` + id + `"]`, `"keyids":["` + id + `","` + id + `"]`},
		"a key id without key":    {`"keyids":["` + id + `"]`, `"keyids":["` + id[1:] + `"]`},
		"key ids not a list":      {`"keyids":["` + id + `"]`, `"keyids":"` + id + `"`},
		"a key of 31 bytes":       {public, public[2:]},
		"a key of 33 bytes":       {public, public + "00"},
		"an empty key":            {public, ""},
		"an upper-case key":       {public, strings.ToUpper(public)},
		"a key not hexadecimal":   {public, "zz" + public[2:]},
		"a key without value":     {`"keyval":{"public":"` + public + `"}`, `"keyval":{}`},
		"keys as a list":          {`"keys":{`, `"keys":[],"x":{`},
		"consistent as a string":  {`"consistent_snapshot":true`, `"consistent_snapshot":"true"`},
		"a null threshold":        {`"threshold":1`, `"threshold":null`},
		"a key in another case":   {`"keytype"`, `"KeyType"`},
		"a threshold of 64 bits+": {`"threshold":1`, `"threshold":9223372036854775808`},
	}.refuse(t, r.rootFile(), parseRoot)
}

func TestSnapshotNamesTargetsAndRolesOnly(t *testing.T) {
	r := newRepo(t)
	edits{
		"no targets.json":      {`"targets.json"`, `"other.json"`},
		"a path":               {`"main.json"`, `"../main.json"`},
		"a name in Cyrillic":   {`"main.json"`, `"бош.json"`},
		"a name with spaces":   {`"main.json"`, `"ma in.json"`},
		"an empty name":        {`"main.json"`, `".json"`},
		"another extension":    {`"main.json"`, `"main.txt"`},
		"a name of 41":         {`"main.json"`, `"` + strings.Repeat("a", 41) + `.json"`},
		"a role without file":  {`"main.json":{"version":1}`, `"main.json":{}`},
		"a version of 0":       {`"main.json":{"version":1}`, `"main.json":{"version":0}`},
		"a null role":          {`"main.json":{"version":1}`, `"main.json":null`},
		"meta missing":         {`"meta":`, `"mata":`},
		"the same role twice":  {`"main.json":{"version":1}`, `"main.json":{"version":1},"main.json":{"version":2}`},
		"a version as a float": {`"main.json":{"version":1}`, `"main.json":{"version":1.0}`},
	}.refuse(t, r.snapshotFile(), parseSnapshot)
}

func TestTargetPathsCanOnlyNameFilesOfTheRepository(t *testing.T) {
	r := newRepo(t)
	wrong := edits{}
	for _, path := range []string{
		"", ".", "..", "/d/main/x/1.json", "d/main/../1.json", "d/./x", "d//x", "d/x/", `d\\x`, `d/\u0000`, `d/\n`, `d/\u007f`,
		strings.Repeat("a", 256),
	} {
		wrong[fmt.Sprintf("path %.30q", path)] = [2]string{`"d/main/empty/7.json"`, `"` + path + `"`}
	}
	wrong.refuse(t, r.pubFile("main"), parseTargets)
	sum := strings.Repeat("01", 32)
	r.pub["main"] = Targets{Version: 1, Expires: expires, Targets: map[string]Target{"d/main/a/1.json": {Length: 5, SHA256: [32]byte([]byte(strings.Repeat("\x01", 32)))}}}
	edits{
		"no length":           {`"length":5`, `"size":5`},
		"a negative length":   {`"length":5`, `"length":-5`},
		"a float length":      {`"length":5`, `"length":5.0`},
		"a length by string":  {`"length":5`, `"length":"5"`},
		"no hashes":           {`"hashes"`, `"hash"`},
		"only SHA-512":        {`"sha256"`, `"sha512"`},
		"a short hash":        {sum, sum[2:]},
		"an upper-case hash":  {sum, "AB" + sum[2:]},
		"a hash not hex":      {sum, "zz" + sum[2:]},
		"a null target":       {`{"hashes":{"sha256":"` + sum + `"},"length":5}`, `null`},
		"targets missing":     {`"targets":{`, `"target":{`},
		"targets as a list":   {`"targets":{`, `"targets":[],"x":{`},
		"hashes in capitals":  {`"sha256"`, `"SHA256"`},
		"a hash as a number":  {`"` + sum + `"`, `1`},
		"hashes as a string":  {`{"sha256":"` + sum + `"}`, `"` + sum + `"`},
		"a target as a list":  {`{"hashes":{"sha256":"` + sum + `"},"length":5}`, `[]`},
		"a length of 64 bits": {`"length":5`, `"length":9223372036854775808`},
	}.refuse(t, r.pubFile("main"), parseTargets)
}

func TestDelegationsAreByPathsToDistinctSlugs(t *testing.T) {
	r := newRepo(t)
	wrong := edits{
		"no paths":               {`"paths":["d/main/*/*"]`, `"path":1`},
		"empty paths":            {`"paths":["d/main/*/*"]`, `"paths":[]`},
		"hash prefixes":          {`"paths":["d/main/*/*"]`, `"path_hash_prefixes":["00"]`},
		"a bracket":              {`d/main/*/*`, `d/main/[ab]/*`},
		"a backslash":            {`d/main/*/*`, `d/main/\\*/*`},
		"a path upwards":         {`d/main/*/*`, `d/../*`},
		"an absolute path":       {`d/main/*/*`, `/d/main/*/*`},
		"paths as a string":      {`["d/main/*/*"]`, `"d/main/*/*"`},
		"succinct roles":         {`"roles":[`, `"succinct_roles":[`},
		"hash prefixes beside":   {`"paths":[`, `"path_hash_prefixes":["00"],"paths":[`},
		"succinct roles beside":  {`"roles":[`, `"succinct_roles":{},"roles":[`},
		"no keys":                {`"keys":{`, `"kees":{`},
		"threshold 0":            {`"threshold":1`, `"threshold":0`},
		"terminating as a text":  {`"terminating":true`, `"terminating":"true"`},
		"delegations as a list":  {`"delegations":{`, `"delegations":[],"x":{`},
		"a key id without a key": {`"keyids":["`, `"keyids":["0`},
		"a role twice":           {`{"keyids":`, `{"keyids":[],"name":"main","paths":["e/*"],"terminating":true,"threshold":1},{"keyids":`},
		"not terminating":        {`"terminating":true`, `"terminating":false`},
		"another one's datasets": {`d/main/*/*`, `d/other/*/*`},
		"all datasets":           {`d/main/*/*`, `d/*/*/*`},
		"a part of its datasets": {`d/main/*/*`, `d/main/a*/*`},
		"everything":             {`["d/main/*/*"]`, `["*"]`},
		"a folder of anybody":    {`["d/main/*/*"]`, `["s*/x"]`},
		"a folder of another":    {`{"keyids":`, `{"keyids":[],"name":"seal","paths":["seal/*"],"terminating":true,"threshold":1},{"keyids":[],"name":"x","paths":["x/*","seal/y"],"terminating":true,"threshold":1},{"keyids":`},
	}
	for _, name := range []string{"root", "targets", "snapshot", "timestamp", "", "Main", "ma in", "бош", "../x", "a/b", "a_b", strings.Repeat("a", 41)} {
		wrong["a role called "+name] = [2]string{`"name":"main"`, `"name":"` + name + `"`}
	}
	wrong.refuse(t, r.targetsFile(), parseTargets)
	for _, d := range []string{
		`{"keyids":[],"name":"seal","paths":["seal/*"],"terminating":true,"threshold":1}`,
		`{"keyids":[],"name":"talkback","paths":["talkback/*","receipts/*","acks/*","talkback/x/?"],"terminating":true,"threshold":1}`,
	} {
		if err := parseTargets(tamper(t, r.targetsFile(), `{"keyids":`, d+`,{"keyids":`)); err != nil {
			t.Errorf("%s: %v", d, err)
		}
	}
}

func TestAStarDoesNotCrossASlash(t *testing.T) {
	for _, c := range []struct {
		pattern, path string
		want          bool
	}{
		{"d/main/*/*", "d/main/water/1.json", true},
		{"d/main/*/*", "d/main/_publisher/1.json", true},
		{"d/main/*/*", "d/main/water/x/1.json", false},
		{"d/main/*/*", "d/main/water", false},
		{"d/main/*/*", "d/main", false},
		{"d/main/*/*", "d/main2/water/1.json", false},
		{"d/main/*/*", "d/Main/water/1.json", false},
		{"d/main/*/*", "e/d/main/water/1.json", false},
		{"d/*", "d/a/b", false},
		{"*", "a", true},
		{"*", "a/b", false},
		{"seal/?.json", "seal/1.json", true},
		{"seal/?.json", "seal/12.json", false},
		{"seal/?json", "seal/json", false},
		{"a?b", "a/b", false},
		{"exact", "exact", true},
		{"exact", "exactly", false},
	} {
		if got := (Delegation{Paths: []string{"nothing", c.pattern}}).Covers(c.path); got != c.want {
			t.Errorf("%s covers %s: %v", c.pattern, c.path, got)
		}
	}
	if (Delegation{}).Covers("a") {
		t.Error("a delegation of nothing covers something")
	}
}

func TestEveryNameOnTheWireIsGuardedAgainstAnotherCase(t *testing.T) {
	known := map[string]bool{"_type": true, "spec_version": true, "snapshot.json": true, "path_hash_prefixes": true, "succinct_roles": true}
	var visit func(reflect.Type)
	visit = func(typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Map || typ.Kind() == reflect.Slice {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || typ.PkgPath() == "time" {
			return
		}
		for f := range typ.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name != "" && name != "-" {
				known[name] = true
			}
			if name == "" && f.IsExported() && !f.Anonymous && typ.Name() != "File" && typ.Name() != "Target" {
				t.Errorf("%s.%s has no name", typ, f.Name)
			}
			if f.IsExported() {
				visit(f.Type)
			}
		}
	}
	for _, x := range []any{envelope{}, Root{}, wireTimestamp{}, Snapshot{}, wireTargets{}, wireFile{}} {
		visit(reflect.TypeOf(x))
	}
	for _, name := range wireNames {
		if !known[name] {
			t.Errorf("%s is no name on the wire", name)
		}
		delete(known, name)
	}
	if len(known) > 0 {
		t.Errorf("not guarded: %v", known)
	}
}
