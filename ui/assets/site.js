// Small comforts. Every page works without them.
const d = document, root = d.documentElement;
// Filters that submit themselves: the button that does it by hand stays.
d.addEventListener("change", e => {
  const f = e.target.form;
  if (f && e.target.matches(".side input,.side select")) f.requestSubmit();
});
// A fingerprint is copied by pressing it; copying needs a secure context.
if (navigator.clipboard) for (const c of d.querySelectorAll("code[data-copy]")) {
  const b = d.createElement("button");
  b.type = "button";
  b.className = "quiet";
  b.textContent = root.dataset.copy;
  b.addEventListener("click", async () => {
    try { await navigator.clipboard.writeText(c.textContent); b.textContent = root.dataset.copied; } catch { c.focus(); }
  });
  c.after(" ", b);
}
// Print.
for (const p of d.querySelectorAll("[data-print]")) {
  p.hidden = false;
  p.addEventListener("click", () => print());
}
