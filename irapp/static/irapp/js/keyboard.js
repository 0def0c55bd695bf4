// Shortcuts that only move: places (g q, g i …), rows of a list marked data-list (j, k, Enter), the sheet (?).
// Never inside inputs, switched off for good with one checkbox, and nothing here sends or decides anything.
(() => {
  const KEY = "irapp-shortcuts";
  const sheet = document.getElementById("shortcuts");
  const box = document.querySelector("[data-shortcuts-switch]");
  if (!sheet || !box) return;

  const enabled = () => {
    try { return localStorage.getItem(KEY) !== "off"; } catch { return true; }
  };
  const go = (key) => {
    const link = document.querySelector(`a[data-go="${key}"]`);
    if (link) location.assign(link.href);
  };
  const rows = () => [...document.querySelectorAll("[data-list] [data-row]")];
  const linkOf = (row) => row.matches("a[href]") ? row : row.querySelector("a[href]");
  const move = (step) => {
    const all = rows();
    const here = all.findIndex((row) => row.contains(document.activeElement));
    const next = all[here < 0 ? (step > 0 ? 0 : all.length - 1) : here + step];
    if (next) linkOf(next)?.focus();
  };
  const guarded = (action) => (event) => {
    if (!enabled() || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    action();
  };
  const bindings = {
    "Shift+?": guarded(() => sheet.showModal()),
    j: guarded(() => move(1)),
    k: guarded(() => move(-1)),
  };
  for (const link of document.querySelectorAll("a[data-go]")) {
    bindings[`g ${link.dataset.go}`] = guarded(() => go(link.dataset.go));
  }
  const ignore = (event) => event.repeat || event.isComposing || event.ctrlKey || event.metaKey || event.altKey
    || event.target.closest?.("input, select, textarea, [contenteditable]");
  // Layouts put "?" elsewhere: match the character, whatever Shift says.
  bindings["[Shift]+?"] = bindings["Shift+?"];
  delete bindings["Shift+?"];
  tinykeys.tinykeys(window, bindings, { ignore });

  box.checked = enabled();
  box.addEventListener("change", () => {
    try { localStorage.setItem(KEY, box.checked ? "on" : "off"); } catch { /* holds until the page is left */ }
  });
})();
