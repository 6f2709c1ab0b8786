// What every page has: CSRF for htmx, menus that close, dialogs, toasts, ages, focus after a swap.
const announcer = document.getElementById("announcer");

export function announce(text) {
  if (!announcer) return;
  announcer.textContent = "";
  setTimeout(() => (announcer.textContent = text), 60);
}

export function csrf() {
  return document.querySelector('meta[name="csrf-token"]')?.content ?? "";
}

document.addEventListener("htmx:config:request", (event) => {
  event.detail.ctx.request.headers["X-CSRFToken"] = csrf();
});

document.addEventListener("htmx:after:swap", () => focusAsked());

function focusAsked() {
  const wanted = document.querySelector("[data-focus]:not([data-focused])");
  if (wanted) {
    wanted.dataset.focused = "";
    wanted.focus();
  }
}

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  const opener = event.target.closest("[data-opens]");
  const dialog = opener && document.getElementById(opener.dataset.opens);
  if (dialog && !dialog.open) {
    event.preventDefault();
    dialog.showModal();
  }
  event.target.closest("[data-dismiss]")?.closest("[data-toast]")?.remove();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu =
    document.activeElement?.closest("details.menu[open]") ??
    document.querySelector("details.menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

document.addEventListener("change", (event) => {
  if (event.target.closest("[data-autosubmit]")) event.target.form?.requestSubmit();
  if (event.target.matches(".sample__pick")) count();
});

function count() {
  const bar = document.querySelector(".selbar [data-count]");
  if (!bar) return;
  const n = document.querySelectorAll(".sample__pick:checked").length;
  bar.textContent = bar.textContent.replace(/\d+/, n);
}

const STAYS = 10_000;

function watchToast(toast) {
  let timer = setTimeout(() => toast.remove(), STAYS);
  const hold = () => clearTimeout(timer);
  const go = () => (timer = setTimeout(() => toast.remove(), STAYS));
  toast.addEventListener("pointerenter", hold);
  toast.addEventListener("pointerleave", go);
  toast.addEventListener("focusin", hold);
  toast.addEventListener("focusout", go);
}

document.querySelectorAll("#toasts [data-toast]").forEach(watchToast);
new MutationObserver((changes) => {
  for (const change of changes)
    change.addedNodes.forEach((node) => node.matches?.("[data-toast]") && watchToast(node));
}).observe(document.getElementById("toasts") ?? document.body, { childList: true });

// Ages: the server's words stay until they would be wrong, then the browser's own words in the page's language.
const words = new Intl.RelativeTimeFormat(document.documentElement.lang, {
  numeric: "auto",
  style: "short",
});

function refreshAges() {
  for (const time of document.querySelectorAll("time[data-relative]")) {
    const minutes = Math.round((new Date(time.dateTime) - Date.now()) / 60_000);
    const known = time.dataset.minutes;
    time.dataset.minutes = minutes;
    if (known === undefined || Number(known) === minutes || minutes < -1440) continue;
    time.textContent =
      minutes > -60
        ? words.format(minutes, "minute")
        : words.format(Math.round(minutes / 60), "hour");
  }
}

refreshAges();
setInterval(refreshAges, 30_000);
focusAsked();
