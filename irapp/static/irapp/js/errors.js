// htmx 4 swaps the body of 4xx and 5xx answers. A refusal belongs into #messages, not into the panel that asked;
// a 422 with a form in it (no data-refusal) is swapped where it was asked for. A lost session goes to the sign-in page.
(() => {
  // An open dialog covers the page: what went wrong is told inside it.
  const say = (html) => {
    for (const old of document.querySelectorAll("[data-refusal]")) old.remove();
    const box = document.querySelector("dialog[open] .dialog-body") ?? document.getElementById("messages");
    box.prepend(html);
    box.querySelector("[data-refusal]")?.focus();
  };
  const unreachable = () => document.getElementById("unreachable").content.cloneNode(true);

  document.addEventListener("htmx:before:response", (event) => {
    const { raw } = event.detail.ctx.response;
    const login = document.querySelector('meta[name="login-url"]')?.content;
    if (login && raw.redirected && new URL(raw.url).pathname === login) {
      event.preventDefault();
      location.reload();
    }
  });

  document.addEventListener("htmx:after:request", (event) => {
    const { ctx } = event.detail;
    if (ctx.response.status < 400 || ctx.response.status === 422 && !ctx.text.includes("data-refusal")) return;
    event.preventDefault();
    const page = new DOMParser().parseFromString(ctx.text, "text/html");
    say(document.adoptNode(page.querySelector("[data-refusal]")) || unreachable());
  });

  document.addEventListener("htmx:error", (event) => {
    const live = event.detail.ctx?.sourceEvent?.type?.startsWith("live:");
    if (event.detail.ctx && !live) say(unreachable());
  });
})();
