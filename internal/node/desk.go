package node

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strings"

	"koprik/ui/desk"
	"koprik/ui/locale"
)

// deskPath is below which the signed-in side stands.
const deskPath = "/desk"

// forDesk tells addresses of the desk. The living page of all parts is the
// portal's own.
func forDesk(path string) bool {
	return (path == deskPath || strings.HasPrefix(path, deskPath+"/")) && path != deskPath+"/components"
}

// desk is the signed-in side of a centre; nil on a mirror, which has no inquiries
// to work on.
func (n *Node) desk(words *locale.Catalog) (http.Handler, error) {
	if !n.central() {
		return nil, nil
	}
	key, err := n.deviceKey(context.Background())
	if err != nil {
		return nil, err
	}
	return desk.New(desk.Options{
		Accounts: n, Sessions: n, Factors: n, Inquiries: n, Cohorts: n, Staff: n, Nodes: n, Letters: n, Templates: n, Form: n, Calendar: n.Calendar, Publishers: n.Publishers,
		AnswerDays: n.AnswerDays, NewThread: NewInquiryID, Now: n.Now, Machine: n.opt.Clock, DeviceKey: key, Words: words, Log: n.opt.Log,
	})
}

// deviceKey signs what a browser keeps of having signed in before; made once.
func (n *Node) deviceKey(ctx context.Context) ([]byte, error) {
	const name, size = "desk:device-key", 32
	if kept, ok, err := n.local.Get(ctx, name); err != nil {
		return nil, err
	} else if key, bad := hex.DecodeString(kept); ok && bad == nil && len(key) == size {
		return key, nil
	}
	key := make([]byte, size)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	return key, n.local.Set(ctx, name, hex.EncodeToString(key))
}
