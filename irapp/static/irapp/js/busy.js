// One submit is one submit: the button turns busy, a second click or Enter changes nothing. The server is idempotent too.
(() => {
  const busy = new WeakSet();
  const set = (form, submitter, on) => {
    if (on) busy.add(form); else busy.delete(form);
    const button = submitter || form.querySelector("[type=submit], button:not([type])");
    if (!button) return;
    if (on) { button.setAttribute("aria-busy", "true"); button.setAttribute("aria-disabled", "true"); }
    else { button.removeAttribute("aria-busy"); button.removeAttribute("aria-disabled"); }
  };
  const isHtmx = (form) => ["get", "post", "put", "patch", "delete"].some((verb) => form.hasAttribute(`hx-${verb}`));

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method === "dialog") return;
    if (busy.has(form)) { event.preventDefault(); event.stopImmediatePropagation(); return; }
    if (isHtmx(form) || form.method === "post") set(form, event.submitter, true);
  }, true);
  document.addEventListener("htmx:finally:request", (event) => {
    const form = event.detail.ctx.sourceElement.closest?.("form");
    if (form) set(form, event.detail.ctx.sourceEvent?.submitter, false);
  });
  // Back from history: the page is as it was left, busy included.
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of document.forms) set(form, null, false);
  });
})();
