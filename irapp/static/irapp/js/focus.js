// After a swap, focus goes where the answer says (autofocus is htmx's own); a swap that removed the focused
// element hands focus to its target instead of dropping it to the top of the page.
(() => {
  let held = null;
  document.addEventListener("htmx:before:swap", (event) => {
    const { target } = event.detail.ctx;
    held = target instanceof Element && target.contains(document.activeElement) ? target : null;
  });
  document.addEventListener("htmx:after:swap", () => {
    const lost = held && document.activeElement === document.body;
    const target = lost && (held.isConnected ? held : held.id && document.getElementById(held.id));
    held = null;
    if (!target) return;
    const heading = target.querySelector("[data-focus], h2, h3") || target;
    if (!heading.hasAttribute("tabindex")) heading.setAttribute("tabindex", "-1");
    heading.focus({ preventScroll: true });
  });
})();
