// data-copy="text" on a button puts the text on the clipboard and says so, to eyes and to screen readers.
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  const status = document.getElementById("live-status");
  const use = button.querySelector("use");
  const before = use?.getAttribute("href");
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    use?.setAttribute("href", before.replace(/#.*/, "#check"));
    if (status) status.textContent = "Copied";
  } catch {
    if (status) status.textContent = "The browser did not allow copying";
  }
  setTimeout(() => { if (use) use.setAttribute("href", before); }, 1_500);
});
