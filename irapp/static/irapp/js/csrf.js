// htmx 4 does not inherit hx-headers, so the token is added to every request that changes something, whatever its verb.
document.addEventListener("htmx:config:request", (event) => {
  const request = event.detail.ctx.request;
  if (/^(GET|HEAD|OPTIONS|TRACE)$/i.test(request.method)) return;
  const token = document.querySelector('meta[name="csrf-token"]')?.content;
  if (token) request.headers["X-CSRFToken"] = token;
});
