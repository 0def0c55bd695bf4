// Keeps words of time honest: <time data-ago> ("4 min ago") and .clock[data-due] ("12 min left", "3 min over").
(() => {
  const STEPS = [[60, "s", 1], [3600, "min", 60], [86_400, "h", 3600], [Infinity, "d", 86_400]];
  const words = (seconds) => {
    const [, unit, size] = STEPS.find(([limit]) => seconds < limit);
    const whole = Math.floor(seconds / size);
    const rest = unit === "h" ? Math.floor((seconds % 3600) / 60) : 0;
    return rest ? `${whole} h ${rest} min` : `${whole} ${unit}`;
  };
  const passed = (seconds) => seconds < 5 && seconds > -5 ? "now" : seconds < 0 ? `in ${words(-seconds)}` : `${words(seconds)} ago`;
  const put = (element, text) => { if (element.textContent !== text) element.textContent = text; };

  const tick = () => {
    for (const element of document.querySelectorAll("time[data-ago]")) {
      const label = element.querySelector(".ago") || element;
      put(label, passed((Date.now() - Date.parse(element.dateTime)) / 1000));
    }
    for (const clock of document.querySelectorAll(".clock[data-due]")) {
      const left = (Date.parse(clock.dataset.due) - Date.now()) / 1000;
      clock.dataset.state = left < 0 ? "over" : left < Number(clock.dataset.soon) ? "soon" : "ok";
      put(clock.querySelector(".left"), left < 0 ? `${words(-left)} over` : `${words(left)} left`);
    }
  };
  document.addEventListener("DOMContentLoaded", tick);
  document.addEventListener("htmx:after:settle", tick);
  setInterval(() => { if (!document.hidden) tick(); }, 1_000);
})();
