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
	`.mute,.note{fill:#515c68}.note{font-size:.92em}.strong{font-weight:600}.head{font-size:17px;font-weight:600}`
