// data-dialog="id" on a button opens that <dialog>; data-close inside closes it; a click on the backdrop too.
// It closes when the form in it was accepted; after a refusal it stays open, with what was typed.
// A dialog with data-open (the server found errors in its form) opens again after the page or fragment has loaded.
(() => {
  const reopen = () => {
    for (const dialog of document.querySelectorAll("dialog[data-open]:not([open])")) dialog.showModal();
  };
  document.addEventListener("click", (event) => {
    const opener = event.target.closest?.("[data-dialog]");
    if (opener) {
      event.preventDefault();
      document.getElementById(opener.dataset.dialog)?.showModal();
      return;
    }
    if (event.target.closest?.("[data-close]")) event.target.closest("dialog")?.close();
    else if (event.target.matches?.("dialog[open]") && outside(event)) event.target.close();
  });
  const outside = (event) => {
    const box = event.target.getBoundingClientRect();
    return event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
  };
  document.addEventListener("htmx:after:swap", (event) => {
    const { ctx } = event.detail;
    if (ctx.response?.status < 400) ctx.sourceElement.closest("dialog[open]")?.close();
  });
  document.addEventListener("DOMContentLoaded", reopen);
  document.addEventListener("htmx:after:settle", reopen);
})();
