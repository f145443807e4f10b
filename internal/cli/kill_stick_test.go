package cli

import "testing"

// exportArgs writes the stick of the node in dir.
func exportArgs(dir, stick string) []string {
	return []string{"export", "--dir", dir, "--to", stick}
}

// TestExportKilledAtAnyMomentIsFinishedByTheNext: a stick whose writing was
// killed holds the copy before or the new one, and a node takes either.
func TestExportKilledAtAnyMomentIsFinishedByTheNext(t *testing.T) {
	killing(t, kills(3), func(t *testing.T, k *tally) {
		random, u, stick := chance(t), newUpstream(t), t.TempDir()
		u.publish(t, 1)
		dir, twin := initMirrorOf(t, u.Dir(), u.url), initMirrorOf(t, u.Dir(), u.url)
		koprik(t, "sync", "--dir", dir)
		k.limit = took(t, exportArgs(dir, stick)...)
		reader := initMirrorOf(t, u.Dir(), stick)
		for rev := 2; k.more(); rev++ {
			u.publish(t, rev)
			koprik(t, "sync", "--dir", dir)
			k.kill(start(t, exportArgs(dir, stick)...), random)
			koprik(t, "sync", "--dir", reader, "--from", stick)
			k.left(t, whole(t, reader), rev-1, rev)
			koprik(t, exportArgs(dir, stick)...)
			koprik(t, "sync", "--dir", reader, "--from", stick)
			if got := whole(t, reader); got != rev {
				t.Fatalf("revision %d is shown, the stick was written with %d", got, rev)
			}
		}
		koprik(t, "sync", "--dir", twin)
		sameAs(t, reader, twin)
	})
}

// TestImportKilledAtAnyMomentIsFinishedByTheNext: a node that was killed while it
// took a stick shows the copy before or the new one, and takes the stick again.
func TestImportKilledAtAnyMomentIsFinishedByTheNext(t *testing.T) {
	killing(t, kills(3), func(t *testing.T, k *tally) {
		random, u, stick := chance(t), newUpstream(t), t.TempDir()
		u.publish(t, 1)
		koprik(t, exportArgs(u.Dir(), stick)...)
		dir, twin := initMirrorOf(t, u.Dir(), u.url), initMirrorOf(t, u.Dir(), u.url)
		k.limit = took(t, "sync", "--dir", twin, "--from", stick)
		koprik(t, "sync", "--dir", dir, "--from", stick)
		for rev := 2; k.more(); rev++ {
			u.publish(t, rev)
			koprik(t, exportArgs(u.Dir(), stick)...)
			k.kill(start(t, "sync", "--dir", dir, "--from", stick), random)
			k.left(t, whole(t, dir), rev-1, rev)
			koprik(t, "sync", "--dir", dir, "--from", stick)
			koprik(t, "sync", "--dir", twin)
			if got := whole(t, dir); got != rev {
				t.Fatalf("revision %d is shown, the stick has %d", got, rev)
			}
			sameAs(t, dir, twin)
		}
	})
}
