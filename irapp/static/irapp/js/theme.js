// Loaded in <head>, blocking: the chosen theme stands before the first paint. "system" is the absence of a choice.
(() => {
  const root = document.documentElement;
  const stored = () => {
    try { return localStorage.getItem("irapp-theme") || "system"; } catch { return "system"; }
  };
  const apply = (theme) => {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
  };
  const mark = (theme) => {
    for (const button of document.querySelectorAll("[data-theme-choice]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === theme));
    }
  };

  apply(stored());
  document.addEventListener("DOMContentLoaded", () => mark(stored()));
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-theme-choice]");
    if (!button) return;
    const theme = button.dataset.themeChoice;
    try { localStorage.setItem("irapp-theme", theme); } catch { /* private mode: holds for this page only */ }
    apply(theme);
    mark(theme);
  });
})();
