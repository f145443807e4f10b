package portal

import "time"

// Stage names what a sync is doing, in the order in which it happens.
type Stage string

// The stages of a sync.
const (
	StageMetadata Stage = "metadata" // signatures are fetched and verified
	StagePlan     Stage = "plan"     // what has changed, and what is missing
	StageFetch    Stage = "fetch"    // contents come
	StageApply    Stage = "apply"    // the catalogue is written
	StageTables   Stage = "tables"   // tables are built
	StageOwed     Stage = "owed"     // contents that earlier syncs left come
)

// Stages are all of them.
var Stages = []Stage{StageMetadata, StagePlan, StageFetch, StageApply, StageTables, StageOwed}

// Ways are how contents come: compressed by themselves, as a patch to what is
// held, or in the package that answers a round.
var Ways = []string{"whole", "patch", "pack"}

// SyncNow is what a sync is doing at this moment.
type SyncNow struct {
	Stage Stage     `json:"stage"`
	Done  int64     `json:"done"`  // of Total: bytes when contents come, datasets when tables are built
	Total int64     `json:"total"` // 0: not known
	At    time.Time `json:"at"`    // when this was so, by the machine's clock
}

// SyncDone is what a sync brought, how, and what it cost.
type SyncDone struct {
	Added    int            `json:"added"`
	Updated  int            `json:"updated"`
	Removed  int            `json:"removed"`
	Files    int            `json:"files"`    // contents that came
	Contents int64          `json:"contents"` // bytes of those, as people get them
	Ways     map[string]int `json:"ways"`     // how many files came by which way: "whole", "patch", "pack"
	Owed     int            `json:"owed"`     // files that are still to come
	LeftOut  int            `json:"left_out"` // files of this change that the policy leaves out
	Bytes    int64          `json:"bytes"`    // on the line
	Requests int64          `json:"requests"`
	Millis   int64          `json:"duration_ms"`
	Stages   []StageTook    `json:"stages"`
}

// StageTook is how long a stage took.
type StageTook struct {
	Stage  Stage `json:"stage"`
	Millis int64 `json:"duration_ms"`
}
