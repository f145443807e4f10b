package mirror

import (
	"context"
	"errors"
	"io"
	"strings"

	"koprik/portal"
	"koprik/sync/carrier"
)

// ErrBudget says that the bytes of the day are spent.
var ErrBudget = errors.New("the bytes of the day are spent")

// limits bind what a round takes from whom. The zero value binds nothing.
type limits struct {
	rest   []Source // asked for contents that the source lacks, in order
	budget int64    // contents stop when the round has brought so many bytes; 0: never
}

// isContents tells the files that are large, and the same from everybody: their
// name is their hash. Metadata comes from one source alone, and always.
func isContents(path string) bool {
	return strings.HasPrefix(path, "objects/") || strings.HasPrefix(path, "patches/")
}

// open is Get of the source, and for contents of those after it.
func (c *counted) open(ctx context.Context, path string, offset int64) (io.ReadCloser, int64, error) {
	if !isContents(path) {
		return c.Source.Get(ctx, path, offset)
	}
	if c.spent() {
		return nil, 0, ErrBudget
	}
	body, start, err := c.Source.Get(ctx, path, offset)
	for _, next := range c.rest {
		if err == nil || ctx.Err() != nil {
			break
		}
		if !errors.Is(err, portal.ErrNotFound) && !errors.Is(err, portal.ErrUnreachable) {
			break
		}
		if strings.HasPrefix(path, "patches/") {
			break // another way of the same source is nearer than another source
		}
		c.requests.Add(1)
		var nextErr error
		if body, start, nextErr = next.Get(ctx, path, offset); nextErr == nil || !errors.Is(nextErr, portal.ErrNotFound) {
			err = nextErr
		}
	}
	if err != nil || c.budget == 0 {
		return body, start, err
	}
	return &budgetedBody{body, c}, start, nil
}

// affordable is how many of the first items the budget bears for certain.
func (c *counted) affordable(items []Item) int {
	if c.budget == 0 {
		return len(items)
	}
	left := c.budget - c.bytes.Load()
	for i, it := range items {
		if left -= carrier.MaxCompressed(it.Resource.Bytes); left < 0 {
			return i
		}
	}
	return len(items)
}

func (c *counted) spent() bool { return c.budget > 0 && c.bytes.Load() >= c.budget }

// budgetedBody ends with ErrBudget when the bytes are spent; what came goes on
// from there another day.
type budgetedBody struct {
	io.ReadCloser
	of *counted
}

func (b *budgetedBody) Read(p []byte) (int, error) {
	left := b.of.budget - b.of.bytes.Load()
	if left <= 0 {
		return 0, ErrBudget
	}
	return b.ReadCloser.Read(p[:min(int64(len(p)), left)])
}
