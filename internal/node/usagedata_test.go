package node_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"koprik/portal"
)

func TestWhatWasCountedIsPublishedAsADataset(t *testing.T) {
	days := 0
	central, kiosk := network(t, &days)
	count(central, 12, visits("main_water"))
	count(central, 3, downloads("main_water"))
	if _, err := central.PublishUsage(t.Context(), ""); problem(err) == nil || problem(err).Kind != portal.ErrRejected {
		t.Errorf("a month that is not over: %v", err)
	}
	if _, err := kiosk.PublishUsage(t.Context(), ""); problem(err) == nil || problem(err).Kind != portal.ErrUsage {
		t.Errorf("at a mirror: %v", err)
	}
	days = 10 // 4 December
	must(t, central.FlushUsage(t.Context()))
	out, err := central.PublishUsage(t.Context(), "")
	must(t, err)
	if len(out.Published) != 1 || out.Published[0].Dataset != "main_portal-usage" {
		t.Fatalf("%+v", out)
	}
	days = 12
	count(central, 5, visits("main_water"))
	if out, err = central.PublishUsage(t.Context(), ""); err != nil || len(out.Unchanged) != 1 {
		t.Errorf("the same months again: %+v %v", out, err)
	}
	sync(t, kiosk)
	v, err := kiosk.View(t.Context())
	must(t, err)
	defer v.Close()
	d, err := v.Dataset(t.Context(), "main_portal-usage")
	must(t, err)
	if d.Latest.Passport.Uploaded != "2026-12-01" || d.Latest.Passport.NextDue != "2027-01-04" || !d.Latest.Passport.FromPublisher {
		t.Errorf("%+v", d.Latest.Passport)
	}
	rows, err := v.Rows(t.Context(), d.Latest.Resources[0], "", portal.RowQuery{Limit: 10})
	must(t, err)
	if len(rows.Rows) != 1 || fmt.Sprint(rows.Rows[0]) != "[2026-11 12 <nil> 0 0 0]" {
		t.Errorf("%v", rows.Rows)
	}
}

func TestAServingCentrePublishesWhatWasCountedOnceAMonthFromTheThird(t *testing.T) {
	days := 0 // 23 November
	first := newCentral(t)
	publish(t, first, revision("water", 1))
	o := later(&days)
	o.Flags = map[string]string{"usage_publisher": "main"}
	central := again(t, first, o)
	count(central, 12, visits("main_water"))
	release := func() int {
		t.Helper()
		if err := central.PublishUsageDue(t.Context()); err != nil {
			t.Fatalf("day %d: %v", days, err)
		}
		v, err := central.View(t.Context())
		must(t, err)
		defer v.Close()
		d, err := v.Dataset(t.Context(), "main_portal-usage")
		if errors.Is(err, portal.ErrNotFound) {
			return 0
		}
		must(t, err)
		return d.Latest.Number
	}
	for _, turn := range []struct{ day, release int }{
		{7, 0},  // 30 November: no month is over, which is no error
		{8, 0},  // 1 December: reports of the last day are on their way
		{9, 0},  // 2 December
		{10, 1}, // 3 December
		{11, 1}, // and once
		{38, 1}, // 31 December
		{43, 2}, // 5 January: the centre was off on the third
		{44, 2},
	} {
		days = turn.day
		must(t, central.FlushUsage(t.Context()))
		if got := release(); got != turn.release {
			t.Errorf("%s: release %d, want %d", day.AddDate(0, 0, days).Format(time.DateOnly), got, turn.release)
		}
		count(central, 6, visits("main_water"))
	}
	days = 45
	central = again(t, central, o)
	if got := release(); got != 2 {
		t.Errorf("after a restart: release %d", got)
	}
	central = again(t, central, later(&days))
	days = 81
	if got := release(); got != 2 {
		t.Errorf("without the setting: release %d", got)
	}
}
