package node_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"koprik/internal/node"
	"koprik/portal"
)

// twoPublishers is a centre with datasets of "main" and of "stat", and a mirror
// that has two releases of each; then each has published a third.
func twoPublishers(t *testing.T) (central, mirror *node.Node) {
	t.Helper()
	central = newCentral(t)
	must(t, central.AddPublisher(t.Context(), "stat", "Statistika", "stat@example.org"))
	both := func(rev int) {
		publish(t, central, revision("a", rev))
		_, err := central.Publish(t.Context(), "stat", []node.Input{revision("b", rev)})
		must(t, err)
	}
	both(1)
	both(2)
	mirror = newMirror(t, central)
	sync(t, mirror)
	both(3)
	return central, mirror
}

// attacks are what may be done to a repository by whoever holds it, or some of
// its keys. Each is offered to a mirror that has an older copy, and refused as a
// whole.
var attacks = map[string]func(f *forge){
	"the timestamp goes back": func(f *forge) {
		f.edit("timestamp", func(s object) { s["version"] = 1 })
	},
	"the snapshot goes back": func(f *forge) {
		f.edit("timestamp", func(s object) { s["meta"] = object{"snapshot.json": object{"version": 1}} })
	},
	"targets goes back": func(f *forge) {
		f.publish(func(s object) { s["meta"].(object)["targets.json"] = object{"version": 1} }, nil)
	},
	"a publisher goes back": func(f *forge) {
		f.publish(func(s object) { s["meta"].(object)["main.json"] = object{"version": 1} }, nil)
	},
	"a publisher vanishes from the snapshot": func(f *forge) {
		f.publish(func(s object) { delete(s["meta"].(object), "main.json") }, nil)
	},
	"a dataset goes back to its first release": func(f *forge) {
		f.edit("main", func(s object) {
			old := f.version("main", 1+first(f, "main"))
			s["targets"] = old["targets"]
		})
		f.publish(nil, nil)
	},
	"an older snapshot under a newer name": func(f *forge) {
		version, name := f.newest("snapshot")
		f.write(name, f.read(fmt.Sprintf("%d.snapshot.json", version-1)))
	},
	"an older role under a newer name": func(f *forge) {
		version, name := f.newest("main")
		f.write(name, f.read(fmt.Sprintf("%d.main.json", version-1)))
	},
	"another publisher's role under this one's name": func(f *forge) {
		_, other := f.newest("stat")
		_, name := f.newest("main")
		f.write(name, f.read(other))
	},
	"a snapshot one byte longer than stated": func(f *forge) {
		version, name := f.newest("snapshot")
		length := len(f.read(name))
		f.edit("timestamp", func(s object) {
			s["meta"] = object{"snapshot.json": object{"version": version, "length": length - 1}}
		})
	},
	"a snapshot with another hash than stated": func(f *forge) {
		version, _ := f.newest("snapshot")
		f.edit("timestamp", func(s object) {
			s["meta"] = object{"snapshot.json": object{"version": version, "hashes": object{"sha256": strings.Repeat("ab", 32)}}}
		})
	},
	"a snapshot whose stated hash is zeros": func(f *forge) {
		version, _ := f.newest("snapshot")
		f.edit("timestamp", func(s object) {
			s["meta"] = object{"snapshot.json": object{"version": version, "hashes": object{"sha256": strings.Repeat("00", 32)}}}
		})
	},
	"a key of 31 bytes in a delegation": func(f *forge) {
		f.edit("targets", func(s object) {
			for _, k := range s["delegations"].(object)["keys"].(object) {
				v := k.(object)["keyval"].(object)
				v["public"] = v["public"].(string)[2:]
			}
		})
		f.publish(nil, nil)
	},
	"a threshold of nobody": func(f *forge) {
		f.edit("targets", func(s object) { delegation(s, "main")["threshold"] = 0 })
		f.publish(nil, nil)
	},
	"a threshold beyond 64 bits": func(f *forge) {
		f.edit("targets", func(s object) { delegation(s, "main")["threshold"] = json.Number("9223372036854775808") })
		f.publish(nil, nil)
	},
	"a version beyond 64 bits": func(f *forge) {
		f.edit("timestamp", func(s object) { s["version"] = json.Number("18446744073709551617") })
	},
	"a version with a fraction": func(f *forge) {
		f.edit("timestamp", func(s object) { s["version"] = json.Number("99.0") })
	},
	"a null in what is signed": func(f *forge) {
		f.edit("timestamp", func(s object) { s["comment"] = nil })
	},
	"a million signatures": func(f *forge) {
		junk := strings.Repeat(`{"keyid":"x","sig":""},`, 1_000_000)
		f.tamper("timestamp", `"signatures":[`, `"signatures":[`+junk)
	},
	"a million signatures on a snapshot": func(f *forge) {
		junk := strings.Repeat(`{"keyid":"x","sig":""},`, 1_000_000)
		f.tamper("snapshot", `"signatures":[`, `"signatures":[`+junk)
	},
	"the same signature twice": func(f *forge) {
		_, by := f.signed("timestamp")
		f.edit("timestamp", func(object) {}, by[0], by[0])
	},
	"no signature": func(f *forge) {
		f.edit("timestamp", func(object) {})
		signed, _ := f.signed("timestamp")
		f.write("timestamp.json", f.sign(signed))
	},
	"a stranger's signature": func(f *forge) {
		id, _ := f.thief()
		f.edit("timestamp", func(object) {}, id)
	},
	"the timestamp's key on a snapshot": func(f *forge) {
		_, by := f.signed("timestamp")
		f.edit("snapshot", func(object) {}, by...)
		version, _ := f.newest("snapshot")
		f.edit("timestamp", func(s object) { s["meta"] = object{"snapshot.json": object{"version": version}} })
	},
	"a publisher's key on targets": func(f *forge) {
		_, by := f.signed("main")
		f.edit("targets", func(object) {}, by...)
		f.publish(nil, nil)
	},
	"JSON ten thousand deep": func(f *forge) {
		f.tamper("snapshot", `{`, `{"x":`+strings.Repeat("[", 10_000)+strings.Repeat("]", 10_000)+`,`)
	},
	"JSON a hundred deep, well signed": func(f *forge) {
		deep := any("x")
		for range 100 {
			deep = []any{deep}
		}
		f.edit("timestamp", func(s object) { s["x"] = deep })
	},
	"a name twice": func(f *forge) {
		f.tamper("timestamp", `"_type"`, `"version":999,"_type"`)
	},
	"a name in another case": func(f *forge) {
		f.edit("timestamp", func(s object) { s["Version"] = 999 })
	},
	"bytes that are not UTF-8": func(f *forge) {
		f.tamper("timestamp", `"_type"`, "\"x\":\"\xff\xfe\",\"_type\"")
	},
	"half a surrogate": func(f *forge) {
		f.tamper("timestamp", `"_type"`, `"x":"\ud800","_type"`)
	},
	"a second file in the timestamp": func(f *forge) {
		f.edit("timestamp", func(s object) { s["meta"].(object)["targets.json"] = object{"version": 1} })
	},
	"a role that climbs out of the folder": func(f *forge) {
		f.publish(func(s object) { s["meta"].(object)["../../keys/x.json"] = object{"version": 1} }, nil)
	},
	"a delegation that climbs out of the folder": func(f *forge) {
		f.edit("targets", func(s object) { delegate(s, object{"name": "../x", "paths": []string{"d/x/*/*"}}) })
		f.publish(nil, nil)
	},
	"a look-alike of a slug in Cyrillic": func(f *forge) {
		f.edit("targets", func(s object) { delegate(s, object{"name": "mаin", "paths": []string{"d/mаin/*/*"}}) })
		f.publish(nil, nil)
	},
	"a look-alike of a slug in capitals": func(f *forge) {
		f.edit("targets", func(s object) { delegate(s, object{"name": "Main", "paths": []string{"d/Main/*/*"}}) })
		f.publish(nil, nil)
	},
	"a look-alike of a slug with a space": func(f *forge) {
		f.edit("targets", func(s object) { delegate(s, object{"name": "main ", "paths": []string{"d/main /*/*"}}) })
		f.publish(nil, nil)
	},
	"a delegation for the datasets of all": func(f *forge) {
		f.edit("targets", func(s object) { delegate(s, object{"name": "boss", "paths": []string{"d/*/*/*"}}) })
		f.publish(nil, nil)
	},
	"a delegation for another's datasets": func(f *forge) {
		f.edit("targets", func(s object) { delegation(s, "stat")["paths"] = []string{"d/stat/*/*", "d/main/*/*"} })
		f.publish(nil, nil)
	},
	"the same publisher twice": func(f *forge) {
		f.edit("targets", func(s object) { delegate(s, object{}) })
		f.publish(nil, nil)
	},
	"targets by hash prefixes": func(f *forge) {
		f.edit("targets", func(s object) { delegation(s, "main")["path_hash_prefixes"] = []string{""} })
		f.publish(nil, nil)
	},
	"the same timestamp version, other bytes": func(f *forge) {
		f.edit("timestamp", func(s object) {
			s["version"], s["x-signed-at"] = s["version"].(int64)-3, "2026-11-23T08:00:00Z" // what the mirror holds
		})
	},
	"a root that the old keys did not sign": func(f *forge) {
		id, public := f.thief()
		f.edit("root", func(s object) {
			s["keys"].(object)[id] = public
			s["roles"].(object)["root"] = object{"keyids": []string{id}, "threshold": 1}
		}, id)
	},
	"a root that its own keys did not sign": func(f *forge) {
		id, public := f.thief()
		f.edit("root", func(s object) {
			s["keys"].(object)[id] = public
			s["roles"].(object)["root"] = object{"keyids": []string{id}, "threshold": 1}
		})
	},
	"a root that leaves one out": func(f *forge) {
		f.edit("root", func(s object) { s["version"] = 3 })
	},
	"a manifest of another dataset": func(f *forge) {
		f.edit("main", func(s object) {
			all := s["targets"].(object)
			for path, target := range maps.Clone(all) {
				if strings.HasPrefix(path, "d/main/a/") {
					other := strings.Replace(path, "d/main/a/", "d/main/other/", 1)
					all[other] = target
					f.rename(path, other, target)
				}
			}
		})
		f.publish(nil, nil)
	},
	"a manifest of ten gigabytes": func(f *forge) {
		f.edit("main", func(s object) {
			s["targets"].(object)["d/main/big/1.json"] = object{"length": int64(10) << 30, "hashes": object{"sha256": strings.Repeat("ab", 32)}}
		})
		f.publish(nil, nil)
	},
	"a manifest that is not there": func(f *forge) {
		f.edit("main", func(s object) {
			s["targets"].(object)["d/main/ghost/1.json"] = object{"length": 10, "hashes": object{"sha256": strings.Repeat("ab", 32)}}
		})
		f.publish(nil, nil)
	},
	"the same release with other contents": func(f *forge) {
		f.edit("main", func(s object) {
			all := s["targets"].(object)
			delete(all, "d/main/a/3.json")
			all["d/main/a/2.json"] = object{"length": 10, "hashes": object{"sha256": strings.Repeat("ab", 32)}}
		})
		f.publish(nil, nil)
	},
}

// first is the number before that of the first version that lists a dataset.
func first(f *forge, role string) int64 {
	for v := int64(1); ; v++ {
		for path := range f.version(role, v)["targets"].(object) {
			if !strings.Contains(path, "/_publisher/") {
				return v - 1
			}
		}
	}
}

// version is the signed part of one version of a role.
func (f *forge) version(role string, v int64) object {
	var file struct{ Signed object }
	d := json.NewDecoder(bytes.NewReader(f.read(fmt.Sprintf("%d.%s.json", v, role))))
	d.UseNumber()
	must(f.t, d.Decode(&file))
	return file.Signed
}

// rename copies a manifest to where it would be fetched under another path.
func (f *forge) rename(from, to string, target any) {
	sum := target.(object)["hashes"].(object)["sha256"].(string)
	file := func(path string) string {
		return filepath.Join(f.dir, filepath.FromSlash(filepath.Dir(path)), sum+"."+filepath.Base(path))
	}
	b, err := os.ReadFile(file(from))
	must(f.t, err)
	must(f.t, os.MkdirAll(filepath.Dir(file(to)), 0o700))
	must(f.t, os.WriteFile(file(to), b, 0o600))
}

func TestHostileRepositoriesAreRefusedAndTheMirrorServesOn(t *testing.T) {
	central, mirror := twoPublishers(t)
	v := newVictim(t, mirror)
	for _, name := range slices.Sorted(maps.Keys(attacks)) {
		t.Run(name, func(t *testing.T) {
			f := newForge(t, central)
			attacks[name](f)
			_, err := mirror.Sync(t.Context(), node.SyncOptions{From: f.url})
			wantKind(t, err, portal.ErrUnverified)
			v.unharmed(name)
		})
	}
	sync(t, mirror)
	if got := titles(t, mirror); got["main_a"] != "Common a rev3" || got["stat_b"] != "Common b rev3" {
		t.Errorf("afterwards the honest centre is followed to %v", got)
	}
}
