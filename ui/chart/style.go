package chart

// FileStyle is the style of a figure that is given out as a file: on paper,
// whatever the reader's scheme. The classes of all figures are
//
//	b1 … b6  what is filled in a series' colour: bars, dots
//	l1 … l6  lines in a series' colour
//	t1 … t6  words in a series' colour
//	i1 … i6  words on what is filled
//	grid zero tick break link  rules
//	mute strong note head paper narrow  words, the ground, a drawing for phones
//	q0 … q5  areas and tiles of a map: without a value, then from least to most
//	w0 … w5  words on them
//	hatch sea land mark place tiny name  what has no value, water, ground without a
//	         value, the area that stands out, a point, small
//	         words
//
// A page styles the same classes by its own tokens. The six colours differ for
// readers of all kinds of colour vision, and stand 3 to 1 against the ground.
const FileStyle = `.chart{font:14px "Noto Sans","Segoe UI","Liberation Sans",sans-serif;fill:#18222d}.narrow{font-size:12.5px}.paper{fill:#fff}` +
	`.b1{fill:#12355b}.b2{fill:#a5640c}.b3{fill:#0f7d78}.b4{fill:#8a4a7d}.b5{fill:#6f7a24}.b6{fill:#5f6b77}` +
	`.l1,.l2,.l3,.l4,.l5,.l6{fill:none;stroke-width:2.5;stroke-linejoin:round;stroke-linecap:round}` +
	`.l1{stroke:#12355b}.l2{stroke:#a5640c}.l3{stroke:#0f7d78}.l4{stroke:#8a4a7d}.l5{stroke:#6f7a24}.l6{stroke:#5f6b77}` +
	`.t1{fill:#12355b}.t2{fill:#8a5208}.t3{fill:#0b615d}.t4{fill:#7a3f6e}.t5{fill:#565f17}.t6{fill:#4d5862}` +
	`.i1,.i2,.i3,.i4,.i5,.i6{fill:#fff}` +
	`.grid,.tick{stroke:#ddd6c8}.zero{stroke:#7b838d}.break{stroke:#7b838d;stroke-dasharray:3 3}.link{stroke:#9aa3ac;stroke-width:3}` +
	`.mute,.note{fill:#515c68}.note{font-size:.92em}.strong{font-weight:600}.head{font-size:17px;font-weight:600}` +
	`.q0,.land{fill:#fff}.q1{fill:#dbe7f1}.q2{fill:#a9c8e0}.q3{fill:#6f9fc4}.q4{fill:#3a6d9c}.q5{fill:#12355b}.sea{fill:none;stroke-dasharray:2 2}` +
	`.q0,.q1,.q2,.q3,.q4,.q5,.land,.sea,.mark{fill-rule:evenodd;stroke:#7b838d;stroke-width:.6;stroke-linejoin:round}` +
	`.hatch{fill:none;stroke:#9aa3ac;stroke-width:1}.mark{fill:none;stroke:#a5640c;stroke-width:3}.place{fill:#a5640c;stroke:#fff;stroke-width:.8}` +
	`.w0,.w1,.w2,.w3{fill:#18222d}.w4,.w5{fill:#fff}.tiny{font-size:.8em}.name{font-size:.86em}`
