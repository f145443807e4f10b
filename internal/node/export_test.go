package node

import (
	"context"
	"encoding/base64"
	"fmt"

	"golang.org/x/crypto/argon2"
)

// WeakPassword is a password as a program of less effort kept it.
func WeakPassword(password string) string {
	salt := make([]byte, passwordSalt)
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=8,t=1,p=1$%s$%s", argon2.Version, b64(salt), b64(argon2.IDKey([]byte(password), salt, 1, 8, 1, passwordSize)))
}

// TalkOnce is one turn of what a serving node does about questions.
func (n *Node) TalkOnce(ctx context.Context) error { return n.talkOnce(ctx) }

// Attend is one turn of what a serving centre does about what waits.
func (n *Node) Attend(ctx context.Context) error { return n.attend(ctx) }

// PublishUsageDue is one turn of what a serving centre does about publishing counts.
func (n *Node) PublishUsageDue(ctx context.Context) error { return n.publishUsageDue(ctx) }
