// A visit ends when nobody is there: after data-idle seconds without a touch a
// question, after data-answer more the form that forgets. Nothing here needs a
// network, and without it the server ends the visit (ui/site/kiosk.go).
const { body } = document, dialog = body.querySelector("dialog"), seconds = Number(body.dataset.idle);
if (dialog && seconds) {
  const left = dialog.querySelector(".seconds"), answer = Number(body.dataset.answer);
  let idle = 0;
  const awake = () => { if (!dialog.open) idle = 0; };
  for (const what of ["pointerdown", "keydown", "wheel", "scroll", "input"]) addEventListener(what, awake, { passive: true, capture: true });
  dialog.addEventListener("close", () => { idle = 0; });
  setInterval(() => {
    idle++;
    if (idle < seconds) return;
    if (!dialog.open) dialog.showModal();
    const over = idle - seconds - answer;
    left.textContent = Math.max(0, -over);
    if (over >= 0 && over % 30 === 0) document.getElementById("end").requestSubmit(); // again only if nobody answers
  }, 1000);
}
const back = document.querySelector("[data-back]");
if (back) back.addEventListener("click", e => {
  if (history.length > 1) { e.preventDefault(); history.back(); }
});
// Nobody is there: the numbers stay fresh as long as the node answers.
if (!dialog) setInterval(() => fetch(location.href).then(r => r.ok && location.reload(), () => {}), 300000);
