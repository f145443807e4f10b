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
// Words that complete the one being typed. Where nobody answers, none appear.
const q = d.querySelector("input[name=q]");
if (q) {
  const list = d.createElement("datalist");
  list.id = "words";
  q.after(list);
  q.setAttribute("list", list.id);
  let wait, last = "";
  q.addEventListener("input", () => {
    clearTimeout(wait);
    wait = setTimeout(async () => {
      const text = q.value.trim();
      if (text.length < 2 || text === last || [...list.children].some(o => o.value === q.value)) return;
      last = text;
      try {
        const r = await fetch("/api/v1/datasets?" + new URLSearchParams({ q: text, suggest: true, lang: root.lang.toLowerCase(), limit: 8 }));
        const found = (await r.json()).suggestions || [];
        if (text === last) list.replaceChildren(...found.map(s => Object.assign(d.createElement("option"), { value: s })));
      } catch { list.replaceChildren(); }
    }, 200);
  });
}
