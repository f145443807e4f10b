package chart

import "math"

// projection carries degrees onto a plane, y down. It is Albers' equal-area conic
// with standard parallels a sixth within the north and the south of what is
// drawn: on a map of amounts an area must be as large as it is, and for a country
// in middle latitudes that is wider than high its shapes come out best. What
// spans most of the world is drawn plain.
type projection struct {
	plain      bool
	lon0       float64 // radians
	n, c, rho0 float64
}

const radian = math.Pi / 180

func newProjection(west, south, east, north float64) projection {
	p := projection{lon0: (west + east) / 2 * radian}
	if east-west > 120 || north-south > 60 || math.Abs(north+south) < 1 {
		p.plain = true
		return p
	}
	sixth := (north - south) / 6
	s1, s2 := (south+sixth)*radian, (north-sixth)*radian
	p.n = (math.Sin(s1) + math.Sin(s2)) / 2
	p.c = math.Cos(s1)*math.Cos(s1) + 2*p.n*math.Sin(s1)
	p.rho0 = p.rho((south + north) / 2 * radian)
	return p
}

func (p projection) rho(lat float64) float64 {
	return math.Sqrt(max(p.c-2*p.n*math.Sin(lat), 0)) / p.n
}

// at is where a place of degrees stands on the plane.
func (p projection) at(d Point) Point {
	lon, lat := d.X*radian, d.Y*radian
	if p.plain {
		return Point{lon - p.lon0, -lat}
	}
	rho, theta := p.rho(lat), p.n*(lon-p.lon0)
	return Point{rho * math.Sin(theta), rho*math.Cos(theta) - p.rho0}
}
