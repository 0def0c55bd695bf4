// Hints from the live-updates process become DOM events on <body>: {"topic":"incident:12","version":7} or
// {"topics":["incident:12","audit"]} -> live:incident:12, live:audit.
// Elements listen with hx-trigger="live:incident:12 from:body" and fetch authorised HTML again; hints carry no content.
(() => {
  const url = document.querySelector('meta[name="live-url"]')?.content;
  if (!url) return;
  const POLL_MS = 10_000;
  const RETRY_MS = 3_000;
  const seen = new Map();
  let lastId = "";
  let poll = 0;
  let wasLost = false;

  const show = (state, text) => {
    for (const mark of document.querySelectorAll("[data-live-state]")) {
      mark.hidden = false;
      mark.dataset.state = state;
      mark.textContent = text;
    }
  };
  const fire = (topic) => document.body.dispatchEvent(new CustomEvent(`live:${topic}`, { bubbles: true }));
  const topics = () => {
    const found = new Set();
    for (const element of document.querySelectorAll('[hx-trigger*="live:"]')) {
      for (const [, topic] of element.getAttribute("hx-trigger").matchAll(/live:([^\s,]+)/g)) found.add(topic);
    }
    return [...found].sort();
  };
  const fireAll = () => topics().forEach(fire);
  let asked = "";
  let source;
  const startPolling = () => {
    poll ||= setInterval(() => { if (!document.hidden) fireAll(); }, POLL_MS);
    show("polling", "Updating every 10 s");
  };
  const onHint = (event) => {
    lastId = event.lastEventId || lastId;
    const { topic, topics = [topic], version } = JSON.parse(event.data);
    for (const name of topics) {
      if (version !== undefined && version <= (seen.get(name) ?? -Infinity)) continue;
      if (version !== undefined) seen.set(name, version);
      fire(name);
    }
  };
  const connect = () => {
    const address = new URL(url, location.href);
    asked = topics().join(",");
    if (!asked) return;
    address.searchParams.set("topics", asked);
    if (lastId) address.searchParams.set("last_event_id", lastId);
    source = new EventSource(address, { withCredentials: address.origin !== location.origin });
    source.addEventListener("open", () => {
      clearInterval(poll);
      poll = 0;
      show("live", "Live");
      if (wasLost) fireAll(); // the gap may be longer than what the server can replay
      wasLost = false;
    });
    source.addEventListener("message", onHint);
    source.addEventListener("hint", onHint);
    source.addEventListener("reset", fireAll);
    source.addEventListener("error", ({ target }) => {
      wasLost = true;
      startPolling();
      // The browser retries by itself (with Last-Event-ID) unless it gave up for good.
      if (target !== source || target.readyState !== EventSource.CLOSED) return;
      setTimeout(connect, RETRY_MS + Math.random() * RETRY_MS);
    });
  };
  addEventListener("pagehide", () => source?.close());
  // What was swapped in may listen to more than the page did before.
  document.addEventListener("htmx:after:swap", () => {
    if (topics().join(",") === asked) return;
    source?.close();
    connect();
  });

  addEventListener("pageshow", (event) => { if (event.persisted) { fireAll(); connect(); } });
  connect();

  // Say it politely, and show for a moment what changed.
  const quiet = new WeakSet();
  document.addEventListener("htmx:before:request", (event) => {
    if (event.detail.ctx.sourceEvent?.type?.startsWith("live:")) quiet.add(event.detail.ctx);
  });
  document.addEventListener("htmx:after:swap", (event) => {
    const { ctx } = event.detail;
    if (!quiet.has(ctx)) return;
    const target = typeof ctx.target === "string" ? document.querySelector(ctx.target) : ctx.target;
    const now = target?.isConnected ? target : target?.id && document.getElementById(target.id);
    now?.classList.add("just-updated");
    setTimeout(() => now?.classList.remove("just-updated"), 1_600);
    const what = now?.dataset.liveLabel;
    document.getElementById("live-status").textContent = what ? `${what} updated` : "Updated";
  });
})();
